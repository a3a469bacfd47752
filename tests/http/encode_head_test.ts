import { assertEquals, assertThrows } from "@std/assert";
import { checkFieldName, checkFieldValue, encodeHead, parseRequestHead } from "../../src/core.ts";
import { test } from "../harness.ts";
import { head, latin1 } from "./tools.ts";

test("encodeHead() writes a start line, fields and an empty line (RFC 9112, 2.1)", () => {
  const bytes = encodeHead("HTTP/1.1 200 OK", [["Content-Length", 5], ["ETag", '"a"']]);
  assertEquals(bytes, head("HTTP/1.1 200 OK", "Content-Length: 5", 'ETag: "a"'));
  assertEquals(encodeHead("GET / HTTP/1.0", []), latin1("GET / HTTP/1.0\r\n\r\n"));
});

test("encodeHead() writes what parseRequestHead() reads, bytes above ASCII included", () => {
  const fields = new Map([["host", "a"], ["x", "\x80\xff\ttab"], ["y", ""]]);
  const request = parseRequestHead(encodeHead("GET /a?b HTTP/1.1", fields));
  assertEquals([...request.fields], [...fields]);
  assertEquals(request.target, "/a?b");
});

test("encodeHead() refuses texts that would end their line (RFC 9110, 5.5)", () => {
  for (const bad of ["a\r\nX: 1", "a\nb", "a\rb", "a\0b", "a\x7f"]) {
    assertThrows(() => encodeHead("GET / HTTP/1.1", [["X", bad]]), TypeError, "Cannot write head");
    assertThrows(() => encodeHead(`GET /${bad} HTTP/1.1`, []), TypeError, "Cannot write head");
    assertThrows(() => encodeHead("GET / HTTP/1.1", [[bad, "1"]]), TypeError, "Cannot write field");
  }
});

test("encodeHead() refuses characters of more than one byte: their low byte may be a line end", () => {
  for (const bad of ["\u010a", "\u010d", "\u0100", "\u20ac", "\u{1f600}"]) {
    assertThrows(() => encodeHead("GET / HTTP/1.1", [["X", bad]]), TypeError, "Cannot write head");
    assertThrows(() => encodeHead(`GET /${bad} HTTP/1.1`, []), TypeError, "Cannot write head");
  }
});

test("encodeHead() refuses names that are no tokens (RFC 9110, 5.1)", () => {
  for (const bad of ["", "a b", "a:", "\xe4", "(a)"]) {
    assertThrows(() => encodeHead("GET / HTTP/1.1", [[bad, "1"]]), TypeError, "Cannot write field");
  }
});

test("checkFieldValue() and checkFieldName() pass good texts through (RFC 9110, 5.1 and 5.5)", () => {
  for (const text of ["", "a b", "a\tb", "\x80\xff"]) assertEquals(checkFieldValue(text), text);
  for (const text of ["a\r\nb", "\0", "\u010a"]) {
    assertThrows(() => checkFieldValue(text), TypeError, "Cannot write head");
  }
  assertEquals(checkFieldName("X-a"), "X-a");
  assertThrows(() => checkFieldName("a:"), TypeError, "Cannot write field");
});
