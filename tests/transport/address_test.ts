import { assertEquals, assertThrows } from "@std/assert";
import {
  assertPort,
  formatAddress,
  ipVersion,
  parseAddress,
  sameIp,
  withoutBrackets,
} from "../../src/core.ts";
import { test } from "../harness.ts";

test("formatAddress() writes IPv4, IPv6, names and paths", () => {
  assertEquals(formatAddress({ hostname: "127.0.0.1", port: 80 }), "127.0.0.1:80");
  assertEquals(formatAddress({ hostname: "::1", port: 80 }), "[::1]:80");
  assertEquals(formatAddress({ hostname: "a.test", port: 0 }), "a.test:0");
  assertEquals(formatAddress({ path: "/run/x.sock" }), "unix:/run/x.sock");
  assertEquals(formatAddress({ hostname: "", port: 0, path: "\0abstract" }), "unix:@abstract");
  assertEquals(formatAddress({ hostname: "", port: 0, path: "" }), "unix:");
});

test("parseAddress() reads what formatAddress() writes", () => {
  for (const text of ["127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:1", "a.test:65535", "a:0"]) {
    assertEquals(formatAddress(parseAddress(text)), text);
  }
  assertEquals(parseAddress("[::1]:80"), { hostname: "::1", port: 80 });
});

test("parseAddress() refuses other texts and names them", () => {
  for (
    const text of ["", "127.0.0.1", "::1", "::1:80", ":80", "a.test:", "[::1]", "a:8o", "a:-1"]
  ) {
    assertThrows(() => parseAddress(text), TypeError, `Cannot read address "${text}"`);
  }
  assertThrows(() => parseAddress("a.test:65536"), RangeError, 'port "65536"');
});

test("assertPort() takes 0 to 65535 and names what it refuses", () => {
  for (const port of [0, 1, 65_535]) assertPort(port);
  for (const port of [-1, 65_536, 1.5, NaN, Infinity]) {
    assertThrows(() => assertPort(port), RangeError, `Cannot use port "${port}"`);
  }
  assertThrows(() => assertPort(-1, "localPort"), RangeError, 'localPort "-1"');
  assertThrows(() => assertPort("80" as unknown as number), RangeError, 'port "80"');
});

test("ipVersion() tells literals from names", () => {
  const cases: [string, number][] = [
    ["127.0.0.1", 4],
    ["255.255.255.255", 4],
    ["::", 6],
    ["::1", 6],
    ["fe80::1%eth0", 6],
    ["::ffff:127.0.0.1", 6],
    ["localhost", 0],
    ["1.2.3", 0],
    ["1.2.3.4.5", 0],
    ["1.2.3.4.test", 0],
    ["", 0],
  ];
  for (const [hostname, version] of cases) assertEquals(ipVersion(hostname), version, hostname);
});

test("withoutBrackets() takes off a pair of brackets only", () => {
  assertEquals(["[::1]", "::1", "[x", "x]", "a.test", ""].map(withoutBrackets), [
    "::1",
    "::1",
    "[x",
    "x]",
    "a.test",
    "",
  ]);
});

test("sameIp() sees through different spellings", () => {
  const same: [string, string][] = [
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "0:0:0:0:0:0:0:1"],
    ["2001:DB8::A", "2001:db8:0::000a"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["::ffff:7f00:1", "127.0.0.1"],
    ["fe80::1%eth0", "fe80::1"],
    ["not:an:address", "not:an:address"],
  ];
  const different: [string, string][] = [
    ["127.0.0.1", "127.0.0.2"],
    ["::1", "::2"],
    ["::1", "127.0.0.1"],
    ["::127.0.0.1", "127.0.0.1"],
    ["not:an:address", "::1"],
    ["", "::"],
  ];
  for (const [a, b] of same) assertEquals([sameIp(a, b), sameIp(b, a)], [true, true], `${a} ${b}`);
  for (const [a, b] of different) {
    assertEquals([sameIp(a, b), sameIp(b, a)], [false, false], `${a} ${b}`);
  }
});
