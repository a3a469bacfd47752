import { assertEquals, assertThrows } from "@std/assert";
import { statusLine } from "../../src/core.ts";
import { test } from "../harness.ts";

test("statusLine() writes version, status and phrase (RFC 9112, 4)", () => {
  assertEquals(statusLine(200), "HTTP/1.1 200 OK");
  assertEquals(statusLine(416), "HTTP/1.1 416 Range Not Satisfiable");
  assertEquals(statusLine(431), "HTTP/1.1 431 Request Header Fields Too Large");
  // The phrase may be missing, the space before it not.
  assertEquals(statusLine(299), "HTTP/1.1 299 ");
});

test("statusLine() refuses what is no status (RFC 9110, 15)", () => {
  for (const status of [99, 1000, 200.5, NaN, -200]) {
    assertThrows(() => statusLine(status), RangeError, `"${status}"`);
  }
});
