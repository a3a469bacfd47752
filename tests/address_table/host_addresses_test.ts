import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type AddressLeaseRequest,
  AddressTable,
  hostAddresses,
  type InterfaceAddress,
} from "../../src/core.ts";
import { memoryTransport, seededRandom } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { WatchedInterfaces } from "./sources.ts";

/** A request for any address, or for one of a family. */
function anyAddress(
  family?: 4 | 6,
  isUnusable: (hostname: string) => boolean = () => false,
): AddressLeaseRequest {
  return { hostname: undefined, family, target: undefined, exclusive: false, isUnusable };
}

test("hostAddresses() keeps the order and brings literals into normal form (A4, RFC 5952)", () => {
  const { addresses } = hostAddresses(["127.0.0.3", "2001:DB8:0:0::0:1", "127.0.0.2", "::0001"]);
  assertEquals(addresses, ["127.0.0.3", "2001:db8::1", "127.0.0.2", "::1"]);
});

test("hostAddresses() refuses what is no literal, and shows it", () => {
  const bad = ["", "localhost", "127.0.0", "127.1", "256.0.0.1", "0x7f.0.0.1", "[::1]", "::g", "1"];
  for (const text of [...bad, "fe80::1%eth0"]) {
    const error = assertThrows(() => hostAddresses(["127.0.0.2", text]), TypeError);
    assertStringIncludes(error.message, `address "${text}"`);
  }
});

