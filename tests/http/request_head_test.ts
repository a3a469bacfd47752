import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { isJackfieldError, parseRequestHead } from "../../src/core.ts";
import { test } from "../harness.ts";
import { startCpuTime } from "../support/cpu_time.ts";
import { head, latin1 } from "./tools.ts";

/** What is read of a request with these fields. */
const read = (...lines: readonly string[]) => parseRequestHead(head(...lines));
const GET = "GET / HTTP/1.1";
const HOST = "Host: a";

/** Heads that must not be understood at all. */
function refuses(name: string, ...heads: readonly (readonly string[])[]): void {
  test(`parseRequestHead() refuses ${name}`, () => {
    for (const lines of heads) {
      const error = assertThrows(() => read(...lines), Error, undefined, lines.join(" | "));
      assertInstanceOf(error, Error);
      assertEquals(isJackfieldError(error, "HTTP_BAD_REQUEST"), true, `${lines}: ${error}`);
      // deno-lint-ignore no-control-regex -- a message is one printable line
      assertEquals(/[\x00-\x1f]/.test(error.message), false, error.message);
    }
  });
}

test("parseRequestHead() reads method, target, version and fields (RFC 9112, 3)", () => {
  const request = read("GET /a%20b?x=1&y HTTP/1.1", "Host: a:80", "X-One:\t  1 \t", "x-Two:");
  assertEquals(request.method, "GET");
  assertEquals(request.target, "/a%20b?x=1&y");
  assertEquals(request.minorVersion, 1);
  assertEquals([...request.fields], [["host", "a:80"], ["x-one", "1"], ["x-two", ""]]);
  assertEquals([request.keepAlive, request.hasBody], [true, false]);
});

test("parseRequestHead() takes names in any letters, well-known ones and others (RFC 9110, 5.1)", () => {
  for (
    const name of ["If-Range", "USER-AGENT", "rANGE", "X-Whatever", "Hosts", "A", "^~", "Range^"]
  ) {
    const { fields } = read(GET, HOST, `${name}: 1`);
    assertEquals(fields.get(name.toLowerCase()), "1", name);
    assertEquals(fields.size, 2);
  }
});

test("parseRequestHead() joins fields that come twice by commas (RFC 9110, 5.3)", () => {
  const { fields } = read(GET, HOST, "Accept: a", "X: 1", "ACCEPT: b, c");
  assertEquals(fields.get("accept"), "a, b, c");
});

test("parseRequestHead() keeps bytes above ASCII one character each (RFC 9110, 5.5)", () => {
  const all = Array.from({ length: 128 }, (_, at) => String.fromCharCode(128 + at)).join("");
  assertEquals(read(GET, HOST, `X: ${all}`).fields.get("x"), all);
});

test("parseRequestHead() knows every character of a token (RFC 9110, 5.6.2)", () => {
  const token = "!#$%&'*+-.^_`|~09AZaz";
  const request = read(`${token} / HTTP/1.1`, HOST, `${token}: 1`);
  assertEquals(request.method, token);
  assertEquals(request.fields.get(token.toLowerCase()), "1");
});

test("parseRequestHead() reads the absolute form (RFC 9112, 3.2.2)", () => {
  const cases = [
    ["http://a/b?c", "/b?c"],
    ["HTTPS://a:1/b", "/b"],
    ["http://a", "/"],
    ["http://a?c=/d", "/?c=/d"],
    ["http://[::1]:80/x", "/x"],
  ];
  for (const [target, expected] of cases) {
    assertEquals(read(`GET ${target} HTTP/1.1`, HOST).target, expected, target);
  }
});

test("parseRequestHead() says whether the connection goes on (RFC 9112, 9.3)", () => {
  const cases: [string, string[], boolean][] = [
    ["1.1", [], true],
    ["1.1", ["Connection: close"], false],
    ["1.1", ["Connection: Upgrade , CLOSE"], false],
    ["1.1", ["Connection: keep-alive", "Connection: close"], false],
    ["1.1", ["Connection: closely"], true],
    ["1.0", [], false],
    ["1.0", ["Connection: Keep-Alive"], true],
    ["1.0", ["Connection: keep-alive, close"], false],
  ];
  for (const [version, fields, expected] of cases) {
    const { keepAlive } = read(`GET / HTTP/${version}`, HOST, ...fields);
    assertEquals(keepAlive, expected, `${version} ${fields}`);
  }
});

