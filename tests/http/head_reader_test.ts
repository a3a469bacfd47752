import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ByteSource, findHeadEnd, HeadReader } from "../../src/core.ts";
import { test } from "../harness.ts";
import { rejection, textOf } from "../transport/tools.ts";
import { head, latin1, source } from "./tools.ts";

/** Every head up to the end of the stream. */
async function heads(reader: HeadReader): Promise<string[]> {
  const all: string[] = [];
  for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
    all.push(textOf(next));
  }
  return all;
}

const ONE = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
const TWO = "GET /2 HTTP/1.1\r\n\r\n";

test("HeadReader.next() cuts pipelined heads, split at every byte (RFC 9112, 9.3.2)", async () => {
  const all = ONE + TWO + ONE;
  for (let at = 0; at <= all.length; at++) {
    const reader = new HeadReader(source(all.slice(0, at), all.slice(at)), "HTTP_BAD_REQUEST");
    assertEquals(await heads(reader), [ONE, TWO, ONE], `split at ${at}`);
  }
});

test("HeadReader.next() takes heads that come byte by byte", async () => {
  const reader = new HeadReader(source(...(ONE + TWO)), "HTTP_BAD_REQUEST");
  assertEquals(await heads(reader), [ONE, TWO]);
});

test("HeadReader.next() gives heads that later reads do not change", async () => {
  const reader = new HeadReader(source(...Array<string>(200).fill(ONE)), "HTTP_BAD_REQUEST");
  const first = await reader.next();
  await heads(reader);
  assertEquals(textOf(first!), ONE);
});

test("HeadReader.next() begins with what was read before, split at every byte", async () => {
  const all = ONE + TWO;
  for (let at = 0; at <= all.length; at++) {
    const first = latin1(all.slice(0, at));
    const rest = source(all.slice(at));
    const reader = new HeadReader(rest, "HTTP_BAD_REQUEST", undefined, first);
    assertEquals(await heads(reader), [ONE, TWO], `split at ${at}`);
  }
});

test("HeadReader keeps what follows a head for whoever comes next", async () => {
  const reader = new HeadReader(source(`${ONE}body`, "more"), "HTTP_BAD_REQUEST");
  await reader.next();
  assertEquals(textOf(reader.unread), "body");
  const part = new Uint8Array(3);
  assertEquals(reader.take(part), 3);
  assertEquals(textOf(part), "bod");
  assertEquals(reader.take(new Uint8Array(8)), 1);
  assertEquals(reader.take(part), 0);
  assertEquals(reader.unread.byteLength, 0);
});

test("HeadReader.next() is undefined when the stream ends between heads", async () => {
  const reader = new HeadReader(source(ONE), "HTTP_BAD_REQUEST");
  assertEquals(await heads(reader), [ONE]);
  assertEquals(await reader.next(), undefined);
});

test("HeadReader.next() rejects when the head is broken off, after every byte (RFC 9112, 8)", async () => {
  for (const code of ["HTTP_BAD_REQUEST", "HTTP_BAD_RESPONSE"] as const) {
    for (let at = 1; at < ONE.length; at++) {
      const error = await rejection(new HeadReader(source(ONE.slice(0, at)), code).next());
      assertEquals(error.code, code);
      assertStringIncludes(error.message, "connection ended within the head");
    }
  }
});

test("HeadReader.next() takes a head of exactly the limit and no longer one", async () => {
  for (const limit of [ONE.length, 1500, 20_000]) {
    const fill = "x".repeat(limit - head("GET / HTTP/1.1", "X: ").byteLength);
    const exact = textOf(head("GET / HTTP/1.1", `X: ${fill}`));
    assertEquals(exact.length, limit);
    for (const pieces of [[exact + TWO], [...exact, TWO]]) {
      const reader = new HeadReader(source(...pieces), "HTTP_BAD_REQUEST", limit);
      assertEquals(await reader.next().then((next) => textOf(next!)), exact);
    }
    const longer = textOf(head("GET / HTTP/1.1", `X: ${fill}x`));
    const reader = new HeadReader(source(longer), "HTTP_BAD_REQUEST", limit);
    const error = await rejection(reader.next());
    assertEquals(error.code, "HTTP_BAD_REQUEST");
    assertStringIncludes(error.message, `longer than ${limit} bytes`);
  }
});

test("HeadReader.next() reads no more than the limit of a head that never ends", async () => {
  let read = 0;
  const endless: ByteSource = {
    read(into) {
      read += into.byteLength;
      return Promise.resolve(into.fill(120).byteLength);
    },
  };
  await rejection(new HeadReader(endless, "HTTP_BAD_REQUEST", 5000).next());
  assertEquals(read <= 5000, true, `read ${read} bytes`);
});

