// Downloads of Hono apps, over real sockets: the same behind every server that there is here.
import { Hono } from "hono";
import { assert, assertEquals } from "@std/assert";
import { DownloadManager } from "../../../mod.ts";
import { downloads, sendDownload } from "../../../src/integrations/hono/mod.ts";
import { runtime, test } from "../../harness.ts";
import { eventually, sha256, sleep } from "../../transport/tools.ts";
import { behind, SERVERS, withFolder } from "./tools.ts";

const BIG = 24 * 2 ** 20; // more than kernels and servers hold

for (const kind of SERVERS) {
  test(`sendDownload() answers with a file after the app's authorisation, ${kind}`, () =>
    withFolder(async (folder) => {
      const bytes = folder.fill("reports/März 1+2 %.bin", 400_000);
      const manager = new DownloadManager({ root: folder.path });
      const app = new Hono()
        .use(downloads(manager))
        .get("/report/:month", async (c) => {
          if (c.req.header("authorization") !== "Bearer 42") return c.text("Who?", 401);
          return await sendDownload(c, `reports/${c.req.param("month")} 1+2 %.bin`);
        });
      await behind(kind, app, async ({ fetch }) => {
        const refused = await fetch("/report/M%C3%A4rz");
        assertEquals([refused.status, await refused.text()], [401, "Who?"]);
        const headers = { authorization: "Bearer 42" };
        const whole = await fetch("/report/M%C3%A4rz", { headers });
        const { status, headers: fields } = whole;
        assertEquals([status, fields.get("accept-ranges")], [200, "bytes"]);
        assertEquals(sha256(await whole.bytes()), sha256(bytes));
        const etag = fields.get("etag")!;
        const part = await fetch("/report/M%C3%A4rz", {
          headers: { ...headers, range: "bytes=1000-200999", "if-range": etag },
        });
        assertEquals(part.status, 206);
        assertEquals(part.headers.get("content-range"), "bytes 1000-200999/400000");
        assertEquals(sha256(await part.bytes()), sha256(bytes.subarray(1000, 201_000)));
        const none = await fetch("/report/M%C3%A4rz", {
          headers: { ...headers, range: "bytes=400000-" },
        });
        assertEquals(none.status, 416);
        assertEquals(none.headers.get("content-range"), "bytes */400000");
        await none.body?.cancel();
        const same = await fetch("/report/M%C3%A4rz", {
          headers: { ...headers, "if-none-match": etag },
        });
        assertEquals([same.status, await same.text()], [304, ""]);
        const missing = await fetch("/report/May", { headers });
        assertEquals([missing.status, await missing.text()], [404, "There is no such file.\n"]);
        const wanting = { ...headers, "want-repr-digest": "sha-256=5" };
        const head = await fetch("/report/M%C3%A4rz", { method: "HEAD", headers: wanting });
        assertEquals([head.status, head.headers.get("content-length")], [200, "400000"]);
        assert(head.headers.get("repr-digest")!.startsWith("sha-256=:"));
      });
      await manager.close();
    }));

  test(`downloads() answers what lies below its prefix from the root, ${kind}`, () =>
    withFolder(async (folder) => {
      folder.write("inner/index.html", "<p>in");
      folder.write("a.txt", "a");
      const manager = new DownloadManager({ root: folder.path });
      const app = new Hono()
        .use(downloads(manager, { prefix: "/files/" }))
        .get("/a.txt", (c) => c.text("the app's own"))
        .post("/files/*", (c) => c.text("never"));
      await behind(kind, app, async ({ fetch, connect }) => {
        assertEquals(await (await fetch("/files/a.txt?x=1")).text(), "a");
        assertEquals(await (await fetch("/a.txt")).text(), "the app's own");
        assertEquals(await (await fetch("/files/inner")).text(), "<p>in"); // over a redirect
        const post = await fetch("/files/a.txt", { method: "POST", body: "abc" });
        assertEquals(post.status, 413);
        await post.body?.cancel();
        const gone = await fetch("/files/a.txt", { method: "DELETE" });
        assertEquals([gone.status, gone.headers.get("allow")], [405, "GET, HEAD"]);
        await gone.body?.cancel();
        const client = await connect();
        // As routes see it, this is not below what guards /files/inner/.
        assertEquals((await client.request("GET /files//inner/index.html")).status, 404);
        assertEquals((await client.request("GET /files/..%2fa.txt")).status, 404);
      });
      await manager.close();
    }));

  test(`a download ends when its client leaves, ${kind}`, () =>
    withFolder(async (folder) => {
      folder.fill("big", BIG);
      const errors: unknown[] = [];
      const manager = new DownloadManager({
        root: folder.path,
        onError: (error) => errors.push((error as { code?: string }).code),
      });
      const app = new Hono().use(downloads(manager, { prefix: "/" }));
      await behind(kind, app, async ({ connect }) => {
        const client = await connect();
        await client.send("GET /big");
        await client.answerHead();
        await client.take(100_000);
        const [download] = manager.downloads();
        assertEquals([download!.client, download!.request.target], ["127.0.0.1", "/big"]);
        client.socket.abort();
        await eventually(() => manager.stats().active === 0, () => "it has ended");
        assertEquals(errors, ["SOCKET_RESET"]);
        assert(manager.stats().bytes < BIG);
      });
      await manager.close();
    }));

  test(`a slow client holds back its own download, and no memory, ${kind}`, () =>
    withFolder(async (folder) => {
      const bytes = folder.fill("big", BIG);
      const manager = new DownloadManager({ root: folder.path });
      const app = new Hono().use(downloads(manager, { prefix: "/" }));
      await behind(kind, app, async ({ connect, fetch }) => {
        const slow = await connect();
        await slow.send("GET /big", { Connection: "close" });
        const { fields } = await slow.answerHead();
        let before = -1;
        while (manager.stats().bytes !== before) { // until nobody takes any more
          before = manager.stats().bytes;
          await sleep(100);
        }
        assert(before < BIG, `${before} bytes were taken`);
        const quick = await fetch("/big");
        assertEquals(sha256(await quick.bytes()), sha256(bytes));
        // Bun.serve knows no length of a stream, and cuts it into chunks.
        if (fields.has("content-length")) {
          assertEquals(sha256(await slow.take(BIG)), sha256(bytes));
        } else assertEquals([runtime, kind], ["bun", "own"]);
      });
      await manager.close();
    }));

  test(`sendDownload() hands over to another process what can travel, ${kind}`, {
    sanitize: false, // A child of node:child_process outlives its test by a turn.
  }, () =>
    withFolder(async (folder) => {
      const bytes = folder.fill("a", 300_000);
      const clients: string[] = [];
      const manager = new DownloadManager({
        root: folder.path,
        placement: "process",
        observer: { ended: ({ client }) => clients.push(client) },
      });
      await manager.check();
      const app = new Hono().use(downloads(manager))
        .get("/a", (c) => sendDownload(c, "a", { client: "somebody" }));
      await behind(kind, app, async ({ fetch }) => {
        const answer = await fetch("/a", { headers: { range: "bytes=1-" } });
        assertEquals([answer.status, sha256(await answer.bytes())], [
          206,
          sha256(bytes.subarray(1)),
        ]);
        await eventually(() => clients.length === 1, () => "it has ended");
        assertEquals(clients, ["somebody"]);
      });
      await manager.close();
    }));
}