test("parseRequestHead() says whether a body follows (RFC 9112, 6.3)", () => {
  const cases: [string, boolean][] = [
    ["Content-Length: 0", false],
    ["Content-Length: 1", true],
    ["Content-Length: 99999999999999999999", true],
    ["Transfer-Encoding: chunked", true],
    ["X: 1", false],
  ];
  for (const [field, expected] of cases) {
    assertEquals(read("PUT / HTTP/1.1", HOST, field).hasBody, expected, field);
  }
});

test("parseRequestHead() does without Host in HTTP/1.0, and takes an empty one (RFC 9112, 3.2)", () => {
  assertEquals(read("GET / HTTP/1.0").minorVersion, 0);
  assertEquals(read(GET, "Host:").fields.get("host"), "");
});

refuses("a missing Host in HTTP/1.1 (RFC 9112, 3.2)", [GET], [GET, "X: 1"]);
refuses("two Host fields (RFC 9112, 3.2)", [GET, HOST, HOST], [GET, HOST, "HOST: b"]);
refuses(
  "a Host that is not a host and a port (RFC 9112, 3.2)",
  ...["a, b", "a b", "a/b", "u@a", "a:x", "a:80:80", "[::1", "a\\b", "\xe4"].map((
    host,
  ) => [GET, `Host: ${host}`]),
);
refuses(
  "folded lines (RFC 9112, 5.2)",
  [GET, HOST, "X: 1", " 2"],
  [GET, HOST, "X: 1", "\t2"],
  [GET, HOST, "X: 1", " Y: 2"],
  [GET, " Host: a"],
);
refuses(
  "white space before a colon (RFC 9112, 5.1)",
  [GET, HOST, "X : 1"],
  [GET, HOST, "X\t: 1"],
  [GET, "Host : a"],
);
refuses(
  "field lines without a name or a colon (RFC 9112, 5)",
  [GET, HOST, "X"],
  [GET, HOST, ": 1"],
  [GET, HOST, "X(y): 1"],
  [GET, HOST, "X\x80: 1"],
);
refuses(
  "bare LF (RFC 9112, 2.2)",
  ["GET / HTTP/1.1\nHost: a"],
  [GET, "Host: a\nX: 1"],
  [GET, HOST, "X: 1\n"],
);
refuses(
  "bare CR (RFC 9112, 2.2)",
  ["GET / HTTP/1.1\rHost: a"],
  [GET, "Host: a\rX: 1"],
  [GET, HOST, "X: 1\r"],
);
refuses(
  "control characters (RFC 9110, 5.5)",
  ...["\0", "\x01", "\x0b", "\x1f", "\x7f"].flatMap((character) => [
    [GET, HOST, `X: a${character}b`],
    [GET, HOST, `X${character}: a`],
    [`GET /${character} HTTP/1.1`, HOST],
  ]),
);
refuses(
  "two Content-Length fields, equal ones too (RFC 9112, 6.3)",
  [GET, HOST, "Content-Length: 5", "Content-Length: 6"],
  [GET, HOST, "Content-Length: 5", "content-length: 5"],
);
refuses(
  "a Content-Length that is not a number (RFC 9110, 8.6)",
  ...["", "-1", "+1", "1.0", "0x10", "1 2", "5, 5", "1e3", "٣"].map((
    length,
  ) => [GET, HOST, `Content-Length: ${length}`]),
);
refuses(
  "Content-Length together with Transfer-Encoding (RFC 9112, 6.1)",
  [GET, HOST, "Content-Length: 5", "Transfer-Encoding: chunked"],
  [GET, HOST, "Transfer-Encoding: chunked", "Content-Length: 0"],
);
refuses(
  "Transfer-Encoding in HTTP/1.0 (RFC 9112, 6.1)",
  ["PUT / HTTP/1.0", HOST, "Transfer-Encoding: chunked"],
);
refuses(
  "bad methods and broken request lines (RFC 9112, 3)",
  ["G(T / HTTP/1.1", HOST],
  ["G\xc9T / HTTP/1.1", HOST],
  [" / HTTP/1.1", HOST],
  ["GET  / HTTP/1.1", HOST],
  ["GET /  HTTP/1.1", HOST],
  ["GET / HTTP/1.1 ", HOST],
  [" GET / HTTP/1.1", HOST],
  ["GET\t/\tHTTP/1.1", HOST],
  ["GET /", HOST],
  ["GET", HOST],
  ["", HOST],
);
refuses(
  "targets that it cannot serve (RFC 9112, 3.2)",
  ...[
    "*",
    "a:443",
    "a",
    "?x",
    "#",
    "/a#b",
    "/a\tb",
    "/\x80",
    "ftp://a/b",
    "http:///b",
    "http://a#b",
  ]
    .map((target) => [`GET ${target} HTTP/1.1`, HOST]),
);
refuses(
  "versions that it does not speak (RFC 9112, 2.3)",
  ...["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/1", "HTTP/1.", "HTTP/01.1", "http/1.1", "HTTP/1.10"]
    .map((version) => [`GET / ${version}`, HOST]),
);
refuses(
  "repeated Range and If-Range (RFC 9110, 14.2 and 13.1.5)",
  [GET, HOST, "Range: bytes=0-1", "Range: bytes=2-3"],
  [GET, HOST, 'If-Range: "a"', 'If-Range: "b"'],
);
refuses(
  "repeated dates of conditions (RFC 9110, 13.1.3 and 13.1.4)",
  [GET, HOST, "If-Modified-Since: a", "If-Modified-Since: b"],
  [GET, HOST, "If-Unmodified-Since: a", "If-Unmodified-Since: a"],
);
refuses(
  "tabs in fields of the framing (RFC 9112, 5.1)",
  [GET, HOST, "Content-Length: 0\t"],
  [GET, HOST, "Transfer-Encoding:\tchunked"],
  [GET, HOST, "Connection: keep-alive,\tx"],
);
refuses(
  "transfer codings that do not end with one chunked (RFC 9112, 6.3)",
  ...["", ",", "gzip", "chunked, gzip", "chunked, chunked", "x, chunked, chunked", "chunked;a=b"]
    .map((
      coding,
    ) => [GET, HOST, `Transfer-Encoding: ${coding}`]),
);

