import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { truncateSync } from "node:fs";
import { MainSender } from "../../src/native/main_sender.ts";
import { PageCache } from "../../src/native/page_cache.ts";
import { KeptAnswers } from "../../src/native/short_answers.ts";
import { libcOrReason } from "../../src/native/supported.ts";
import type { Libc } from "../../src/native/libc.ts";
import { testShortAnswers } from "../download/engines/short_suite.ts";
import { systemTransport } from "../../mod.ts";
import { eventually } from "../transport/tools.ts";
import { Client, serving } from "../download/tools.ts";
import { test } from "../harness.ts";

const found = libcOrReason();
const libc = found as Libc;

testShortAnswers("KeptAnswers", {
  make: () => new KeptAnswers(libc, new PageCache(libc), () => Date.now() + 5000),
  parts: () => ({ sender: new MainSender(libc, new PageCache(libc)) }),
  asks: 1,
  skip: typeof found === "string" && found,
});

const skip = typeof found === "string" && found;

/** A server whose answers are sent by a C library that is changed in some calls. */
function servingWith(
  changes: Partial<Libc>,
  run: Parameters<typeof serving>[0],
  options: Parameters<typeof serving>[1] = {},
): Promise<void> {
  const own = { ...libc, ...changes };
  const cache = new PageCache(own);
  const short = new KeptAnswers(own, cache, () => Date.now() + 5000);
  const start = () => ({ short, close: () => short.close() });
  return serving(run, { ...options, engine: { name: "copy", start } });
}

test("KeptAnswers go on where the kernel stops, in the head or in the file", {
  skip,
  sanitize: false,
}, async () => {
  let headBytes = Infinity;
  let bodyBytes = Infinity;
  let calls = 0;
  const changes: Partial<Libc> = {
    send: (to, bytes, length, flags) => libc.send(to, bytes, Math.min(length, headBytes), flags),
    sendfile(to, from, offset, count) {
      calls++;
      return libc.sendfile(to, from, offset, Math.min(count, bodyBytes));
    },
  };
  await servingWith(changes, async ({ folder, connect }) => {
    const bytes = folder.fill("a", 50_000);
    const client = await connect();
    await client.request("GET /a");
    for (
      const [head, body] of [[Infinity, 0], [Infinity, 1], [Infinity, 49_999], [7, 0]] as const
    ) {
      [headBytes, bodyBytes] = [head, body];
      assertEquals((await client.request("GET /a")).body, bytes);
    }
    assertEquals(calls, 3);
  });
});

test("KeptAnswers answer on a socket of node:net as well", { skip, sanitize: false }, async () => {
  let reads = 0;
  const changes: Partial<Libc> = {
    preadv2(...call) {
      reads++;
      return libc.preadv2(...call);
    },
  };
  await servingWith(changes, async ({ folder, connect }) => {
    const bytes = folder.fill("a", 1000);
    const client = await connect();
    await client.request("GET /a");
    const before = reads;
    for (let count = 1; count <= 3; count++) {
      assertEquals((await client.request("GET /a")).body, bytes);
      assertEquals(reads - before, count);
    }
  }, { upgradable: true });
});

test("KeptAnswers end a connection whose file becomes shorter behind the head", {
  skip,
  sanitize: false,
}, async () => {
  let path = "";
  const changes: Partial<Libc> = {
    sendfile(to, from, offset, count) {
      truncateSync(path, 10_000);
      return libc.sendfile(to, from, offset, count);
    },
  };
  await servingWith(changes, async ({ folder, connect }) => {
    folder.fill("a", 50_000);
    path = folder.at("a");
    const client = await connect();
    await client.request("GET /a");
    const ended = await client.request("GET /a").then(({ body }) => body.byteLength, () => -1);
    assertEquals(ended < 50_000, true, `${ended} bytes`);
  });
});

test("KeptAnswers send up to 1 MiB where the socket takes it and nobody else is served", {
  skip,
  sanitize: false,
}, async () => {
  let files = 0;
  let most = Infinity;
  const changes: Partial<Libc> = {
    sendfile(to, from, offset, count) {
      files++;
      return libc.sendfile(to, from, offset, Math.min(count, most));
    },
  };
  await servingWith(changes, async ({ folder, connect, server }) => {
    const bytes = folder.fill("a", 2 ** 20);
    folder.fill("big", 24 * 2 ** 20);
    const client = await connect();
    const ask = async (): Promise<boolean> => {
      const before = files;
      const { body } = await client.request("GET /a");
      assertEquals(Buffer.compare(body, bytes), 0);
      return files > before;
    };
    assertEquals([await ask(), await ask()], [false, true]);
    most = 300_000; // The kernel has said that there is room, and takes less.
    assertEquals(await ask(), true);
    most = Infinity;
    // Nobody reads: the room ends, and what is too much for the kernel is not kept here.
    const request = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const late = await connect();
    let asked = 0;
    while (server.stats().active === 0) {
      const { finished } = server.stats();
      await late.sendText(request);
      asked++;
      await eventually(
        () => server.stats().finished > finished || server.stats().active > 0,
        () => "it is served",
      );
    }
    assertEquals(await ask(), true); // It is the same client.
    for (; asked > 0; asked--) {
      assertEquals(Buffer.compare((await late.answer()).body, bytes), 0);
    }
    const other = new Client(
      await systemTransport().connect(server.address, { localAddress: "127.0.0.9" }),
    );
    await other.send("GET /big");
    await other.answerHead();
    assertEquals([await ask(), await ask()], [false, false]);
    other.socket.abort();
    await eventually(() => server.stats().active === 0, () => "it is over");
    assertEquals(await ask(), true);
  });
});
