// Fifty servers that lie, each in its own way: a clear error or the right file, never a wrong one.
import { assert, assertEquals } from "@std/assert";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { parallelGet, type ParallelGetOptions } from "../../mod.ts";
import { test } from "../harness.ts";
import { Folder } from "../download/tools.ts";
import { bytesOf, concat, pattern, sha256 } from "../transport/tools.ts";
import {
  type Asked,
  headOf,
  partialHead,
  sendFile,
  sendPart,
  sendText,
  sendWhole,
  withServer,
} from "./tools.ts";

const BYTES = pattern(10_000);
const OTHER = pattern(10_000, 9);
const SIZE = BYTES.byteLength;
const OPTIONS: ParallelGetOptions = {
  sockets: 3,
  unitBytes: 1024,
  stallTimeoutMs: 150,
  backoffMs: 1,
  retries: 2,
};

type Fields = Record<string, string | number | undefined>;
type Answer = (asked: Asked) => Promise<unknown> | unknown;

/** A good first answer, and then this one. */
const later = (other: Answer): Answer => (asked) =>
  asked.count < 3 ? sendPart(asked, BYTES) : other(asked);
/** A part, with other fields than it should have. */
const wrong = (fields: (asked: Asked) => Fields): Answer => (asked) =>
  sendPart(asked, BYTES, fields(asked));
/** Head and body of any kind. */
const raw = (text: string): Answer => ({ socket }) => sendText(socket, text);
/** The same, and the connection ends. */
const rawEnd = (text: string): Answer => async ({ socket }) => {
  await sendText(socket, text);
  await socket.close();
};
const chunked = (body: string): Answer =>
  raw(headOf(200, { "Transfer-Encoding": "chunked" }) + body);
const range = (first: number, last: number, size: number | string = SIZE) =>
  `bytes ${first}-${last}/${size}`;
const sendBody = async (asked: Asked, fields: Fields, body: Uint8Array) => {
  await asked.socket.write(concat([bytesOf(partialHead(asked, SIZE, fields)), body]));
};
const bodyOf = ({ start, end }: Asked) => BYTES.subarray(start, end);

const BAD = "HTTP_BAD_RESPONSE";
const FAILED = "TRANSFER_FAILED";
const STATUS = "HTTP_STATUS";
const RIGHT = "the right file";
// What comes behind an answer is seen before the next request, or taken for its answer.
const RIGHT_OR_STATUS = `${RIGHT} or ${STATUS}`;

