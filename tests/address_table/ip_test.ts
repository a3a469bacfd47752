import { assertEquals, assertThrows } from "@std/assert";
import ipaddr from "ipaddr.js";
import { ipFromNumber, ipToNumber, normalIp } from "../../src/address_table/ip.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";

test("normalIp() writes every IPv6 address as RFC 5952 says", () =>
  withSeeds([41, 42], (dice) => {
    for (let step = 0; step < 2000; step++) {
      const zeros = dice.random();
      const parts = Array.from(
        { length: 8 },
        () => dice.random() < zeros ? 0 : dice.below(dice.oneOf([2, 256, 65_536])),
      );
      const expected = new ipaddr.IPv6(parts).toRFC5952String();
      const long = parts.map((part) => part.toString(16).padStart(4, "0")).join(":");
      for (const text of [expected, long, long.toUpperCase()]) {
        assertEquals(normalIp(text), expected);
      }
      assertEquals(ipFromNumber(ipToNumber(expected), 6), expected);
    }
    for (let step = 0; step < 1000; step++) {
      const text = [0, 0, 0, 0].map(() => dice.below(256)).join(".");
      assertEquals([normalIp(text), ipFromNumber(ipToNumber(text), 4)], [text, text]);
    }
  }));

test("normalIp() refuses what only looks like an address", () => {
  const bad = [
    "::1]",
    "[::1]",
    "::1/64",
    "::1]:80/[",
    ":::",
    "1::2::3",
    "::g",
    "::1%lo",
    "::1%25lo",
    " ::1",
  ];
  for (const text of bad) assertThrows(() => normalIp(text), TypeError, "Cannot use address", text);
});
