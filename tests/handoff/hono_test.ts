// A Hono app on @hono/node-server hands the sockets of its downloads to a manager.
import { type HttpBindings, serve } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import type { AddressInfo } from "node:net";
import { assertEquals } from "@std/assert";
import { DownloadManager, systemTransport } from "../../mod.ts";
import { fromSocket } from "../../src/adapters/node/mod.ts";
import { Client, Folder } from "../download/tools.ts";
import { runtime, test } from "../harness.ts";

// Opened once in a program, and kept.
if (runtime !== "node") await systemTransport().host.descriptors?.();

for (const placement of ["inline", "thread", "process"] as const) {
  test(`DownloadManager.take() serves a socket that @hono/node-server let go of, ${placement}`, {
    skip: runtime === "node" && placement === "thread"
      ? "no live socket moves to a thread in Node"
      : false,
    sanitize: false, // A child of node:child_process outlives its test by a turn.
  }, async () => {
    const folder = new Folder();
    const bytes = folder.fill("a.bin", 400_000);
    const manager = new DownloadManager({ root: folder.path, placement });
    const app = new Hono<{ Bindings: HttpBindings }>()
      .get("/own", (context) => context.text("its own", 200, { "content-length": "7" }))
      .get("/:file", (context) => {
        const { incoming, outgoing } = context.env;
        const { socket, method } = incoming;
        outgoing.detachSocket(socket); // The app has no part in it any more.
        const fields = [...context.req.raw.headers];
        void manager.take(fromSocket(socket), {
          method,
          target: context.req.path,
          fields,
          keepAlive: false,
        });
        return RESPONSE_ALREADY_SENT;
      });
    // Without its own Request and Response in the place of the runtime's, for other tests' sake.
    const overrideGlobalObjects = false;
    const server = serve({
      fetch: app.fetch,
      hostname: "127.0.0.1",
      port: 0,
      overrideGlobalObjects,
    });
    if (server.address() === null) await new Promise((done) => server.once("listening", done));
    const { port } = server.address() as AddressInfo;
    const client = await Client.connect({ hostname: "127.0.0.1", port });
    try {
      await client.send("GET /own");
      const own = await client.answerHead();
      await client.take(Number(own.fields.get("content-length")));
      // The same connection, on which the app has answered before.
      const part = await client.request("GET /a.bin", { Range: "bytes=100000-299999" });
      assertEquals([own.status, part.status], [200, 206]);
      assertEquals(part.body, bytes.slice(100_000, 300_000));
      assertEquals((await client.rest()).byteLength, 0);
    } finally {
      client.socket.abort();
      server.close();
      await manager.close();
      folder.remove();
    }
  });
}
