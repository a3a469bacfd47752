import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { hostAddresses } from "../../src/core.ts";
import { test } from "../harness.ts";

test("hostAddresses() keeps the order and brings literals into normal form (A4, RFC 5952)", () => {
  const { addresses } = hostAddresses(["127.0.0.3", "2001:DB8:0:0::0:1", "127.0.0.2", "::0001"]);
  assertEquals(addresses, ["127.0.0.3", "2001:db8::1", "127.0.0.2", "::1"]);
});

test("hostAddresses() refuses what is no literal, and shows it", () => {
  const bad = ["", "localhost", "127.0.0", "127.1", "256.0.0.1", "0x7f.0.0.1", "[::1]", "::g", "1"];
  for (const text of bad) {
    const error = assertThrows(() => hostAddresses(["127.0.0.2", text]), TypeError);
    assertStringIncludes(error.message, `address "${text}"`);
  }
});

test("hostAddresses() refuses an address that is listed twice, however it is written", () => {
  assertThrows(() => hostAddresses(["127.0.0.2", "127.0.0.2"]), TypeError, "listed twice");
  assertThrows(() => hostAddresses(["::1", "0:0:0:0:0:0:0:1"]), TypeError, '"::1"');
});

test("hostAddresses() refuses an empty list", () => {
  assertThrows(() => hostAddresses([]), TypeError, "empty list");
});

test("hostAddresses() does not change with the list that it was given", () => {
  const list = ["127.0.0.2"];
  const source = hostAddresses(list);
  list.push("127.0.0.3");
  assertEquals(source.addresses, ["127.0.0.2"]);
});
