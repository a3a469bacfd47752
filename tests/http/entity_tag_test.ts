import { assert, assertEquals } from "@std/assert";
import { isEntityTag, matchesStrongly, matchesWeakly, parseEntityTags } from "../../src/core.ts";
import { test } from "../harness.ts";
import { startCpuTime } from "../support/cpu_time.ts";

test("isEntityTag() knows tags and what only looks like one (RFC 9110, 8.8.3)", () => {
  for (
    const tag of ['""', '"a"', 'W/""', 'W/"a,b\\"', '"\x80\xff"', `"!#~'"`]
  ) {
    assert(isEntityTag(tag), tag);
  }
  for (
    const text of [
      "",
      "a",
      '"',
      '"a',
      'a"',
      '"a"b"',
      'w/"a"',
      'W/ "a"',
      'W"a"',
      '"a b"',
      '"a\tb"',
      '"a\x7f"',
      '"a\n"',
      ' "a"',
      '"a" ',
      "*",
    ]
  ) assert(!isEntityTag(text), JSON.stringify(text));
});

test("tags match as the table of RFC 9110, 8.8.3.2, says", () => {
  const cases: [string, string, boolean, boolean][] = [
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', 'W/"1"', false, true],
    ['"1"', '"1"', true, true],
    ['"1"', '"2"', false, false],
  ];
  for (const [one, other, strongly, weakly] of cases) {
    assertEquals(matchesStrongly(one, other), strongly, `${one} ${other}`);
    assertEquals(matchesWeakly(one, other), weakly, `${one} ${other}`);
  }
});

test("parseEntityTags() cuts lists at their commas, not at those in tags (RFC 9110, 13.1.2)", () => {
  assertEquals(parseEntityTags('"a"'), ['"a"']);
  assertEquals(parseEntityTags('"a,b", W/"c" ,"" '), ['"a,b"', 'W/"c"', '""']);
  assertEquals(parseEntityTags(',, "a" ,,\t"b",'), ['"a"', '"b"']);
  assertEquals(parseEntityTags("*"), "*");
});

test("parseEntityTags() takes all of a field or nothing (RFC 9110, 13.1.2)", () => {
  for (
    const field of [
      "",
      ",",
      "a",
      '"a" "b"',
      '"a""b"',
      '"a", b',
      '"a", "b',
      '"a", *',
      "*, *",
      'W/ "a"',
      'w/"a"',
      'W"a"',
      'XX"a"',
      '"a b"',
    ]
  ) assertEquals(parseEntityTags(field), undefined, field);
});

test("parseEntityTags() reads any text in no time", () => {
  const spentMs = startCpuTime();
  for (const text of [" ", ",", '"', "W/", 'W/"', '"",', '"" ']) {
    parseEntityTags(text.repeat(16_000 / text.length));
    parseEntityTags(`"a"${text.repeat(16_000 / text.length)}x`);
  }
  const ms = spentMs();
  assert(ms < 500, `took ${ms} ms`);
});