/** What each server does, and what comes of it. */
const SERVERS: readonly [string, Answer, string][] = [
  // Content-Range
  ["a part that begins one byte later", wrong(() => ({ "Content-Range": range(1, 1024) })), BAD],
  [
    "a part that begins one byte earlier",
    later(wrong(({ start, end }) => ({
      "Content-Range": range(start - 1, end - 2),
    }))),
    BAD,
  ],
  ["a part that is one byte longer", (asked) =>
    sendBody(asked, {
      "Content-Range": range(asked.start, asked.end),
      "Content-Length": asked.end - asked.start + 1,
    }, BYTES.subarray(asked.start, asked.end + 1)), BAD],
  ["a part shorter than its range says", wrong(() => ({ "Content-Range": range(0, 1022) })), BAD],
  [
    "a range of a smaller file",
    later(wrong(({ start, end }) => ({
      "Content-Range": range(start, Math.min(end, SIZE) - 1, SIZE - 1),
    }))),
    FAILED,
  ],
  [
    "a range of a larger file",
    later(wrong(({ start, end }) => ({
      "Content-Range": range(start, Math.min(end, SIZE) - 1, SIZE + 1),
    }))),
    FAILED,
  ],
  [
    "a range behind the end of the file",
    wrong(() => ({ "Content-Range": range(0, 1023, 1000) })),
    BAD,
  ],
  ["a range that ends before it begins", wrong(() => ({ "Content-Range": range(1023, 0) })), BAD],
  ["a range in another unit", wrong(() => ({ "Content-Range": "lines 0-1023/10000" })), BAD],
  [
    "a range beyond all numbers",
    wrong(() => ({ "Content-Range": `bytes 0-1023/${"9".repeat(20)}` })),
    BAD,
  ],
  ["a negative range", wrong(() => ({ "Content-Range": "bytes -1-1023/10000" })), BAD],
  ["no range at all", wrong(() => ({ "Content-Range": undefined })), BAD],
  ["an unsatisfied range with 206", wrong(() => ({ "Content-Range": "bytes */10000" })), BAD],
  [
    "the same part again and again",
    later((asked) => sendPart({ ...asked, start: 0, end: 1024 }, BYTES)),
    BAD,
  ],
  [
    "the part behind the one that was asked for",
    later((asked) =>
      sendPart({ ...asked, start: asked.start + 1024, end: asked.end + 1024 }, BYTES)
    ),
    BAD,
  ],
  [
    "the size of the file unknown from the second part on",
    later(wrong(({ start, end }) => ({
      "Content-Range": range(start, Math.min(end, SIZE) - 1, "*"),
    }))),
    BAD,
  ],
  // Lengths
  ["a length that is not that of the range", wrong(() => ({ "Content-Length": 1000 })), BAD],
  ["a length longer than the range", wrong(() => ({ "Content-Length": 2000 })), BAD],
  [
    "two lengths",
    raw(`${headOf(206, { "Content-Length": 1 }).trimEnd()}\r\nContent-Length: 2\r\n\r\n`),
    BAD,
  ],
  ["a length and chunks", wrong(() => ({ "Transfer-Encoding": "chunked" })), BAD],
  ["a length that is no number", wrong(() => ({ "Content-Length": "1e3" })), BAD],
  ["a body that ends early, always", async (asked) => {
    await sendBody(asked, {}, bodyOf(asked).subarray(0, 10));
    await asked.socket.close();
  }, FAILED],
  ["a body that ends early and a reset, always", async (asked) => {
    await sendBody(asked, {}, bodyOf(asked).subarray(0, 10));
    asked.socket.abort();
  }, FAILED],
  [
    "a body that stops, always",
    (asked) => sendBody(asked, {}, bodyOf(asked).subarray(0, 10)),
    FAILED,
  ],
  [
    "more bytes than announced",
    (asked) => sendBody(asked, {}, concat([bodyOf(asked), bytesOf("x".repeat(5000))])),
    RIGHT,
  ],
  [
    "a whole forged answer behind the body",
    (asked) =>
      sendBody(asked, {}, concat([bodyOf(asked), bytesOf(headOf(404, { "Content-Length": 0 }))])),
    RIGHT_OR_STATUS,
  ],
  [
    "a chunked part with more than its range",
    (asked) =>
      sendBody(
        asked,
        { "Content-Length": undefined, "Transfer-Encoding": "chunked" },
        concat([
          bytesOf("401\r\n"),
          BYTES.subarray(asked.start, asked.start + 1025),
          bytesOf("\r\n0\r\n\r\n"),
        ]),
      ),
    BAD,
  ],
  [
    "a chunked part with less than its range",
    (asked) =>
      sendBody(
        asked,
        { "Content-Length": undefined, "Transfer-Encoding": "chunked" },
        concat([
          bytesOf("a\r\n"),
          BYTES.subarray(asked.start, asked.start + 10),
          bytesOf("\r\n0\r\n\r\n"),
        ]),
      ),
    BAD,
  ],
  // Chunks
  ["a chunk size that is no number", chunked("xyz\r\nabc\r\n0\r\n\r\n"), BAD],
  ["a negative chunk size", chunked("-5\r\nabcde\r\n0\r\n\r\n"), BAD],
  ["a chunk size beyond all numbers", chunked(`${"f".repeat(17)}\r\nabc`), BAD],
  ["a chunk that is longer than its size", chunked("3\r\nabcde\r\n0\r\n\r\n"), BAD],
  ["endless chunk extensions", async ({ socket }) => {
    await sendText(socket, headOf(200, { "Transfer-Encoding": "chunked" }));
    for (;;) await sendText(socket, `1;${"x".repeat(1000)}`);
  }, BAD],
  ["endless trailers", async ({ socket }) => {
    await sendText(socket, `${headOf(200, { "Transfer-Encoding": "chunked" })}0\r\n`);
    for (;;) await sendText(socket, `X: ${"x".repeat(1000)}\r\n`);
  }, BAD],
  [
    "chunks without an end, and the connection ends",
    rawEnd(
      `${headOf(200, { "Transfer-Encoding": "chunked" })}5\r\nhello\r\n`,
    ),
    FAILED,
  ],
  ["an unknown transfer coding", raw(headOf(200, { "Transfer-Encoding": "gzip, chunked" })), BAD],
  // Codings and kinds
  ["a compressed file", wrong(() => ({ "Content-Encoding": "gzip" })), BAD],
  ["a compressed part, later", later(wrong(() => ({ "Content-Encoding": "br" }))), BAD],
  [
    "a compressed whole file",
    (asked) => sendWhole(asked, BYTES, { "Content-Encoding": "zstd" }),
    BAD,
  ],
  [
    "several parts in one body",
    wrong(() => ({
      "Content-Range": undefined,
      "Content-Type": "multipart/byteranges; boundary=x",
    })),
    BAD,
  ],
  [
    "a part where the whole was asked for",
    (asked) => sendPart({ ...asked, end: Math.min(asked.end, 1024) }, BYTES, { ETag: undefined }),
    BAD,
  ],
  // Changes
  [
    "another file, all of it, although If-Range was sent",
    later((asked) => sendWhole(asked, OTHER, { ETag: '"two"' })),
    FAILED,
  ],
  [
    "another file's part with its own ETag",
    later((asked) => sendPart(asked, OTHER, { ETag: '"two"' })),
    FAILED,
  ],
  [
    "another file's part without an ETag",
    later((asked) => sendPart(asked, OTHER, { ETag: undefined })),
    BAD,
  ],
  ["an ETag that grows weak", later(wrong(() => ({ ETag: 'W/"one"' }))), FAILED],
  [
    "a new ETag with every answer",
    (asked) => sendPart(asked, BYTES, { ETag: `"${asked.count}"` }),
    FAILED,
  ],
  [
    "a file that became shorter",
    later((asked) => sendFile(asked, BYTES.subarray(0, 2000))),
    FAILED,
  ],
  ["no such range any more", later(raw(headOf(416, { "Content-Length": 0 }))), FAILED],
  [
    "a digest that is another file's",
    wrong(() => ({
      "Repr-Digest": `sha-256=:${btoa("x".repeat(32))}:`,
    })),
    FAILED,
  ],
  [
    "a digest of each part that is another one's",
    wrong(() => ({
      "Content-Digest": `sha-256=:${btoa("x".repeat(32))}:`,
    })),
    FAILED,
  ],
  ["a digest that is none", wrong(() => ({ "Repr-Digest": "sha-256=nonsense" })), RIGHT],
  // Heads
  ["no head at all", rawEnd(""), FAILED],
  ["half a head", rawEnd("HTTP/1.1 206 Partial"), FAILED],
  ["an endless head", async ({ socket }) => {
    await sendText(socket, "HTTP/1.1 206 OK\r\n");
    for (let at = 0;; at++) await sendText(socket, `X-${at}: ${"x".repeat(100)}\r\n`);
  }, BAD],
  ["an endless line", raw(`HTTP/1.1 206 OK\r\nX: ${"x".repeat(100_000)}`), BAD],
  ["a head drop by drop", async ({ socket }) => {
    await sendText(socket, "HTTP/1.1 206 OK\r\nX: ");
    for (;;) {
      await sendText(socket, "x");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, FAILED],
  ["HTTP/2", raw("HTTP/2 200 OK\r\n\r\n"), BAD],
  ["another protocol", raw("220 mail.example ESMTP\r\n\r\n"), BAD],
  ["a change of the protocol", raw(headOf(101, { Upgrade: "x" })), BAD],
  ["endless interim answers", async ({ socket }) => {
    for (;;) await sendText(socket, "HTTP/1.1 102 Processing\r\n\r\n".repeat(50));
  }, BAD],
  ["a bad field name", raw(headOf(206, { "bad name": "x" })), BAD],
  ["a folded field", raw("HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n"), BAD],
  ["a bare line feed", raw("HTTP/1.1 200 OK\nContent-Length: 1\n\nx"), BAD],
  // Statuses
  ["404", raw(headOf(404, { "Content-Length": 0 })), STATUS],
  ["404, later", later(raw(headOf(404, { "Content-Length": 0 }))), STATUS],
  ["403 with a compressed body", raw(headOf(403, { "Content-Encoding": "gzip" })), STATUS],
  ["503 for ever", raw(headOf(503, { "Content-Length": 0 })), STATUS],
  ["503 for ever, later", later(raw(headOf(503, { "Content-Length": 0 }))), STATUS],
  ["204", raw(headOf(204)), STATUS],
  ["304", raw(headOf(304)), STATUS],
  ["302 without Location", raw(headOf(302, { "Content-Length": 0 })), BAD],
  ["a redirect, later", later(raw(headOf(302, { Location: "/x", "Content-Length": 0 }))), STATUS],
  ["redirects in a circle", raw(headOf(302, { Location: "/file.bin", "Content-Length": 0 })), BAD],
  ["a redirect to a file of the host", raw(headOf(302, { Location: "file:///etc/passwd" })), BAD],
];

for (const kind of ["file", "memory"] as const) {
  test(`parallelGet() into ${kind} gets the right file or a clear error from servers that lie`, {
    timeoutMs: 120_000,
  }, async () => {
    assert(SERVERS.length >= 50, `${SERVERS.length} servers`);
    const folder = new Folder();
    try {
      for (const [name, answer, expected] of SERVERS) {
        const to = folder.at("copy.bin");
        let outcome = "";
        await withServer(answer, async ({ url }) => {
          try {
            const options = kind === "file" ? { ...OPTIONS, to } : OPTIONS;
            const { data } = await parallelGet(url, options);
            const bytes = data ?? readFileSync(to);
            outcome = sha256(bytes) === sha256(BYTES) ? RIGHT : "a wrong file";
            rmSync(to, { force: true });
          } catch (error) {
            const { code, message } = error as { code?: string; message: string };
            outcome = code ?? message;
            assert(/^Cannot [^\n]{10,300}$/.test(message), `${name}: ${message}`);
            if (kind === "file") assertEquals(readdirSync(folder.path), [], name);
          }
        });
        assert(expected.split(" or ").includes(outcome), `${name}: ${outcome}, not ${expected}`);
      }
    } finally {
      folder.remove();
    }
  });
}
