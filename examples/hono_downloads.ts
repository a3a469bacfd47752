// A Hono app says who may have which file; the download manager sends it, on the request's own socket
// where the server lets go of that (here in Deno and Node), else as a response under the same limits.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { DownloadManager } from "../mod.ts";
import { downloads, sendDownload } from "../src/integrations/hono/mod.ts";

const users = new Map([["Bearer 42", "gold"], ["Bearer 7", "free"]]);

const manager = new DownloadManager({
  root: new URL("files", import.meta.url).pathname,
  maxActive: 100, // all together; who comes when 1,000 wait as well is answered 503
  maxQueued: 1000,
  maxClientBytesPerSecond: (client) => client === "gold" ? Infinity : 4_000_000,
});

const app = new Hono<{ Variables: { user: string } }>()
  .use(async (c, next) => {
    const user = users.get(c.req.header("authorization") ?? "");
    if (user === undefined) return c.text("Who are you?", 401);
    c.set("user", user);
    await next();
  })
  .use(downloads(manager))
  .get("/reports/:year", (c) => {
    // Whatever the URL says: this file, on the account of this user.
    return sendDownload(c, "numbers.txt", { client: c.get("user") });
  });

// With this option, the program may have a server of its runtime's own, too.
const server = serve({ fetch: app.fetch, port: 0, overrideGlobalObjects: false });
if (server.address() === null) await once(server, "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/reports/2026`;

const stranger = await fetch(url);
console.log(stranger.status, await stranger.text()); // 401 Who are you?

const authorization = "Bearer 7";
const whole = await fetch(url, { headers: { authorization } });
console.log(whole.status, (await whole.bytes()).byteLength); // 200 1048576

const range = "bytes=0-15";
const part = await fetch(url, { headers: { authorization, range } });
console.log(part.status, part.headers.get("content-range")); // 206 bytes 0-15/1048576
await part.body?.cancel();

await manager.close(); // what is being sent is finished
server.close();
