// What happens on one connection: requests one after the other, and how it ends.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { eventually, sleep, textOf } from "../transport/tools.ts";
import { expectStats, headOf, serving } from "./tools.ts";

test("serveDownloads() serves request after request on one connection (P8)", () =>
  serving(async ({ folder, server, connect }) => {
    const client = await connect();
    for (let round = 0; round < 20; round++) {
      const bytes = folder.fill("a.bin", 10_000 + round, round);
      const { status, body, fields } = await client.request("GET /a.bin");
      assertEquals([status, fields.get("connection"), body], [200, "keep-alive", bytes]);
      assertEquals(server.stats().connections, 1);
    }
    await expectStats(server, { finished: 20, active: 0, connections: 1 });
  }));

test("serveDownloads() answers pipelined requests in order", () =>
  serving(async ({ folder, connect }) => {
    const bytes = [50_000, 3, 120_000, 0].map((size, at) => folder.fill(`${at}`, size, at));
    const client = await connect();
    const heads = bytes.map((_, at) => headOf(`GET /${at}`)).join("");
    await client.sendText(`${heads}${headOf("GET /none")}${headOf("HEAD /0")}`);
    for (const expected of bytes) assertEquals((await client.answer()).body, expected);
    assertEquals((await client.answer()).status, 404);
    assertEquals((await client.answer({ head: true })).fields.get("content-length"), "50000");
  }));

test("serveDownloads() reads a head that comes byte by byte", () =>
  serving(async ({ folder, connect }) => {
    folder.write("a", "here");
    const client = await connect();
    for (const letter of headOf("GET /a")) await client.sendText(letter);
    assertEquals(textOf((await client.answer()).body), "here");
  }));

test("serveDownloads() closes after the answer when the client asks for it", () =>
  serving(async ({ folder, server, connect }) => {
    folder.write("a", "here");
    const client = await connect();
    const { fields, body } = await client.request("GET /a", { Connection: "close" });
    assertEquals([fields.get("connection"), textOf(body)], ["close", "here"]);
    assertEquals(await client.rest(), new Uint8Array(0));
    const old = await connect();
    await old.sendText("GET /a HTTP/1.0\r\n\r\n");
    assertEquals(textOf((await old.answer()).body), "here");
    assertEquals((await old.rest()).byteLength, 0);
    await expectStats(server, { connections: 0 });
  }));

test("serveDownloads() answers a request with a body 413, and the client can read it", () =>
  serving(async ({ folder, connect }) => {
    folder.write("a", "here");
    for (const size of [10, 5000, 300_000]) {
      const client = await connect();
      const head = headOf("POST /a", { "Content-Length": String(size) });
      // Closing with bytes of the body unread would send a reset after the answer, or before it.
      await client.sendText(head + "x".repeat(size));
      const { status, fields } = await client.answer();
      assertEquals([status, fields.get("connection")], [413, "close"]);
      assertEquals((await client.rest()).byteLength, 0);
    }
    const chunked = await connect();
    await chunked.send("GET /a", { "Transfer-Encoding": "chunked" });
    assertEquals((await chunked.answer()).status, 413);
  }));

