import { setTimeout as sleep } from "node:timers/promises";
import { type AdminHandler, adminHandler } from "../admin/mod.ts";
import { isJackfieldError } from "../core.ts";
import type { DownloadServer } from "../../mod.ts";
import { type Arguments, readNumber } from "./arguments.ts";
import { explain, warn } from "./terminal.ts";
import { type FetchServer, serveFetch } from "./fetch_server.ts";

/** Only this host reaches it, and so it asks for no token. */
const HOSTNAME = "127.0.0.1";

/** So long an old process may take to let go of its port, and so often it is tried. */
const TAKEOVER_MS = 5000;
const AGAIN_MS = 50;

/** What shows a server of downloads to who runs it. */
export interface Admin {
  /** Where. */
  readonly url: string;
  /** Resolves when somebody wants the server to drain, here or there. */
  readonly drainAsked: Promise<void>;
  /** Show that it drains. */
  drain(): void;
  /** Show nothing any more. */
  close(): Promise<void>;
}

/**
 * The port of `--admin-port`; `undefined` without it.
 *
 * @throws {UsageError} When it is none.
 */
export function readAdminPort(args: Arguments): number | undefined {
  const port = readNumber(args, "admin-port", NaN, 0, 65_535);
  return Number.isNaN(port) ? undefined : port;
}

/**
 * Show a server on a port, if there is one. With `takesOver` another process lets go of the port in
 * this moment.
 *
 * @throws {JackfieldError} `LISTEN_FAILED`; the server has ended then. Who takes over goes on.
 */
export async function startAdmin(
  port: number | undefined,
  server: DownloadServer,
  takesOver: boolean,
): Promise<Admin | undefined> {
  if (port === undefined) return undefined;
  const asked = Promise.withResolvers<void>();
  const handler = adminHandler({
    manager: server,
    loopback: true,
    drain: () => {
      asked.resolve();
      return server.close();
    },
  });
  let closing: Promise<void> | undefined;
  try {
    const listening = await listen(handler, port, takesOver ? TAKEOVER_MS : 0);
    const url = `http://${HOSTNAME}:${listening.port}/`;
    return {
      url,
      drainAsked: asked.promise,
      drain: () => void handler(new Request(`${url}drain`, { method: "POST" })),
      close: () => closing ??= listening.close(),
    };
  } catch (error) {
    if (takesOver) { // What has moved here goes on, whether somebody looks at it or not.
      warn(`${explain(error).line}; it serves without --admin-port`);
      return undefined;
    }
    server.abort(error);
    await server.close();
    throw error;
  }
}

async function listen(handler: AdminHandler, port: number, waitMs: number): Promise<FetchServer> {
  const endMs = performance.now() + waitMs;
  while (true) {
    try {
      return await serveFetch(handler, { hostname: HOSTNAME, port });
    } catch (error) {
      const isTaken = isJackfieldError(error) && error.reason === "address-in-use";
      if (!isTaken || performance.now() >= endMs) throw error;
      await sleep(AGAIN_MS);
    }
  }
}
