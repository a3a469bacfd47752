// Heads of requests: RFC 9112, and what RFC 9110 says of methods and fields.
import { type Case, type ExpectedAnswer, get, headOf, lines } from "./case.ts";

const GET = "GET /plain.bin HTTP/1.1";
const HOST = "Host: a.example";
const NEXT = get("/one.bin", "Connection: close");

const WHOLE: ExpectedAnswer = { status: 200, body: "whole", closes: false };
const ENDS: ExpectedAnswer = { status: 200, body: "whole", closes: true };
const BAD: ExpectedAnswer = { status: 400, closes: true };
const BODY: ExpectedAnswer = { status: 413, closes: true };
const METHOD: ExpectedAnswer = {
  status: 405,
  fields: { allow: "GET, HEAD" },
  closes: false,
};
const UNKNOWN: ExpectedAnswer = { status: 501, fields: { allow: null }, closes: false };

/** Rows of one section: a name, what is sent, and the answers. */
function rows(
  rfc: string,
  ...all: readonly (readonly [name: string, request: string, ...answers: ExpectedAnswer[]])[]
): Case[] {
  return all.map(([name, request, ...answers]) => ({ name, rfc, request, answers }));
}

/** Every row about heads. */
export const HEAD_CASES: readonly Case[] = [
  ...rows(
    "RFC 9112, 2.2",
    ["an empty line before the request", `\r\n${get("/plain.bin")}`, WHOLE],
    ["two empty lines before the request", `\r\n\r\n${get("/plain.bin")}`, BAD],
    ["an empty line between requests", `${get("/plain.bin")}\r\n${NEXT}`, WHOLE, ENDS],
    ["a bare line feed before the request", `\n${get("/plain.bin")}`, BAD],
    ["a bare carriage return before the request", `\r${get("/plain.bin")}`, BAD],
    ["bare line feeds only", "GET /plain.bin HTTP/1.1\nHost: a\n\n", BAD],
    ["a bare line feed behind the request line", `${GET}\n${HOST}\r\n\r\n`, BAD],
    ["a bare line feed behind a field", `${GET}\r\n${HOST}\nX: 1\r\n\r\n`, BAD],
    ["a bare line feed for the empty line", `${GET}\r\n${HOST}\r\n\n`, BAD],
    [
      "a bare carriage return in the request line",
      `GET /plain.bin\r HTTP/1.1\r\n${HOST}\r\n\r\n`,
      BAD,
    ],
    ["a bare carriage return in a value", `${GET}\r\n${HOST}\r\nX: 1\r2\r\n\r\n`, BAD],
    ["a bare carriage return behind a value", `${GET}\r\n${HOST}\r\nX: 1\r\r\n\r\n`, BAD],
    ["a space before the first field", `${GET}\r\n ${HOST}\r\n\r\n`, BAD],
    ["bytes that are no HTTP", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", BAD],
  ),
  ...rows(
    "RFC 9112, 3",
    ["two spaces behind the method", lines("GET  /plain.bin HTTP/1.1", HOST), BAD],
    ["two spaces behind the target", lines("GET /plain.bin  HTTP/1.1", HOST), BAD],
    ["a space behind the version", lines("GET /plain.bin HTTP/1.1 ", HOST), BAD],
    ["a space before the method", lines(" GET /plain.bin HTTP/1.1", HOST), BAD],
    ["tabs between the parts", lines("GET\t/plain.bin\tHTTP/1.1", HOST), BAD],
    ["a tab behind the version", lines("GET /plain.bin HTTP/1.1\t", HOST), BAD],
    ["no version", lines("GET /plain.bin", HOST), BAD],
    ["a request of HTTP/0.9", "GET /plain.bin\r\n\r\n", BAD],
    ["a method alone", lines("GET", HOST), BAD],
    ["a space in the target", lines("GET /plain .bin HTTP/1.1", HOST), BAD],
    ["NUL in the request line", lines("GET /plain.bin\0 HTTP/1.1", HOST), BAD],
    ["a target above the limit", lines(`GET /${"a".repeat(8192)} HTTP/1.1`, HOST), {
      status: 414,
      closes: true,
    }],
    ["a target above every limit", `GET /${"a".repeat(20_000)}`, { status: 414, closes: true }],
    ["a method above every limit", "A".repeat(20_000), { status: 501, closes: true }],
  ),
  ...rows(
    "RFC 9112, 3.1",
    ["small letters are another method", lines("get /plain.bin HTTP/1.1", HOST), UNKNOWN],
    ["a method with a parenthesis", lines("G(T /plain.bin HTTP/1.1", HOST), BAD],
    ["a method above ASCII", lines("G\xc9T /plain.bin HTTP/1.1", HOST), BAD],
    ["no method", lines(" /plain.bin HTTP/1.1", HOST), BAD],
  ),
  ...rows(
    "RFC 9110, 15.5.6",
    ...["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"].map((method) =>
      [method, lines(`${method} /plain.bin HTTP/1.1`, HOST), METHOD] as const
    ),
    ["the connection goes on", `${lines("DELETE / HTTP/1.1", HOST)}${NEXT}`, METHOD, ENDS],
    ["405 closes when the client wants it", lines("PUT / HTTP/1.1", HOST, "Connection: close"), {
      ...METHOD,
      closes: true,
    }],
  ),
  ...rows(
    "RFC 9110, 15.6.2",
    ["PROPFIND", lines("PROPFIND /plain.bin HTTP/1.1", HOST), UNKNOWN],
    ["every character of a token", lines("!#$%&'*+-.^_`|~ /plain.bin HTTP/1.1", HOST), UNKNOWN],
    ["a method with more behind it", lines("GETX /plain.bin HTTP/1.1", HOST), UNKNOWN],
  ),
  ...rows(
    "RFC 9112, 3.2.1",
    ["a query", lines("GET /plain.bin?a=b&c HTTP/1.1", HOST), WHOLE],
    ["an encoded path", lines("GET /%70lain%2ebin HTTP/1.1", HOST), WHOLE],
    ["no slash at the start", lines("GET plain.bin HTTP/1.1", HOST), BAD],
    ["a query alone", lines("GET ?a HTTP/1.1", HOST), BAD],
    ["a fragment", lines("GET /plain.bin#a HTTP/1.1", HOST), BAD],
    ["a quote", lines('GET /plain.bin?" HTTP/1.1', HOST), BAD],
    ["an angle bracket", lines("GET /plain.bin?<a> HTTP/1.1", HOST), BAD],
    ["octets above ASCII", lines("GET /pl\xe4in.bin HTTP/1.1", HOST), BAD],
    ["DEL", lines("GET /plain.bin\x7f HTTP/1.1", HOST), BAD],
  ),
  ...rows(
    "RFC 9112, 3.2.2",
    ["absolute form", lines("GET http://a.example/plain.bin HTTP/1.1", HOST), WHOLE],
    ["absolute form in capitals", lines("GET HTTP://a.example/plain.bin HTTP/1.1", HOST), WHOLE],
    ["absolute form with a port", lines("GET http://a.example:80/plain.bin HTTP/1.1", HOST), WHOLE],
    ["absolute form of IPv6", lines("GET http://[::1]:80/plain.bin HTTP/1.1", HOST), WHOLE],
    ["absolute form, another Host", lines("GET http://b/plain.bin HTTP/1.1", HOST), WHOLE],
    ["absolute form without Host", lines("GET http://a.example/plain.bin HTTP/1.1"), BAD],
    ["absolute form in HTTP/1.0", "GET http://a/plain.bin HTTP/1.0\r\n\r\n", ENDS],
    ["absolute form without a host", lines("GET http:///plain.bin HTTP/1.1", HOST), BAD],
    ["absolute form with a user", lines("GET http://u@a.example/plain.bin HTTP/1.1", HOST), BAD],
    ["absolute form with a bad port", lines("GET http://a:x/plain.bin HTTP/1.1", HOST), BAD],
    ["absolute form of another scheme", lines("GET ftp://a/plain.bin HTTP/1.1", HOST), BAD],
  ),
  ...rows(
    "RFC 9112, 3.2.3",
    ["authority form for CONNECT", lines("CONNECT a.example:443 HTTP/1.1", HOST), {
      ...METHOD,
      closes: true,
    }],
    ["authority form for GET", lines("GET a.example:443 HTTP/1.1", HOST), BAD],
    ["CONNECT without a port", lines("CONNECT a.example HTTP/1.1", HOST), BAD],
    ["CONNECT with an empty port", lines("CONNECT a.example: HTTP/1.1", HOST), BAD],
    ["CONNECT with a path", lines("CONNECT /plain.bin HTTP/1.1", HOST), BAD],
  ),
  ...rows(
    "RFC 9112, 3.2.4",
    ["asterisk form for OPTIONS", lines("OPTIONS * HTTP/1.1", HOST), METHOD],
    ["asterisk form for GET", lines("GET * HTTP/1.1", HOST), BAD],
    ["asterisk and more", lines("OPTIONS *a HTTP/1.1", HOST), BAD],
  ),
  ...rows(
    "RFC 9110, 2.5",
    ...["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3.1"].map((version) =>
      [version, lines(`GET /plain.bin ${version}`, HOST), { status: 505, closes: true }] as const
    ),
  ),
  ...rows(
    "RFC 9112, 2.3",
    ...[
      "http/1.1",
      "HTTP/1",
      "HTTP/1.",
      "HTTP/11",
      "HTTP/01.1",
      "HTTP/1.10",
      "HTTP 1.1",
      "HTTPS/1.1",
    ]
      .map((version) => [version, lines(`GET /plain.bin ${version}`, HOST), BAD] as const),
  ),
  ...rows(
    "RFC 9112, 3.2",
    ["no Host", lines(GET), BAD],
    ["no Host in HTTP/1.0", "GET /plain.bin HTTP/1.0\r\n\r\n", ENDS],
    ["an empty Host", lines(GET, "Host:"), WHOLE],
    ["two Hosts", lines(GET, HOST, HOST), BAD],
    ["two Hosts in HTTP/1.0", lines("GET /plain.bin HTTP/1.0", HOST, "Host: b"), BAD],
    ["a port", lines(GET, "Host: a.example:8080"), WHOLE],
    ["a colon without a port", lines(GET, "Host: a.example:"), WHOLE],
    ["a port without a host", lines(GET, "Host: :80"), BAD],
    ["a port of letters", lines(GET, "Host: a:x"), BAD],
    ["a port above 65535", lines(GET, "Host: a:65536"), BAD],
    ["two ports", lines(GET, "Host: a:80:80"), BAD],
    ["IPv4", lines(GET, "Host: 127.0.0.1:80"), WHOLE],
    ["IPv6", lines(GET, "Host: [::1]:80"), WHOLE],
    ["IPv6 without brackets", lines(GET, "Host: ::1"), BAD],
    ["an open bracket", lines(GET, "Host: [::1"), BAD],
    ["brackets around a name", lines(GET, "Host: [a]"), BAD],
    ["no IPv6 in brackets", lines(GET, "Host: [1:2]"), BAD],
    ["encoded octets", lines(GET, "Host: a%20b"), WHOLE],
    ["half an encoded octet", lines(GET, "Host: a%2"), BAD],
    ["a path", lines(GET, "Host: a/b"), BAD],
    ["a user", lines(GET, "Host: u@a"), BAD],
    ["a space", lines(GET, "Host: a b"), BAD],
    ["octets above ASCII", lines(GET, "Host: \xe4"), BAD],
  ),
  ...rows(
    "RFC 9112, 5.1",
    ["a space before the colon", lines(GET, "Host : a"), BAD],
    ["a tab before the colon", lines(GET, HOST, "X\t: 1"), BAD],
    ["blanks around the value", lines(GET, "Host: \t a.example \t "), WHOLE],
    ["a tab in a field of the framing", lines(GET, HOST, "Content-Length: 0\t"), BAD],
    ["a tab before a field of the framing", lines(GET, HOST, "Connection:\tkeep-alive"), BAD],
    ["no blank before the value", lines(GET, "Host:a.example"), WHOLE],
    ["no name", lines(GET, HOST, ": 1"), BAD],
    ["no colon", lines(GET, HOST, "X"), BAD],
    ["a name with a parenthesis", lines(GET, HOST, "X(y): 1"), BAD],
    ["a name above ASCII", lines(GET, HOST, "X\x80: 1"), BAD],
    ["names in any letters", lines(GET, "hOST: a", "rAnGe: bytes=1-2"), {
      status: 206,
      body: [[1, 3]],
    }],
  ),
  ...rows(
    "RFC 9112, 5.2",
    ["a folded line", lines(GET, HOST, "X: 1", " 2"), BAD],
    ["a line folded with a tab", lines(GET, HOST, "X: 1", "\t2"), BAD],
    ["an empty folded line", lines(GET, HOST, "X: 1", " "), BAD],
  ),
  ...rows(
    "RFC 9110, 5.5",
    ...["\0", "\x01", "\x08", "\x0b", "\x0c", "\x1b", "\x7f"].map((octet) =>
      [
        `octet ${octet.charCodeAt(0)} in a value`,
        lines(GET, HOST, `X: a${octet}b`),
        BAD,
      ] as const
    ),
    ["a tab in a value", lines(GET, HOST, "X: a\tb"), WHOLE],
    ["octets above ASCII in a value", lines(GET, HOST, "X: \x80\xa0\xff"), WHOLE],
  ),
  ...rows(
    "RFC 6585, 5",
    ["as many fields as are allowed", lines(GET, HOST, ...Array(99).fill("X: 1")), WHOLE],
    ["more fields than are allowed", lines(GET, HOST, ...Array(100).fill("X: 1")), {
      status: 431,
      closes: true,
    }],
    ["a field above the limit", lines(GET, HOST, `X: ${"a".repeat(20_000)}`), {
      status: 431,
      closes: true,
    }],
    ["a head without an end", `${GET}\r\n${"X: 1\r\n".repeat(4000)}`, {
      status: 431,
      closes: true,
    }],
  ),
  ...rows(
    "RFC 9112, 6.1",
    ["a chunked body", `${lines(GET, HOST, "Transfer-Encoding: chunked")}0\r\n\r\n`, BODY],
    ["both lengths", lines(GET, HOST, "Content-Length: 5", "Transfer-Encoding: chunked"), BAD],
    [
      "both lengths, of 0",
      lines(GET, HOST, "Transfer-Encoding: chunked", "Content-Length: 0"),
      BAD,
    ],
    ["Transfer-Encoding in HTTP/1.0", lines("GET / HTTP/1.0", "Transfer-Encoding: chunked"), BAD],
    ["chunked in capitals", lines(GET, HOST, "Transfer-Encoding: CHUNKED"), BODY],
    ["compressed and chunked", lines(GET, HOST, "Transfer-Encoding: gzip, chunked"), BODY],
    ["not chunked in the end", lines(GET, HOST, "Transfer-Encoding: chunked, gzip"), BAD],
    ["chunked twice", lines(GET, HOST, "Transfer-Encoding: chunked, chunked"), BAD],
    [
      "chunked twice in two fields",
      lines(GET, HOST, ...Array(2).fill("Transfer-Encoding: chunked")),
      BAD,
    ],
    ["identity", lines(GET, HOST, "Transfer-Encoding: identity"), BAD],
    ["no coding", lines(GET, HOST, "Transfer-Encoding:"), BAD],
    ["vertical tab before chunked", lines(GET, HOST, "Transfer-Encoding: \x0bchunked"), BAD],
  ),
  ...rows(
    "RFC 9112, 6.3",
    ["a body", `${lines(GET, HOST, "Content-Length: 5")}hello`, BODY],
    ["a body of POST", `${lines("POST / HTTP/1.1", HOST, "Content-Length: 5")}hello`, BODY],
    ["a body beyond numbers", lines(GET, HOST, `Content-Length: ${"9".repeat(30)}`), BODY],
    ["a body is not the next request", `${lines(GET, HOST, "Content-Length: 9")}${NEXT}`, BODY],
    ["an empty body", lines(GET, HOST, "Content-Length: 0"), WHOLE],
    ["an empty body in many digits", lines(GET, HOST, "Content-Length: 000"), WHOLE],
    ["two lengths", lines(GET, HOST, "Content-Length: 5", "Content-Length: 6"), BAD],
    ["the same length twice", lines(GET, HOST, "Content-Length: 0", "Content-Length: 0"), BAD],
    ["the same length in a list", lines(GET, HOST, "Content-Length: 0, 0"), BAD],
    ...["", "-0", "+0", "0 0", "0x0", "0.0", "0e0", "0_0", "0;", "\xb2"].map((length) =>
      [`length "${length}"`, lines(GET, HOST, `Content-Length: ${length}`), BAD] as const
    ),
  ),
  ...rows(
    "RFC 9112, 9.3",
    ["HTTP/1.1 goes on", `${get("/plain.bin")}${NEXT}`, WHOLE, ENDS],
    ["HTTP/1.1 ends when asked", `${get("/plain.bin", "Connection: close")}${NEXT}`, ENDS],
    ["close in capitals in a list", get("/plain.bin", "Connection: Upgrade , CLOSE"), ENDS],
    [
      "close in a second field",
      get("/plain.bin", "Connection: keep-alive", "Connection: close"),
      ENDS,
    ],
    [
      "a word that begins with close",
      `${get("/plain.bin", "Connection: closely")}${NEXT}`,
      WHOLE,
      ENDS,
    ],
    ["close with an octet behind it", get("/plain.bin", "Connection: close\xa0"), ENDS],
    ["HTTP/1.0 ends", `GET /plain.bin HTTP/1.0\r\n\r\n${NEXT}`, ENDS],
    [
      "HTTP/1.0 goes on when asked",
      `${lines("GET /plain.bin HTTP/1.0", "Connection: Keep-Alive")}${NEXT}`,
      WHOLE,
      ENDS,
    ],
    [
      "HTTP/1.0 asks for both",
      lines("GET /plain.bin HTTP/1.0", "Connection: keep-alive, close"),
      ENDS,
    ],
  ),
  ...rows(
    "RFC 9112, 9.3.2",
    [
      "three requests at once",
      `${get("/plain.bin")}${headOf("/large.bin")}${NEXT}`,
      WHOLE,
      { status: 200, body: "none", fields: { "content-length": "300000" }, closes: false },
      ENDS,
    ],
    [
      "answers in order, whatever they are",
      `${get("/plain.bin", 'If-Match: "x"')}${lines("PUT / HTTP/1.1", HOST)}${
        get("/plain.bin", "Range: bytes=9-9")
      }${NEXT}`,
      { status: 412, closes: false },
      METHOD,
      { status: 206, body: [[9, 10]], closes: false },
      ENDS,
    ],
    ["nothing behind a refusal is a request", `${lines(GET, "Host : a")}${NEXT}`, BAD],
  ),
  ...rows(
    "RFC 9112, 8",
    ["the end before a request", ""],
    ["the end within a request line", "GET /plain.b", BAD],
    ["the end within the fields", `${GET}\r\n${HOST}\r\n`, BAD],
  ),
  ...rows(
    "RFC 9110, 9.3.2",
    ["HEAD has the head of GET", headOf("/plain.bin"), {
      status: 200,
      body: "none",
      fields: {
        "content-length": "1000",
        "content-type": "application/octet-stream",
        "accept-ranges": "bytes",
        etag: "{etag}",
        "last-modified": "{date}",
      },
      closes: false,
    }],
    ["HEAD of an empty file", headOf("/empty.bin"), {
      status: 200,
      body: "none",
      fields: { "content-length": "0" },
    }],
  ),
  ...rows(
    "RFC 9110, 9.3.1",
    ["GET", get("/plain.bin"), {
      ...WHOLE,
      fields: {
        "content-length": "1000",
        "content-type": "application/octet-stream",
        "accept-ranges": "bytes",
        "content-range": null,
        "transfer-encoding": null,
        etag: "{etag}",
        "last-modified": "{date}",
      },
    }],
    ["GET of an empty file", get("/empty.bin"), {
      ...WHOLE,
      fields: { "content-length": "0", "content-range": null },
    }],
    ["GET of a large file", get("/large.bin"), {
      ...WHOLE,
      fields: { "content-length": "300000", "last-modified": "{date}" },
    }],
  ),
  ...rows(
    "RFC 9110, 10.1.1",
    ["an expectation without a body", get("/plain.bin", "Expect: 100-continue"), WHOLE],
    [
      "an expectation with a body",
      lines("PUT / HTTP/1.1", HOST, "Expect: 100-continue", "Content-Length: 5"),
      BODY,
    ],
  ),
];
