import { assertEquals, assertThrows } from "@std/assert";
import { isJackfieldError, parseContentRange, parseResponseHead } from "../../src/core.ts";
import { test } from "../harness.ts";
import { head } from "./tools.ts";

const read = (...lines: readonly string[]) => parseResponseHead(head(...lines));

test("parseResponseHead() reads status, fields and length (RFC 9112, 4)", () => {
  const response = read("HTTP/1.1 206 Partial Content", "Content-Length: 10", 'ETag: "a"');
  assertEquals(response.status, 206);
  assertEquals(response.contentLength, 10);
  assertEquals(response.transferCoded, false);
  assertEquals(response.keepAlive, true);
  assertEquals(response.fields.get("etag"), '"a"');
});

test("parseResponseHead() does without a reason phrase (RFC 9112, 4)", () => {
  for (const line of ["HTTP/1.1 204 ", "HTTP/1.1 204", "HTTP/1.0 204 No  Content \xe4"]) {
    assertEquals(read(line).status, 204, line);
  }
});

test("parseResponseHead() says how the body ends (RFC 9112, 6.3)", () => {
  assertEquals(read("HTTP/1.1 200 OK").contentLength, undefined);
  assertEquals(read("HTTP/1.1 200 OK", "Content-Length: 0").contentLength, 0);
  const coded = read("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");
  assertEquals([coded.transferCoded, coded.contentLength, coded.keepAlive], [
    true,
    undefined,
    true,
  ]);
});

test("parseResponseHead() says whether the connection goes on (RFC 9112, 9.3)", () => {
  assertEquals(read("HTTP/1.1 200 OK", "Connection: close").keepAlive, false);
  assertEquals(read("HTTP/1.0 200 OK").keepAlive, false);
  assertEquals(read("HTTP/1.0 200 OK", "Connection: keep-alive").keepAlive, true);
  // Faulty framing (RFC 9112, 6.1): nobody knows where the next answer begins.
  const fields = ["Connection: keep-alive", "Transfer-Encoding: chunked"];
  assertEquals(read("HTTP/1.0 200 OK", ...fields).keepAlive, false);
});

function refuses(name: string, ...heads: readonly (readonly string[])[]): void {
  test(`parseResponseHead() refuses ${name}`, () => {
    for (const lines of heads) {
      const error = assertThrows(() => read(...lines), Error, undefined, lines.join(" | "));
      assertEquals(isJackfieldError(error, "HTTP_BAD_RESPONSE"), true, `${lines}: ${error}`);
    }
  });
}

const OK = "HTTP/1.1 200 OK";
refuses(
  "broken status lines (RFC 9112, 4)",
  ...[
    "",
    "HTTP/1.1",
    "HTTP/1.1 20",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 099 Low",
    "HTTP/1.1 2x0 OK",
    "HTTP/1.1  200 OK",
    "HTTP/2.0 200 OK",
    "http/1.1 200 OK",
    "ICY 200 OK",
    "HTTP/1.1 200 O\0K",
  ].map((line) => [line]),
);
refuses(
  "lengths that two readers could understand in two ways (RFC 9112, 6.3)",
  [OK, "Content-Length: 5", "Content-Length: 5"],
  [OK, "Content-Length: 5", "Transfer-Encoding: chunked"],
  ...["", "-1", "+5", "5, 5", "0x5", "1e3", "1".repeat(16)].map((text) => [
    OK,
    `Content-Length: ${text}`,
  ]),
);
refuses(
  "folded lines, bare CR and LF, and spaces before a colon (RFC 9112, 5)",
  [OK, "X: 1", " 2"],
  [OK, "X: 1\rY: 2"],
  [OK, "X: 1\nY: 2"],
  [OK, "X : 1"],
);
refuses("more fields than 100 (RFC 6585, 5)", [OK, ...Array(101).fill("X: 1")]);
refuses(
  "two Content-Ranges (RFC 9110, 14.4)",
  [OK, "Content-Range: bytes 0-1/2", "Content-Range: bytes 0-1/2"],
);

test("parseContentRange() reads both ends and the size (RFC 9110, 14.4)", () => {
  assertEquals(parseContentRange("bytes 0-0/1"), { first: 0, last: 0, size: 1 });
  assertEquals(parseContentRange("Bytes 5-9/10"), { first: 5, last: 9, size: 10 });
  const last = 999_999_999_999_998;
  assertEquals(parseContentRange(`bytes 0-${last}/${last + 1}`), {
    first: 0,
    last,
    size: last + 1,
  });
});

test("parseContentRange() is undefined for anything else (RFC 9110, 14.4)", () => {
  const cases = [
    undefined,
    "",
    "bytes */10",
    "bytes 0-4/*",
    "bytes 5-4/10",
    "bytes 5-10/10",
    "bytes=0-4/10",
    "bytes 0-4",
    "bytes -4/10",
    "bytes 0 - 4/10",
    "bytes 0-4/10, 5-6/10",
    "lines 0-4/10",
    `bytes 0-4/${"9".repeat(16)}`,
  ];
  for (const text of cases) assertEquals(parseContentRange(text), undefined, text);
});
