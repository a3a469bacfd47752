import type { DownloadManager } from "../../download/mod.ts";
import type { HonoContext } from "./hono_context.ts";
import { keepManager, type SendDownloadOptions, sendTarget } from "./send_download.ts";

/** Options of {@linkcode downloads}. */
export interface DownloadsOptions extends Pick<SendDownloadOptions, "handOver"> {
  /**
   * Whatever lies below this path is answered from the manager's root: with `/files/`, the URL
   * `/files/a/b.bin` is the file `a/b.bin`. It begins and ends with a slash.
   *
   * @default {nothing is}
   */
  readonly prefix?: string;
  /**
   * On whose account a request below the prefix is sent, such as the user that an earlier middleware
   * has found.
   *
   * @default {what the manager's clientOf says}
   */
  readonly clientOf?: (context: HonoContext) => string | undefined;
}

/** What Hono calls a middleware. */
export type HonoMiddleware = (
  context: HonoContext,
  next: () => Promise<void>,
) => Promise<Response | void>;

/**
 * A middleware that lets handlers send files of a manager with `sendDownload`, and, with a prefix,
 * answers whatever lies below it from the manager's root by itself. The middleware that says who may
 * comes before it.
 *
 * The manager stays the app's: it closes it, before the server.
 *
 * @throws {TypeError} When the prefix does not begin and end with a slash.
 *
 * @example
 * ```ts
 * import { downloads } from "@jackfield/jackfield/hono";
 * import { DownloadManager } from "@jackfield/jackfield";
 * import { Hono } from "hono";
 *
 * const manager = new DownloadManager({ root: "./examples/files" });
 * const app = new Hono().use(downloads(manager, { prefix: "/files/" }));
 * const answer = await app.request("/files/numbers.txt", { headers: { range: "bytes=0-9" } });
 * if (answer.status !== 206 || await answer.text() !== "0000000\n00") throw new Error("unexpected");
 * await manager.close();
 * ```
 */
export function downloads(
  manager: DownloadManager,
  { prefix, clientOf, handOver }: DownloadsOptions = {},
): HonoMiddleware {
  if (prefix !== undefined && !/^\/(.*\/)?$/.test(prefix)) {
    throw new TypeError(`Cannot use prefix "${prefix}": expected slashes at both ends`);
  }
  return async (context, next) => {
    keepManager(context, manager);
    const { pathname, search } = new URL(context.req.raw.url);
    if (prefix === undefined || !pathname.startsWith(prefix)) return await next();
    const path = pathname.slice(prefix.length - 1);
    // The manager would read two slashes as one, and routes do not: what guards a folder would be
    // gone around.
    if (path.includes("//")) return await next();
    const target = path + search;
    return await sendTarget(context, manager, target, { client: clientOf?.(context), handOver });
  };
}
