import { assertEquals, assertThrows } from "@std/assert";
import { type DispositionType, formatContentDisposition } from "../../src/core.ts";
import { test } from "../harness.ts";

test("formatContentDisposition() writes the type alone, or with a plain name (RFC 6266, 4)", () => {
  assertEquals(formatContentDisposition("inline"), "inline");
  assertEquals(
    formatContentDisposition("attachment", "a file; (1).txt"),
    'attachment; filename="a file; (1).txt"',
  );
});

test("formatContentDisposition() writes other names twice, the extended form last (RFC 6266, 4.3)", () => {
  const cases: [string, string, string][] = [
    ["naïve.txt", "naive.txt", "na%C3%AFve.txt"],
    ["€ rates.txt", "_ rates.txt", "%E2%82%AC%20rates.txt"],
    ["日本.pdf", "__.pdf", "%E6%97%A5%E6%9C%AC.pdf"],
    ["😀.gif", "_.gif", "%F0%9F%98%80.gif"],
    ['a"b.txt', "a_b.txt", "a%22b.txt"],
    ["a\\b.txt", "a_b.txt", "a%5Cb.txt"],
    ["a%41.txt", "a_41.txt", "a%2541.txt"],
    ["'(é)*!.txt", "'(e)*!.txt", "%27%28%C3%A9%29%2A!.txt"],
  ];
  for (const [name, plain, extended] of cases) {
    assertEquals(
      formatContentDisposition("attachment", name),
      `attachment; filename="${plain}"; filename*=UTF-8''${extended}`,
    );
  }
});

test("formatContentDisposition() lets stand in the extended form only what RFC 8187, 3.2.1, does", () => {
  const all = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join("")
    .replace("/", "");
  const text = formatContentDisposition("inline", `${all}é`);
  const extended = text.slice(text.indexOf("''") + 2);
  assertEquals(/^(?:[A-Za-z0-9!#$&+\-.^_`|~]|%[0-9A-F]{2})+$/.test(extended), true, extended);
  assertEquals(decodeURIComponent(extended), `${all}é`);
});

test("formatContentDisposition() refuses names that lead elsewhere or would end their line", () => {
  for (
    const name of ["", "a/b", "../a", "a\r\nX: 1", "a\nb", "a\0", "a\x7f", "a\x85b", "\ud800.txt"]
  ) {
    const error = assertThrows(
      () => formatContentDisposition("attachment", name),
      TypeError,
      "Cannot use file name",
    );
    assertEquals(/^[ -~]+$/.test(error.message), true, error.message);
  }
  assertThrows(
    () => formatContentDisposition("form-data" as DispositionType),
    TypeError,
    '"form-data"',
  );
});
