// Starting and ending a server.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { VirtualClock } from "../../src/testing/mod.ts";
import { serveDownloads } from "../../mod.ts";
import { test } from "../harness.ts";
import { countDescriptors, descriptorsBack, eventually, rejection } from "../transport/tools.ts";
import { Client, expectStats, Folder, serving } from "./tools.ts";

const BIG = 24 * 2 ** 20;

test("DownloadServer.close() finishes what is being sent and what waits, and takes nothing new", () =>
  serving(async ({ folder, server, errors, connect }) => {
    const bytes = folder.fill("big", BIG);
    const first = await connect();
    await first.send("GET /big");
    await first.answerHead();
    const second = await connect();
    await second.send("GET /big");
    await expectStats(server, { queued: 1 });
    const closing = server.close();
    assertEquals(server.close(), closing);
    await assertRejects(() => Client.connect(server.address));
    assertEquals(await first.take(BIG), bytes);
    const { fields, body } = await second.answer();
    assertEquals([body, fields.get("connection")], [bytes, "close"]);
    await closing;
    assertEquals(await first.countUntilEnd(), 0);
    assertEquals(await second.countUntilEnd(), 0);
    assertEquals(errors, []);
    assertEquals(server.stats().connections, 0);
  }, { maxActive: 1 }));

test("DownloadServer.close() does not wait for idle or half-asked connections", () =>
  serving(async ({ folder, server, connect }) => {
    folder.write("a", "here");
    const idle = [await connect(), await connect(), await connect()];
    for (const client of idle) await client.request("GET /a");
    const half = await connect();
    await half.sendText("GET /a HT");
    const fresh = await connect();
    await expectStats(server, { connections: 5 });
    const start = performance.now();
    await server.close();
    assert(performance.now() - start < 2000);
    for (const client of [...idle, half, fresh]) assertEquals(await client.countUntilEnd(), 0);
    assertEquals(server.stats().connections, 0);
  }));

test("DownloadServer.close() aborts what is left after timeoutMs", async () => {
  const clock = new VirtualClock();
  await serving(async ({ folder, server, errors, connect }) => {
    folder.fill("big", BIG);
    const client = await connect();
    await client.send("GET /big");
    await client.answerHead(); // and reads no more
    let closed = false;
    const closing = server.close({ timeoutMs: 5000 }).then(() => closed = true);
    await eventually(() => clock.pending === 1, () => "the limit is set");
    await clock.advance(4999);
    assertEquals([closed, server.stats().active], [false, 1]);
    await clock.advance(1);
    await closing;
    assertEquals([server.stats().connections, errors], [0, ["DOWNLOAD_CLOSED"]]);
    assert(await client.countUntilEnd() < BIG);
  }, { clock, stallTimeoutMs: Infinity });
});

test("DownloadServer.abort() ends everything now", () =>
  serving(async ({ folder, server, connect }) => {
    folder.fill("big", BIG);
    const idle = await connect();
    await idle.request("HEAD /big");
    const slow = await connect();
    await slow.send("GET /big");
    await slow.answerHead();
    const waiting = await connect();
    await waiting.send("GET /big");
    await expectStats(server, { queued: 1 });
    server.abort(new Error("enough"));
    await server.close();
    assertEquals(server.stats().connections, 0);
    assert(await slow.countUntilEnd() < BIG);
    assertEquals(await idle.countUntilEnd(), 0);
    assertEquals(await waiting.countUntilEnd(), 0);
  }, { maxActive: 1 }));

test("DownloadServer.abort() cuts a close() that is under way short", () =>
  serving(async ({ folder, server, connect }) => {
    folder.fill("big", BIG);
    const slow = await connect();
    await slow.send("GET /big");
    await slow.answerHead();
    const closing = server.close();
    server.abort();
    await closing;
    assertEquals(server.stats().connections, 0);
  }));

test("serveDownloads() opens and closes without leaving a descriptor", async () => {
  const folder = new Folder();
  try {
    folder.write("a", "here");
    const round = async () => {
      const server = await serveDownloads({ root: folder.path });
      const client = await Client.connect(server.address);
      assertEquals((await client.request("GET /a")).status, 200);
      await server.close();
      await client.socket.close();
    };
    await round();
    const before = countDescriptors();
    for (let count = 0; count < 5; count++) await round();
    await descriptorsBack(before);
  } finally {
    folder.remove();
  }
});

test("serveDownloads() says clearly why it cannot start", async () => {
  const folder = new Folder();
  const root = folder.path;
  const server = await serveDownloads({ root });
  try {
    folder.write("file", "x");
    const missing = await rejection(serveDownloads({ root: folder.at("none") }));
    assertEquals(missing.code, "FILE_FAILED");
    assertEquals(missing.message.includes(folder.at("none")), true, missing.message);
    await assertRejects(() => serveDownloads({ root: folder.at("file") }), TypeError, "a folder");
    const taken = await rejection(serveDownloads({ root, port: server.address.port }));
    assertEquals([taken.code, (taken as { reason?: string }).reason], [
      "LISTEN_FAILED",
      "address-in-use",
    ]);
    const cases: [object, string][] = [
      [{ maxConnections: 0 }, 'maxConnections "0"'],
      [{ idleTimeoutMs: 0 }, 'idleTimeoutMs "0"'],
      [{ maxActive: 0 }, 'maxActive "0"'],
      [{ port: 70_000 }, "70000"],
    ];
    for (const [options, text] of cases) {
      await assertRejects(() => serveDownloads({ root, ...options }), RangeError, text);
    }
  } finally {
    await server.close();
    folder.remove();
  }
});

test("DownloadServer.url is where it can be reached", () =>
  serving(async ({ folder, server }) => {
    folder.write("a", "here");
    assertEquals(server.url, `http://127.0.0.1:${server.address.port}/`);
    const response = await fetch(`${server.url}a`, { headers: { connection: "close" } });
    assertEquals(await response.text(), "here");
  }));
