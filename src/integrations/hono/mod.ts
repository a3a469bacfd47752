/**
 * Downloads and the admin page in a Hono app.
 *
 * `downloads(manager)` and `sendDownload` answer with the files of a `DownloadManager`, after the
 * app's own authorisation. Where the server lets go of a request's socket (`@hono/node-server`, in
 * Deno, Bun and Node), the manager gets the socket itself; under `Deno.serve` and `Bun.serve`, with
 * TLS and with HTTP/2, it writes to a connection in memory whose far end is the `Response`. It is the
 * same manager either way, with the same queue, shares and limits.
 *
 * ```text
 * downloads ─► sendDownload ─┬─ released_socket    the server's own socket, from then on the manager's
 *                            └─ response_driver    a socket in memory; its far end is a Response
 * admin ─► adminHandler of room admin/
 * ```
 *
 * Who owns what: a socket that is handed over is the manager's to its end, and the connection ends
 * with the answer. A `Response` is the server's: when the client leaves, it cancels the body, and that
 * ends the download.
 *
 * @example
 * ```ts
 * import { admin, downloads, sendDownload } from "@jackfield/jackfield/hono";
 * import { DownloadManager } from "@jackfield/jackfield";
 * import { Hono } from "hono";
 *
 * const manager = new DownloadManager({ root: "./examples/files" });
 * const app = new Hono()
 *   .use(downloads(manager))
 *   .get("/numbers", (c) => sendDownload(c, "numbers.txt", { client: "somebody" }))
 *   .all("/admin/*", admin({ manager, token: "a-secret-of-16-letters-or-more" }));
 * const answer = await app.request("/numbers", { method: "HEAD" });
 * if (answer.headers.get("content-length") !== "1048576") throw new Error("unexpected");
 * await manager.close();
 * ```
 *
 * @module
 */
export { admin, type HonoHandler } from "./admin.ts";
export { downloads, type DownloadsOptions, type HonoMiddleware } from "./downloads.ts";
export type { HonoContext } from "./hono_context.ts";
export { sendDownload, type SendDownloadOptions } from "./send_download.ts";
export type {
  AdminAddresses,
  AdminDownloads,
  AdminDownloadStats,
  AdminOptions,
  AdminPool,
} from "../../admin/mod.ts";