test("HeadReader.next() limits each head alone, not all of them together", async () => {
  const reader = new HeadReader(source(ONE.repeat(500)), "HTTP_BAD_REQUEST", ONE.length);
  assertEquals((await heads(reader)).length, 500);
});

test("HeadReader.next() ignores one empty line before a request (RFC 9112, 2.2)", async () => {
  const all = `\r\n${ONE}\r\n${TWO}\r\n`;
  for (let at = 0; at <= all.length; at++) {
    const reader = new HeadReader(source(all.slice(0, at), all.slice(at)), "HTTP_BAD_REQUEST");
    assertEquals(await heads(reader), [ONE, TWO], `split at ${at}`);
  }
  const response = new HeadReader(source("\r\nHTTP/1.1 200 OK\r\n\r\n"), "HTTP_BAD_RESPONSE");
  assertEquals(textOf((await response.next())!).startsWith("\r\n"), true);
});

test("HeadReader.next() says which limit was passed (RFC 9112, 3; RFC 6585, 5)", async () => {
  const cases: [string, number][] = [
    ["A".repeat(200), 501],
    [`GET /${"a".repeat(200)}`, 414],
    [`GET / HTTP/1.1\r\nX: ${"a".repeat(200)}`, 431],
  ];
  for (const [text, status] of cases) {
    const error = await rejection(new HeadReader(source(text), "HTTP_BAD_REQUEST", 100).next());
    assertEquals((error as { status?: number }).status, status, text);
  }
  const other = await rejection(
    new HeadReader(source("A".repeat(200)), "HTTP_BAD_RESPONSE", 100).next(),
  );
  assertEquals((other as { status?: number }).status, undefined);
});

test("HeadReader.next() refuses at once what cannot become a request (RFC 9112, 2.2)", async () => {
  // The client waits for the answer and sends no more.
  for (
    const text of [
      "\x16\x03\x01",
      "\n",
      " GET",
      "\r\n\r\n",
      "\r\n ",
      "\rG",
      "GET / HTTP/1.1\n",
      "GET / HTTP/1.1\r\nHost: a\n",
      "GET / HTTP/1.1\nHost: a\n\n",
    ]
  ) {
    for (const pieces of [[text], [...text]]) {
      const waiting: ByteSource = { read: () => Promise.reject(new Error("waited for more")) };
      const first = source(...pieces);
      const both: ByteSource = {
        read: async (into) => await first.read(into) ?? await waiting.read(into),
      };
      const error = await rejection(new HeadReader(both, "HTTP_BAD_REQUEST").next());
      assertEquals(error.code, "HTTP_BAD_REQUEST", JSON.stringify(text));
    }
  }
});

test("HeadReader.next() refuses a response with a bare line feed (RFC 9112, 2.2)", async () => {
  const reader = new HeadReader(source("HTTP/1.1 200 OK\nX: 1\r\n\r\n"), "HTTP_BAD_RESPONSE");
  const error = await rejection(reader.next());
  assertEquals(error.code, "HTTP_BAD_RESPONSE");
  assertStringIncludes(error.message, "bare line feed");
});

test("HeadReader.next() leaves bare line feeds behind the head alone", async () => {
  const reader = new HeadReader(source(`${ONE}a\nb`), "HTTP_BAD_REQUEST");
  assertEquals(textOf((await reader.next())!), ONE);
  assertEquals(textOf(reader.unread), "a\nb");
});

test("HeadReader.next() rejects with what the source fails with", async () => {
  const failure = new Error("reset");
  const broken: ByteSource = { read: () => Promise.reject(failure) };
  assertEquals(await rejection(new HeadReader(broken, "HTTP_BAD_REQUEST").next()), failure);
});

test("findHeadEnd() finds the empty line and nothing like it (RFC 9112, 2.1)", () => {
  const cases: [string, number | undefined][] = [
    ["", undefined],
    ["\r\n\r\n", 4],
    ["a\r\n\r\nb", 5],
    ["a\r\n\r\n\r\n\r\n", 5],
    ["a\n\nb", undefined],
    ["a\r\rb", undefined],
    ["a\r\n\n", undefined],
    ["a\n\r\n", undefined],
    ["a\r\n\r", undefined],
  ];
  for (const [text, expected] of cases) {
    assertEquals(findHeadEnd(latin1(text)), expected, JSON.stringify(text));
    for (let from = 0; from < (expected ?? text.length); from++) {
      assertEquals(findHeadEnd(latin1(text), from), expected, `${JSON.stringify(text)} ${from}`);
    }
  }
});
