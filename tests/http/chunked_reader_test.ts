import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ChunkedReader } from "../../src/http/mod.ts";
import { JackfieldError } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { bytesOf, concat, textOf } from "../transport/tools.ts";

/** A source that brings text in pieces of so many bytes. */
function sourceOf(text: string | Uint8Array, pieceBytes = 7): {
  read(into: Uint8Array): Promise<number | null>;
} {
  const bytes = typeof text === "string" ? bytesOf(text) : text;
  let at = 0;
  return {
    read(into) {
      if (at === bytes.byteLength) return Promise.resolve(null);
      const piece = bytes.subarray(at, at + Math.min(pieceBytes, into.byteLength));
      into.set(piece);
      at += piece.byteLength;
      return Promise.resolve(piece.byteLength);
    },
  };
}

async function contentOf(reader: ChunkedReader, bufferBytes = 5): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(bufferBytes);
  for (let count = await reader.read(buffer); count !== null; count = await reader.read(buffer)) {
    parts.push(buffer.slice(0, count));
  }
  return concat(parts);
}

test("ChunkedReader reads chunks, extensions, trailers and what is behind", async () => {
  const text =
    "5\r\nhello\r\n00A ; a=b\r\n, my world\r\n1;x\r\n!\r\n000\r\nX: y\r\nZ: \r\n\r\nHTTP/1.1";
  for (const pieceBytes of [1, 2, 3, 10, 100]) {
    const reader = new ChunkedReader(sourceOf(text, pieceBytes));
    assertEquals(reader.isDone, false);
    assertEquals(textOf(await contentOf(reader)), "hello, my world!");
    assertEquals(reader.isDone, true);
    assert("HTTP/1.1".startsWith(textOf(reader.unread)));
    assertEquals(await reader.read(new Uint8Array(1)), null);
  }
});

test("ChunkedReader reads any content in any chunks, however it arrives", async () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 10 });
  const sizes = fc.record({
    piece: fc.integer({ min: 1, max: 5000 }),
    buffer: fc.integer({ min: 1, max: 4000 }),
  });
  await fc.assert(
    fc.asyncProperty(chunks, sizes, async (chunks, { piece, buffer }) => {
      const coded = concat([
        ...chunks.flatMap((chunk) => [
          bytesOf(`${chunk.byteLength.toString(16).toUpperCase()}\r\n`),
          chunk,
          bytesOf("\r\n"),
        ]),
        bytesOf("0\r\n\r\n"),
      ]);
      const reader = new ChunkedReader(sourceOf(coded, piece));
      assertEquals(await contentOf(reader, buffer), concat(chunks));
      assertEquals(reader.unread.byteLength, 0);
    }),
    { numRuns: 200 },
  );
});

test("ChunkedReader refuses what is not well-formed", async () => {
  const cases = [
    "", // no size at all
    "\r\n",
    "5",
    "5\r\nhel",
    "5\r\nhello",
    "5\r\nhello\r\n",
    "5\r\nhello\r\n0\r\n",
    "5\r\nhello\r\n0\r\nX: y\r\n",
    "5\nhello\n0\n\n",
    "5\r\nhello0\r\n\r\n",
    "5\r\nhellox\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "5 5\r\nhello\r\n0\r\n\r\n",
    "5.0\r\nhello\r\n0\r\n\r\n",
    "5;\x01\r\nhello\r\n0\r\n\r\n",
    "5\rhello\r\n0\r\n\r\n",
    `${"1".repeat(14)}\r\nhello`,
    `5;${"x".repeat(300)}\r\nhello\r\n0\r\n\r\n`,
    `0\r\n${`X: ${"x".repeat(900)}\r\n`.repeat(10)}\r\n`,
  ];
  for (const text of cases) {
    const reader = new ChunkedReader(sourceOf(text));
    const error = await assertRejects(() => contentOf(reader), JackfieldError, "chunked coding");
    assertEquals(error.code, "HTTP_BAD_RESPONSE", JSON.stringify(text));
  }
});

test("ChunkedReader passes on what its source throws", async () => {
  const oops = new Error("oops");
  const reader = new ChunkedReader({ read: () => Promise.reject(oops) });
  await assertRejects(() => reader.read(new Uint8Array(5)), Error, "oops");
});