test("parseRequestHead() refuses bytes that are not one head", () => {
  for (
    const text of [
      "",
      "\r\n",
      "\r\n\r\n",
      "GET / HTTP/1.1",
      "GET / HTTP/1.1\r\n",
      "GET / HTTP/1.1\r\nHost: a",
      "GET / HTTP/1.1\r\nHost: a\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\r",
      "GET / HTTP/1.1\r\nHost: a\r\na\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nX: 1\r\n\r\n",
    ]
  ) {
    const error = assertThrows(() => parseRequestHead(latin1(text)), Error, undefined, text);
    assertEquals(isJackfieldError(error, "HTTP_BAD_REQUEST"), true, `${error}`);
  }
});

test("parseRequestHead() says which host a request is for (RFC 9112, 3.3)", () => {
  assertEquals(read(GET, "Host: a:80").host, "a:80");
  assertEquals(read("GET http://b:81/x HTTP/1.1", "Host: a:80").host, "b:81");
  assertEquals(read("OPTIONS * HTTP/1.1", "Host: a").host, "a");
  assertEquals(read("CONNECT b:443 HTTP/1.1", "Host: a").host, "b:443");
  assertEquals(read("GET / HTTP/1.0").host, undefined);
});

test("parseRequestHead() says how to answer what it refuses (RFC 9110, 15.5 and 15.6)", () => {
  const cases: [string[], number][] = [
    [["GET / HTTP/1.1"], 400],
    [["GET / HTTP/2.0", HOST], 505],
    [[`GET /${"a".repeat(8192)} HTTP/1.1`, HOST], 414],
    [[GET, HOST, ...Array(100).fill("X: 1")], 431],
    // The first line is looked at before what it is for.
    [[`GET /${"a".repeat(8192)} HTTP/2.0`], 414],
  ];
  for (const [lines, status] of cases) {
    const error = assertThrows(() => read(...lines));
    assertEquals((error as { status?: number }).status, status, lines[0]!.slice(0, 40));
  }
  assertEquals(read(`GET /${"a".repeat(8191)} HTTP/1.1`, HOST).target.length, 8192);
  assertEquals(read(GET, HOST, ...Array(99).fill("X: 1")).fields.get("x")?.length, 99 * 3 - 2);
});

test("parseRequestHead() reads any head in no time", () => {
  const spentMs = startCpuTime();
  for (const text of [" ", "\t", ",", "a", ":", "a,", "\xff", "%", "%a", "[", "chunked,"]) {
    const long = text.repeat(16_000 / text.length);
    for (const name of ["X", "Host", "Connection", "Content-Length", "Transfer-Encoding"]) {
      try {
        read(GET, `${name}: a${long}b`);
      } catch (error) {
        assertInstanceOf(error, Error);
      }
    }
    try {
      read(`GET http://${long}/ HTTP/1.1`, HOST);
    } catch (error) {
      assertInstanceOf(error, Error);
    }
  }
  const ms = spentMs();
  assertEquals(ms < 1000, true, `took ${ms} ms`);
});
