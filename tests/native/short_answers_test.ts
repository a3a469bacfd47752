import { assertEquals } from "@std/assert";
import { truncateSync } from "node:fs";
import { MainSender } from "../../src/native/main_sender.ts";
import { PageCache } from "../../src/native/page_cache.ts";
import { KeptAnswers } from "../../src/native/short_answers.ts";
import { libcOrReason } from "../../src/native/supported.ts";
import type { Libc } from "../../src/native/libc.ts";
import { testShortAnswers } from "../download/engines/short_suite.ts";
import { serving } from "../download/tools.ts";
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
function servingWith(changes: Partial<Libc>, run: Parameters<typeof serving>[0]): Promise<void> {
  const own = { ...libc, ...changes };
  const cache = new PageCache(own);
  const short = new KeptAnswers(own, cache, () => Date.now() + 5000);
  const start = () => ({ short, close: () => short.close() });
  return serving(run, { engine: { name: "copy", start } });
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
