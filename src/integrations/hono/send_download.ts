import type { DownloadManager, DownloadRequestInit } from "../../download/mod.ts";
import { assertAtLeast } from "../../download/settings.ts";
import { encodeHead, statusLine } from "../../http/mod.ts";
import {
  createSocket,
  isJackfieldError,
  type Socket,
  type SocketAddress,
} from "../../transport/mod.ts";
import { type HonoContext, remoteAddressOf } from "./hono_context.ts";
import { alreadySent, isBehindReleased, releaseSocket } from "./released_socket.ts";
import { ResponseDriver } from "./response_driver.ts";

/** Options of {@linkcode sendDownload}. */
export interface SendDownloadOptions {
  /**
   * On whose account it is sent, such as the user that the app has let in.
   *
   * @default {what the manager's clientOf says}
   */
  readonly client?: string;
  /**
   * Bytes per second for this download, at least 1, beside the limits of the manager.
   *
   * @default {Infinity}
   */
  readonly maxBytesPerSecond?: number;
  /**
   * Whether the manager gets the socket of the request where the server lets go of it. The connection
   * ends with the answer then, and headers of other middleware do not reach it. With `false` the
   * answer is a `Response` everywhere.
   *
   * @default {true}
   */
  readonly handOver?: boolean;
}

/** The variable of the context in which `downloads` leaves its manager. */
const VARIABLE = "downloads";

/** Leave the manager for `sendDownload`. */
export function keepManager(context: HonoContext, manager: DownloadManager): void {
  context.set(VARIABLE, manager);
}

/**
 * Answer a request with a file of the manager that the middleware `downloads` has left in the context,
 * whatever the URL of the request is: with ranges, conditions, digests, limits and shares.
 *
 * Where the server lets go of its sockets (`@hono/node-server`), the manager gets the live socket of a
 * GET; elsewhere the body is a stream under the same limits.
 *
 * @param path the file within the manager's root, with plain slashes and nothing encoded
 * @throws {TypeError} When no manager is in the context.
 * @throws What ended the download before its answer had begun, such as the reason of a cancel.
 *
 * @example
 * ```ts ignore
 * app.use(downloads(manager));
 * app.get("/reports/:year", async (c) => {
 *   const user = await userOf(c); // the app's own authorisation
 *   if (user === undefined) return c.text("Who are you?", 401);
 *   return await sendDownload(c, `reports/${c.req.param("year")}.pdf`, { client: user.id });
 * });
 * ```
 */
export async function sendDownload(
  context: HonoContext,
  path: string,
  options: SendDownloadOptions = {},
): Promise<Response> {
  const manager = context.get(VARIABLE) as DownloadManager | undefined;
  if (manager === undefined) {
    throw new TypeError(
      `Cannot send "${path}": expected app.use(downloads(manager)) before this handler`,
    );
  }
  const names = path.split("/").map(encodeURIComponent).join("/");
  return await sendTarget(context, manager, names.startsWith("/") ? names : `/${names}`, options);
}

/** Answer a request with what the manager has under a target. */
export async function sendTarget(
  context: HonoContext,
  manager: DownloadManager,
  target: string,
  { client, maxBytesPerSecond, handOver = true }: SendDownloadOptions = {},
): Promise<Response> {
  const { raw } = context.req;
  const { method, headers } = raw;
  const hasBody = headers.has("transfer-encoding") ||
    (headers.get("content-length") ?? "0") !== "0";
  const request: DownloadRequestInit = {
    target,
    method,
    fields: headers,
    hasBody,
    keepAlive: false,
    client,
    maxBytesPerSecond,
  };
  // Before the socket is released: nobody could be told after that.
  if (maxBytesPerSecond !== undefined) assertAtLeast("maxBytesPerSecond", maxBytesPerSecond, 1);
  if (isBehindReleased(context.env)) return alreadySent();
  // An answer without a body, or to a request with one, is left to the server.
  const socket = handOver && method === "GET" && !hasBody ? releaseSocket(context.env) : undefined;
  if (socket === undefined) {
    return await answerThrough(manager, request, remoteAddressOf(context), () => raw.signal);
  }
  manager.take(socket, request).catch((error) => {
    // The manager has reported what broke the connection; what it did not take it did not touch.
    if (socket.state !== "open") return;
    const status = isJackfieldError(error, "DOWNLOAD_CLOSED") ? 503 : 500;
    refuse(socket, status).catch(() => socket.abort()); // The client has left: nobody is to be told.
  });
  return alreadySent();
}

/** Let a manager write its answer to a response. */
async function answerThrough(
  manager: DownloadManager,
  request: DownloadRequestInit,
  remoteAddress: SocketAddress,
  signalOf: () => AbortSignal,
): Promise<Response> {
  const driver = new ResponseDriver(request.method!, signalOf);
  const localAddress = { hostname: "", port: 0 }; // Nobody says which.
  const socket = createSocket(driver, { localAddress, remoteAddress });
  manager.take(socket, request).catch((error) => driver.fail(error));
  try {
    return await driver.response;
  } catch (error) {
    if (!isJackfieldError(error, "DOWNLOAD_CLOSED")) throw error;
    return new Response(CLOSED, { status: 503, headers: { "retry-after": "1" } });
  }
}

const CLOSED = "The server is closing. Try again in a moment.\n";
const FAILED = "The server could not begin the download.\n";

/** The same on a socket. */
async function refuse(socket: Socket, status: number): Promise<void> {
  const body = new TextEncoder().encode(status === 503 ? CLOSED : FAILED);
  const head = encodeHead(statusLine(status), [
    ["Connection", "close"],
    ["Content-Type", "text/plain;charset=UTF-8"],
    ["Content-Length", body.byteLength],
    ["Retry-After", "1"],
  ]);
  await socket.write(head);
  await socket.write(body);
  await socket.close();
}