test("hostAddresses() refuses an address that is listed twice, however it is written", () => {
  assertThrows(() => hostAddresses(["127.0.0.2", "127.0.0.2"]), TypeError, "listed twice");
  assertThrows(() => hostAddresses(["::1", "0:0:0:0:0:0:0:1"]), TypeError, '"::1"');
  for (const other of ["10.0.0.9", "10.0.0.0/28", "10.0.0.9-10.0.1.9", "10.0.0.1-10.0.0.9"]) {
    assertThrows(
      () => hostAddresses(["10.0.0.5-10.0.0.9", "::1", other]),
      TypeError,
      "listed twice",
    );
  }
  hostAddresses(["10.0.0.5-10.0.0.9", "10.0.0.10", "10.0.0.0/30"]); // 10.0.0.1 and 2.
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

test("hostAddresses() takes ranges, both ends included (A4)", () => {
  const { addresses, size } = hostAddresses(["10.0.0.254-10.0.1.1", "::ffff-::1:1"]);
  assertEquals(addresses, [
    ...["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"],
    ...["::ffff", "::1:0", "::1:1"],
  ]);
  assertEquals(size, 7);
  const bad = ["10.0.0.2-10.0.0.1", "10.0.0.1-::1", "10.0.0.1-", "-10.0.0.1", "1.1.1.1-2"];
  for (const text of bad) {
    assertThrows(() => hostAddresses([text]), TypeError, "Cannot use address");
  }
});

test("hostAddresses() takes the hosts of a CIDR block (A4, RFC 1122, RFC 3021, RFC 4291)", () => {
  const hosts: Record<string, string[]> = {
    "127.0.1.0/29": [1, 2, 3, 4, 5, 6].map((host) => `127.0.1.${host}`),
    "10.0.0.4/30": ["10.0.0.5", "10.0.0.6"],
    "10.0.0.4/31": ["10.0.0.4", "10.0.0.5"],
    "10.0.0.4/32": ["10.0.0.4"],
    "2001:db8::4/126": ["2001:db8::5", "2001:db8::6", "2001:db8::7"],
    "2001:db8::4/127": ["2001:db8::4", "2001:db8::5"],
    "2001:DB8::4/128": ["2001:db8::4"],
  };
  for (const [block, expected] of Object.entries(hosts)) {
    const { addresses, size } = hostAddresses([block]);
    assertEquals([addresses, size], [expected, expected.length], block);
  }
});

test("hostAddresses() refuses a block that is none, and says which was meant", () => {
  const bad: Record<string, string> = {
    "10.0.0.1/28": '"10.0.0.0/28"',
    "2001:db8::1/64": '"2001:db8::/64"',
    "10.0.0.0/33": "up to 32",
    "::/129": "up to 128",
    "10.0.0.0/": "ADDRESS/PREFIX-LENGTH",
    "10.0.0.0/x": "ADDRESS/PREFIX-LENGTH",
    "here/8": '"here"',
  };
  for (const [text, words] of Object.entries(bad)) {
    assertThrows(() => hostAddresses([text]), TypeError, words);
  }
});

test("hostAddresses() draws from a large block, of which it holds nothing (A4)", () => {
  const source = hostAddresses(["2001:db8::/64"], { random: seededRandom(5) });
  assertEquals(source.addresses, []);
  assertEquals(source.size, 2 ** 64);
  const drawn = new Set<string>();
  for (let at = 0; at < 1000; at++) {
    const { hostname } = source.lease(anyAddress()) as { hostname: string };
    assert(hostname.startsWith("2001:db8::") || /^2001:db8(:0)?(:0)?:/.test(hostname), hostname);
    drawn.add(hostname);
  }
  assertEquals(drawn.size, 1000); // Two equal ones have a chance of 1 in 10^13.
  assertEquals(source.lease(anyAddress(4)), undefined);
});

test("hostAddresses() draws every address of a block that is of use, and no other", () => {
  const random = seededRandom(7);
  const source = hostAddresses(["10.0.0.0/20", "fd00::/120"], { random });
  assertEquals([source.addresses.length, source.size], [0, 4094 + 255]);
  const drawn = new Set<string>();
  for (;;) {
    const lease = source.lease(anyAddress(undefined, (hostname) => drawn.has(hostname)));
    if (lease === undefined) break;
    const { hostname } = lease as { hostname: string };
    assert(!drawn.has(hostname), hostname);
    drawn.add(hostname);
    if (drawn.size > 4400) break;
  }
  assertEquals(drawn.size, 4094 + 255);
  for (const none of ["10.0.0.0", "10.0.15.255", "fd00::"]) assert(!drawn.has(none), none);
});

/** A transport on a host with these addresses. */
function hostWith(addresses: readonly InterfaceAddress[]) {
  const interfaces = new WatchedInterfaces();
  const found = [...addresses];
  interfaces.list = () => found as unknown as [];
  return { transport: memoryTransport({ host: { interfaces } }), found };
}

const LINK = { hostname: "fe80::1", family: 6, prefixLength: 64, scope: "link" } as const;
const HOST = { hostname: "127.0.0.1", family: 4, prefixLength: 8, scope: "host" } as const;
const FOUR = { hostname: "192.0.2.7", family: 4, prefixLength: 24, scope: "global" } as const;
const SIX = { hostname: "2001:DB8::7", family: 6, prefixLength: 64, scope: "global" } as const;
const ON_HOST: readonly InterfaceAddress[] = [
  { ...HOST, interface: "lo" },
  { ...FOUR, interface: "eth0" },
  { ...SIX, interface: "eth0" },
  { ...LINK, interface: "eth0" },
  { ...FOUR, hostname: "198.51.100.7", interface: "eth1" },
];

test("hostAddresses() without a list takes what the interfaces have, by name, family and scope (A4)", () => {
  const cases: [Parameters<typeof hostAddresses>[0], string[]][] = [
    [undefined, ["127.0.0.1", "192.0.2.7", "2001:db8::7", "198.51.100.7"]],
    [{ interface: "eth0" }, ["192.0.2.7", "2001:db8::7"]],
    [{ family: 4 }, ["127.0.0.1", "192.0.2.7", "198.51.100.7"]],
    [{ family: 6, scope: "global" }, ["2001:db8::7"]],
    [{ scope: "link" }, ["fe80::1"]],
    [{ scope: "host" }, ["127.0.0.1"]],
    [{ interface: "eth9" }, []],
  ] as never;
  for (const [selection, expected] of cases) {
    const source = hostAddresses(selection as never);
    assertEquals(source.addresses, []); // Nobody has asked the host yet.
    new AddressTable({ transport: hostWith(ON_HOST).transport, source });
    assertEquals([source.addresses, source.size], [expected, expected.length]);
  }
});

test("AddressTable.refresh() reads the interfaces again", async () => {
  const { transport, found } = hostWith(ON_HOST.slice(0, 2));
  const table = new AddressTable({ transport, source: hostAddresses() });
  const hosts = async (count: number) => {
    const made = await Promise.all(Array.from({ length: count }, () => table.create()));
    const hosts = made.map((descriptor) => table.addressOf(descriptor).hostname);
    await Promise.all(made.slice(1).map((descriptor) => table.close(descriptor)));
    return hosts;
  };
  assertEquals(await hosts(3), ["127.0.0.1", "192.0.2.7", "127.0.0.1"]);
  found.splice(0, 1, { ...FOUR, hostname: "192.0.2.8", interface: "eth0" });
  table.refresh();
  assertEquals(new Set(await hosts(4)), new Set(["192.0.2.7", "192.0.2.8"]));
  assertEquals(table.addressOf(1).hostname, "127.0.0.1"); // Who has it keeps it.
  found.splice(0);
  table.refresh();
  assertEquals(table.state().leaseable, 0);
  await table.closeAll();
});

test("hostAddresses() refuses a selection that is none, and a host without interfaces", () => {
  assertThrows(() => hostAddresses({ family: 5 as never }), TypeError, 'family "5"');
  assertThrows(() => hostAddresses({ scope: "site" as never }), TypeError, 'scope "site"');
  const make = () => new AddressTable({ transport: memoryTransport(), source: hostAddresses() });
  const error = assertThrows(make) as { code?: string; feature?: string };
  assertEquals([error.code, error.feature], ["UNSUPPORTED", "hostAddresses()"]);
});