test("serveDownloads() answers a malformed head 400 and closes", () =>
  serving(async ({ connect }) => {
    const cases: (string | [text: string, status: number])[] = [
      "nonsense\r\n\r\n",
      "GET /\r\n\r\n",
      ["GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
      "GET / HTTP/1.1\r\n\r\n", // no Host
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nbad name: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
      "GET file HTTP/1.1\r\nHost: a\r\n\r\n",
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431],
      [`GET / HTTP/1.1\r\n${"x".repeat(300_000)}`, 431], // far more than is ever read
      [`GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ];
    for (const each of cases) {
      const [text, expected] = typeof each === "string" ? [each, 400] : each;
      const client = await connect();
      await client.sendText(text).catch(() => {}); // The answer may come before the end.
      const { status, fields, body } = await client.answer();
      assertEquals([status, fields.get("connection")], [expected, "close"], text.slice(0, 60));
      assertStringIncludes(textOf(body), "Cannot read request", text.slice(0, 60));
      assertEquals((await client.rest()).byteLength, 0);
    }
  }));

test("serveDownloads() ends a connection whose head stops half-way", () =>
  serving(async ({ server, connect }) => {
    const client = await connect();
    await client.sendText("GET / HT");
    await client.socket.closeWrite();
    assertEquals((await client.answer()).status, 400);
    const silent = await connect();
    await silent.socket.closeWrite();
    assertEquals((await silent.rest()).byteLength, 0);
    await expectStats(server, { connections: 0 });
  }));

test("serveDownloads() ends idle connections after idleTimeoutMs", async () => {
  const clock = new VirtualClock();
  await serving(async ({ folder, server, connect }) => {
    folder.write("a", "here");
    const idle = await connect();
    const silent = await connect();
    assertEquals((await idle.request("GET /a")).status, 200);
    await expectStats(server, { connections: 2, finished: 1, active: 0 });
    await eventually(() => clock.pending === 1, () => "one timer for all");
    await clock.advance(999);
    assertEquals(server.stats().connections, 2);
    await clock.advance(1);
    assertEquals(await idle.countUntilEnd(), 0);
    assertEquals(await silent.countUntilEnd(), 0);
    await expectStats(server, { connections: 0 });
    await eventually(() => clock.pending === 0, () => "no timer");
  }, { clock, idleTimeoutMs: 1000 });
});

test("serveDownloads() answers 408 to a head that takes longer than headTimeoutMs", async () => {
  const clock = new VirtualClock();
  await serving(async ({ server, connect }) => {
    const slow = await connect();
    for (const letter of "GET /a HTTP") {
      await slow.sendText(letter);
      await sleep(2);
      await clock.advance(90); // A byte now and then does not help.
    }
    await clock.advance(90);
    const { status, fields } = await slow.answer();
    assertEquals([status, fields.get("connection")], [408, "close"]);
    assertEquals(await slow.countUntilEnd(), 0);
    await expectStats(server, { connections: 0 });
  }, { clock, headTimeoutMs: 1000, idleTimeoutMs: 60_000 });
});

test("serveDownloads() ends a connection with its last request", () =>
  serving(async ({ folder, connect }) => {
    folder.write("a", "here");
    const client = await connect();
    await client.sendText(headOf("GET /a").repeat(4));
    const answers = [await client.answer(), await client.answer(), await client.answer()];
    assertEquals(answers.map(({ fields }) => fields.get("connection")), [
      "keep-alive",
      "keep-alive",
      "close",
    ]);
    assertEquals((await client.rest()).byteLength, 0);
  }, { maxRequests: 3 }));

test("serveDownloads() does not count the time of a download as idle", async () => {
  const clock = new VirtualClock();
  await serving(async ({ folder, server, connect }) => {
    const bytes = folder.fill("big", 24 * 2 ** 20);
    const client = await connect();
    await client.send("GET /big");
    const { status } = await client.answerHead();
    await expectStats(server, { active: 1 });
    await clock.advance(10_000);
    assertEquals([status, await client.take(bytes.byteLength)], [200, bytes]);
  }, { clock, idleTimeoutMs: 1000 });
});

test("serveDownloads() holds at most maxConnections connections", () =>
  serving(async ({ folder, server, connect }) => {
    folder.write("a", "here");
    const first = await connect();
    const second = await connect();
    const third = await connect();
    assertEquals((await first.request("GET /a")).status, 200);
    assertEquals((await second.request("GET /a")).status, 200);
    await third.send("GET /a");
    const answered = third.answer();
    assertEquals((await first.request("GET /a")).status, 200); // time for the third to be served
    await expectStats(server, { active: 0, queued: 0, finished: 3, bytes: 12, connections: 2 });
    await second.socket.close();
    assertEquals((await answered).status, 200);
    await expectStats(server, { finished: 4, connections: 2 });
  }, { maxConnections: 2 }));
