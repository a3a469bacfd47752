import { adminHandler, type AdminOptions } from "../../admin/mod.ts";
import type { HonoContext } from "./hono_context.ts";

/** What Hono calls a handler. */
export type HonoHandler = (context: HonoContext) => Promise<Response>;

/**
 * {@linkcode adminHandler} as a handler of Hono, for a route that ends with `/*`: what stands before
 * that is where the page, the state and the metrics are found.
 *
 * @throws {TypeError} See {@linkcode adminHandler}.
 *
 * @example
 * ```ts
 * import { admin } from "@jackfield/jackfield/hono";
 * import { Hono } from "hono";
 *
 * const token = "a-secret-of-16-letters-or-more";
 * const app = new Hono().all("/admin/*", admin({ token }));
 * const refused = await app.request("/admin/metrics");
 * const headers = { authorization: `Bearer ${token}` };
 * const answer = await app.request("/admin/metrics", { headers });
 * if (refused.status !== 401 || answer.status !== 200) throw new Error("unexpected");
 * ```
 */
export function admin(options: AdminOptions): HonoHandler {
  const handle = adminHandler(options);
  return (context) => {
    const { routePath, raw } = context.req;
    // By the number of names, since those of the route may be parameters.
    const names = routePath.replace(/\/?\*$/, "").split("/").length - 1;
    const url = new URL(raw.url);
    url.pathname = `/${url.pathname.split("/").slice(names + 1).join("/")}`;
    const { method, headers, body } = raw;
    // Not all of it: in Deno a look at its signal makes the runtime say something.
    const asked = body === null ? { method, headers } : { method, headers, body, duplex: "half" };
    return handle(new Request(url, asked));
  };
}
