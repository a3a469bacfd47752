import { assert, assertEquals, assertThrows } from "@std/assert";
import { checkCacheControl } from "../../src/core.ts";
import { test } from "../harness.ts";

test("checkCacheControl() passes directives through as they are (RFC 9111, 5.2)", () => {
  for (
    const value of [
      "no-store",
      "public, max-age=31536000, immutable",
      "max-age=60,must-revalidate",
      'private="set-cookie, x-a", max-age=0',
      'x="a\\"b,c"',
      "stale-while-revalidate=30",
    ]
  ) assertEquals(checkCacheControl(value), value);
});

test("checkCacheControl() refuses everything else (RFC 9111, 5.2; RFC 9110, 5.5)", () => {
  for (
    const value of [
      "",
      ",",
      "no-store,",
      ",no-store",
      "max-age = 60",
      "max-age=",
      "max age",
      'private="a',
      "no-store; max-age=1",
      "no-store\r\nSet-Cookie: a=b",
      "no-store\n",
      "a\0",
      "é",
      'x="\u010a"',
    ]
  ) {
    const error = assertThrows(
      () => checkCacheControl(value),
      TypeError,
      "Cannot use Cache-Control",
    );
    // deno-lint-ignore no-control-regex -- a message is one printable line
    assert(!/[\x00-\x1f]/.test(error.message));
  }
});
