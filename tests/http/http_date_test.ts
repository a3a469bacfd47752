import { assertEquals, assertThrows } from "@std/assert";
import { formatHttpDate, parseHttpDate } from "../../src/core.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";

const NOW = Date.UTC(2026, 10, 21);
const EXPECTED = Date.UTC(1994, 10, 6, 8, 49, 37);

test("parseHttpDate() reads all three formats (RFC 9110, 5.6.7)", () => {
  assertEquals(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", NOW), EXPECTED);
  assertEquals(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", NOW), EXPECTED);
  assertEquals(parseHttpDate("Sun Nov  6 08:49:37 1994", NOW), EXPECTED);
  assertEquals(parseHttpDate("Sun Nov 16 08:49:37 1994", NOW), EXPECTED + 10 * 86_400_000);
});

test("parseHttpDate() takes two digits for a year at most 50 years ahead (RFC 9110, 5.6.7)", () => {
  const year = (digits: string, now: number) =>
    new Date(parseHttpDate(`Sunday, 06-Nov-${digits} 08:49:37 GMT`, Date.UTC(now, 5))!)
      .getUTCFullYear();
  assertEquals(year("26", 2026), 2026);
  assertEquals(year("76", 2026), 2076);
  assertEquals(year("77", 2026), 1977);
  assertEquals(year("99", 2026), 1999);
  assertEquals(year("00", 2026), 2000);
  assertEquals(year("05", 2099), 2105);
  assertEquals(year("50", 2099), 2050);
  assertEquals(year("49", 2099), 2149);
});

test("parseHttpDate() knows the days of the months (RFC 9110, 5.6.7)", () => {
  const read = (day: string) => parseHttpDate(`Sun, ${day} 08:49:37 GMT`) !== undefined;
  for (const day of ["29 Feb 2024", "29 Feb 2000", "31 Dec 9999", "01 Jan 0000", "30 Apr 1994"]) {
    assertEquals(read(day), true, day);
  }
  for (const day of ["29 Feb 2023", "29 Feb 1900", "31 Apr 1994", "00 Nov 1994", "32 Jan 1994"]) {
    assertEquals(read(day), false, day);
  }
});

test("parseHttpDate() takes a leap second, and no other time that is none (RFC 9110, 5.6.7)", () => {
  const read = (time: string) => parseHttpDate(`Sat, 31 Dec 2016 ${time} GMT`);
  assertEquals(read("23:59:60"), Date.UTC(2017, 0, 1));
  for (const time of ["24:00:00", "23:60:00", "23:59:61", "1:00:00", "01:00", "01:00:00.5"]) {
    assertEquals(read(time), undefined, time);
  }
});

test("parseHttpDate() reads nothing else (RFC 9110, 5.6.7)", () => {
  for (
    const text of [
      "",
      "0",
      "784111777",
      "1994-11-06T08:49:37Z",
      "Sun, 06 Nov 1994 08:49:37",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "Sun, 06 Nov 1994 08:49:37 +0000",
      "Sun, 06 Nov 94 08:49:37 GMT",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "sun, 06 nov 1994 08:49:37 gmt",
      "06 Nov 1994 08:49:37 GMT",
      "Sun,06 Nov 1994 08:49:37 GMT",
      "Sun, 06  Nov 1994 08:49:37 GMT",
      " Sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT",
      "Sun Nov 6 08:49:37 1994",
      "Sun Nov 06 08:49:37 1994 GMT",
      "Xyz, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Abc 1994 08:49:37 GMT",
    ]
  ) assertEquals(parseHttpDate(text, NOW), undefined, text);
});

test("formatHttpDate() writes IMF-fixdate, which parseHttpDate() reads (RFC 9110, 5.6.7)", async () => {
  assertEquals(formatHttpDate(EXPECTED + 999), "Sun, 06 Nov 1994 08:49:37 GMT");
  assertEquals(formatHttpDate(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  assertEquals(formatHttpDate(Date.UTC(9999, 11, 31)), "Fri, 31 Dec 9999 00:00:00 GMT");
  await withSeeds([1], (dice) => {
    for (let count = 0; count < 2000; count++) {
      const ms = -62_000_000_000_000 + dice.below(2 ** 31) * 120_000 + dice.below(120_000);
      const text = formatHttpDate(ms);
      assertEquals(text.length, 29, text);
      assertEquals(parseHttpDate(text), Math.floor(ms / 1000) * 1000, text);
    }
  });
});

test("formatHttpDate() refuses what has no four digits of a year", () => {
  for (const ms of [NaN, Infinity, 8.64e15, -8.64e15, Date.UTC(10_000, 0)]) {
    assertThrows(() => formatHttpDate(ms), RangeError, "Cannot write date");
  }
});
