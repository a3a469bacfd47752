// What happens to the sockets of @hono/node-server, with its defaults.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import type { AddressInfo } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { DownloadManager } from "../../../mod.ts";
import { downloads, sendDownload } from "../../../src/integrations/hono/mod.ts";
import { Client, headOf } from "../../download/tools.ts";
import { runtime, test } from "../../harness.ts";
import { eventually, sha256, textOf } from "../../transport/tools.ts";
import { withFolder } from "./tools.ts";

/** Bun's `node:http` has no sockets that it could let go of. */
const handsOver = runtime !== "bun";

async function serving(
  app: Pick<Hono, "fetch">,
  run: (connect: () => Promise<Client>, close: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { Request: request, Response: response } = globalThis;
  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
  if (server.address() === null) await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  const clients: Client[] = [];
  let closed: Promise<void> | undefined;
  const close = () => closed ??= new Promise<void>((done) => server.close(() => done()));
  try {
    await run(async () => {
      const client = await Client.connect({ hostname: "127.0.0.1", port });
      clients.push(client);
      return client;
    }, close);
  } finally {
    for (const client of clients) client.socket.abort();
    await close();
    // It has put its own in their places, for good; other tests want the runtime's.
    for (const [name, value] of Object.entries({ Request: request, Response: response })) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    }
  }
}

test("sendDownload() gets the socket of @hono/node-server, whose connection ends with the answer", () =>
  withFolder(async (folder) => {
    const bytes = folder.fill("a", 300_000);
    const manager = new DownloadManager({ root: folder.path });
    let runs = 0;
    const app = new Hono()
      // Headers of a middleware make another response of the handler's.
      .use((c, next) => {
        c.res.headers.set("x-app", "here");
        return next();
      })
      .use(downloads(manager))
      .get("/own", (c) => c.text("own", 200, { "content-length": "3" }))
      .get("/a", (c) => {
        runs++;
        return sendDownload(c, "a");
      })
      .get("/stay", (c) => sendDownload(c, "a", { handOver: false }));
    await serving(app, async (connect) => {
      const client = await connect();
      assertEquals((await client.request("GET /own")).fields.get("x-app"), "here");
      const head = await client.request("HEAD /a"); // The server answers it itself.
      assertEquals([head.status, head.fields.get("content-length")], [200, "300000"]);
      const stayed = await client.request("GET /stay");
      assertEquals([stayed.fields.get("x-app"), sha256(stayed.body)], ["here", sha256(bytes)]);
      const taken = await client.request("GET /a");
      assertEquals([taken.status, sha256(taken.body)], [200, sha256(bytes)]);
      assertEquals(taken.fields.get("connection"), handsOver ? "close" : "keep-alive");
      assertEquals(taken.fields.get("x-app"), handsOver ? undefined : "here");
      if (handsOver) assertEquals((await client.rest()).byteLength, 0);
      await eventually(() => manager.stats().active === 0, () => "all have ended");
      assertEquals([runs, manager.stats().finished], [2, 3]);
    });
    await manager.close();
  }));

test("a request behind one whose socket was handed over is not run, and the client sees the end", () =>
  withFolder(async (folder) => {
    const bytes = folder.fill("a", 24 * 2 ** 20); // more than kernels hold
    const manager = new DownloadManager({ root: folder.path });
    let runs = 0;
    const app = new Hono().use(downloads(manager, { prefix: "/files/" })).get("/later", (c) => {
      runs++;
      return c.text("later", 200, { "content-length": "5" });
    });
    await serving(app, async (connect) => {
      const client = await connect();
      await client.send("GET /files/a");
      const { fields } = await client.answerHead();
      await client.sendText(headOf("GET /later"));
      const body = await client.take(Number(fields.get("content-length")));
      assertEquals(sha256(body), sha256(bytes));
      if (handsOver) assertEquals((await client.rest()).byteLength, 0);
      else assertEquals((await client.answer()).status, 200);
      assertEquals(runs, handsOver ? 0 : 1);
    });
    await manager.close();
  }));

test("of requests that come at once, none is answered behind one whose socket was handed over", () =>
  withFolder(async (folder) => {
    const bytes = folder.fill("a", 100_000);
    const manager = new DownloadManager({ root: folder.path });
    const expectAnswers = async (client: Client, ...texts: readonly string[]) => {
      for (const text of texts) assertEquals(textOf((await client.answer()).body), text);
    };
    const app = new Hono()
      .use(downloads(manager, { prefix: "/files/" }))
      .get("/own", (c) => c.text("own", 200, { "content-length": "3" }));
    await serving(app, async (connect) => {
      const client = await connect();
      const part = headOf("GET /files/a", { Range: "bytes=0-9" });
      const own = headOf("GET /own");
      await client.sendText(headOf("GET /files/a") + own + part + own);
      assertEquals(sha256((await client.answer()).body), sha256(bytes));
      if (handsOver) {
        assertEquals((await client.rest()).byteLength, 0);
        assertEquals(manager.stats().finished, 1);
      } else await expectAnswers(client, "own", textOf(bytes.subarray(0, 10)), "own");
      // Behind an answer that the server sends itself, it sends the file, too.
      const other = await connect();
      await other.sendText(own + part + own);
      await expectAnswers(other, "own", textOf(bytes.subarray(0, 10)), "own");
    });
    await manager.close();
  }));

test("a download whose socket was handed over outlives the close of the server", () =>
  withFolder(async (folder) => {
    const bytes = folder.fill("a", 24 * 2 ** 20);
    const manager = new DownloadManager({ root: folder.path });
    const app = new Hono().use(downloads(manager, { prefix: "/" }));
    await serving(app, async (connect, close) => {
      const client = await connect();
      await client.send("GET /a", { Connection: "close" });
      const { fields } = await client.answerHead();
      const closing = close();
      const taken = await client.take(Number(fields.get("content-length")));
      assertEquals(sha256(taken), sha256(bytes));
      assertEquals((await client.rest()).byteLength, 0);
      await closing;
    });
    await manager.close();
  }));

test("a closed manager is answered with 503", () =>
  withFolder(async (folder) => {
    folder.write("a", "here");
    const manager = new DownloadManager({ root: folder.path });
    const app = new Hono().use(downloads(manager, { prefix: "/" }));
    await manager.close();
    await serving(app, async (connect) => {
      const client = await connect();
      await client.send("GET /a", { Connection: "close" });
      const { status, fields } = await client.answerHead();
      assertEquals([status, fields.get("retry-after")], [503, "1"]);
      assert(textOf(await client.rest()).includes("Try again in a moment."));
    });
  }));
