import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type AddressCandidate,
  type AddressRequest,
  AddressTable,
  type AddressTableOptions,
  hostAddresses,
  type Transport,
} from "../../src/core.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { echoServer, rejection } from "../transport/tools.ts";

const TWO = ["127.0.0.2", "127.0.0.3"];

/** A table on a network in memory, where somebody listens. */
async function network(options: Partial<AddressTableOptions> = {}, addresses = TWO) {
  const transport = memoryTransport();
  const listener = await transport.listen({ port: 7000 });
  const table = new AddressTable({ transport, source: hostAddresses(addresses), ...options });
  const served = echoServer(listener);
  return {
    transport,
    table,
    target: listener.address,
    async end() {
      await table.closeAll();
      await listener.close();
      await served;
      return { descriptors: table.size, ports: table.ports };
    },
  };
}

const NOTHING = { descriptors: 0, ports: 0 };

test("AddressTable.create() issues descriptors, each with an address in turn (A2, A3)", async () => {
  const { table, end } = await network();
  const descriptors = await Promise.all([table.create(), table.create(), table.create()]);
  assertEquals(new Set(descriptors).size, 3);
  assertEquals(descriptors.map((descriptor) => table.addressOf(descriptor)), [
    { hostname: "127.0.0.2", port: 0 },
    { hostname: "127.0.0.3", port: 0 },
    { hostname: "127.0.0.2", port: 0 },
  ]);
  assertEquals([table.size, table.ports], [3, 0]);
  assertEquals(await end(), NOTHING);
});

test("AddressTable never issues a descriptor twice (A3)", async () => {
  const { table, end } = await network();
  const first = await table.create();
  await table.close(first);
  const second = await table.create();
  assert(first !== second);
  assertEquals((await rejection(table.bind(first))).code, "ADDRESS_UNKNOWN_DESCRIPTOR");
  assertEquals(await end(), NOTHING);
});

test("AddressTable.bind() gives a port, and the same one again (A5)", async () => {
  const { table, end } = await network({ ports: { from: 40_000, to: 40_001 } });
  const descriptor = await table.create();
  const bound = await table.bind(descriptor);
  assertEquals(bound.hostname, "127.0.0.2");
  assert(bound.port === 40_000 || bound.port === 40_001);
  assertEquals(await table.bind(descriptor), bound);
  assertEquals(table.addressOf(descriptor), bound);
  assertEquals(table.ports, 1);
  assertEquals(await end(), NOTHING);
});

test("AddressTable.connect() uses the bound address and port (A5, A6)", async () => {
  const { table, target, end } = await network();
  const descriptor = await table.create();
  const bound = await table.bind(descriptor);
  const socket = await table.connect(descriptor, target);
  assertEquals(socket.localAddress, bound);
  assertEquals(table.addressOf(descriptor), bound);
  await socket.close();
  assertEquals(table.ports, 1); // A bound port stays until the descriptor is closed.
  assertEquals(table.addressOf(descriptor), bound);
  assertEquals(await end(), NOTHING);
});

test("AddressTable.connect() binds first when nobody did (A5, A6)", async () => {
  const { table, target, end } = await network();
  const descriptor = await table.create();
  const socket = await table.connect(descriptor, target);
  assertEquals(table.addressOf(descriptor), socket.localAddress);
  assertEquals(socket.localAddress.hostname, "127.0.0.2");
  assertEquals(await table.bind(descriptor), socket.localAddress); // What it has already.
  assertEquals([table.size, table.ports], [1, 1]);
  await socket.close();
  await Promise.resolve();
  assertEquals([table.size, table.ports], [1, 0]);
  assertEquals(await end(), NOTHING);
});

test("AddressTable.connect() may be called again when the connection has ended (A2)", async () => {
  const { table, target, end } = await network();
  const descriptor = await table.create();
  const first = await table.connect(descriptor, target);
  assertEquals((await rejection(table.connect(descriptor, target))).code, "ADDRESS_IN_USE");
  assertEquals(first.state, "open");
  await first.close();
  const second = await table.connect(descriptor, target);
  assertEquals(second.localAddress.hostname, first.localAddress.hostname);
  assertEquals(table.addressOf(descriptor), second.localAddress);
  assertEquals(await end(), NOTHING);
});

test("AddressTable.connect(): the same port serves once for every destination (A5)", async () => {
  const { transport, table, target, end } = await network({ ports: { from: 40_000, to: 40_000 } }, [
    "127.0.0.2",
  ]);
  const other = await transport.listen({ port: 7001 });
  const [one, two] = await Promise.all([table.connect(target), table.connect(other.address)]);
  assertEquals(one.localAddress, two.localAddress);
  const error = await rejection(table.connect(target)) as Error & { code?: string; limit?: number };
  assertEquals([error.code, error.limit], ["ADDRESS_EXHAUSTED", 1]);
  await one.close();
  await settle(); // Until the peer has closed too, nobody can have the tuple.
  await (await table.connect(target)).close();
  await two.close();
  await other.close();
  assertEquals(await end(), NOTHING);
});

test("AddressTable.connect(target) gives everything back when its socket closes (A7)", async () => {
  const { transport, table, target, end } = await network();
  const ways = ["close", "abort"] as const;
  for (const way of ways) {
    const sockets = await Promise.all([table.connect(target), table.connect(target)]);
    assertEquals(new Set(sockets.map(({ localAddress }) => localAddress.hostname)), new Set(TWO));
    assertEquals([table.size, table.ports], [2, 2]);
    for (const socket of sockets) socket[way]();
    await Promise.allSettled(sockets.map(({ closed }) => closed));
    await Promise.resolve();
    assertEquals([table.size, table.ports], [0, 0], way);
  }
  await settle();
  assertEquals(transport.openEnds, 0);
  assertEquals(await end(), NOTHING);
});

test("AddressTable.connect(target) gives everything back when the connect fails (A7)", async () => {
  const { table, end } = await network();
  const error = await rejection(table.connect({ hostname: "127.0.0.1", port: 9 }));
  assertEquals(error.code, "CONNECT_FAILED");
  assertEquals([table.size, table.ports], [0, 0]);
  const descriptor = await table.create();
  await rejection(table.connect(descriptor, { hostname: "127.0.0.1", port: 9 }));
  assertEquals([table.size, table.ports], [1, 0]); // The descriptor is the caller's.
  assertEquals(table.addressOf(descriptor).port, 0);
  assertEquals(await end(), NOTHING);
});

test("AddressTable: an unknown or closed descriptor is refused in each operation (A2)", async () => {
  const { table, target, end } = await network();
  const closed = await table.create();
  await table.close(closed);
  for (const descriptor of [closed, 0, -1, 999, NaN, 1.5]) {
    const operations = [
      table.bind(descriptor),
      table.connect(descriptor, target),
      table.close(descriptor),
      new Promise((resolve) => resolve(table.addressOf(descriptor))),
    ];
    for (const operation of operations) {
      const error = await rejection(operation);
      assertEquals(error.code, "ADDRESS_UNKNOWN_DESCRIPTOR");
      assertStringIncludes(error.message, `descriptor ${descriptor}`);
    }
  }
  assertEquals(await end(), NOTHING);
});

test("AddressTable.create() names the limit of descriptors", async () => {
  const { table, target, end } = await network({ maxDescriptors: 2 });
  const [first] = [await table.create(), await table.create()];
  const error = await rejection(table.create()) as Error & { code?: string; limit?: number };
  assertEquals([error.code, error.limit], ["ADDRESS_EXHAUSTED", 2]);
  assertEquals((await rejection(table.connect(target))).code, "ADDRESS_EXHAUSTED");
  await table.close(first!);
  await table.create();
  assertEquals(await end(), NOTHING);
});

test("AddressTable.closeAll() closes everything and issues nothing more", async () => {
  const { table, target, end } = await network();
  const [free, bound] = [await table.create(), await table.create()];
  await table.bind(bound!);
  const socket = await table.connect(target);
  assertEquals(typeof free, "number");
  await table[Symbol.asyncDispose]();
  assertEquals([socket.state, table.size, table.ports], ["closed", 0, 0]);
  assertEquals((await rejection(table.create())).code, "ADDRESS_TABLE_CLOSED");
  assertEquals((await rejection(table.connect(target))).code, "ADDRESS_TABLE_CLOSED");
  assertEquals(await end(), NOTHING);
});

test("AddressTable takes the address that the strategy chooses (P4)", async () => {
  const requests: AddressRequest[] = [];
  const seen: [string, number][][] = [];
  const strategy = (candidates: readonly AddressCandidate[], request: AddressRequest) => {
    requests.push(request);
    seen.push(candidates.map(({ hostname, descriptors }) => [hostname, descriptors]));
    return candidates.find(({ hostname }) => hostname === "127.0.0.3");
  };
  const { table, target, end } = await network({ strategy });
  const socket = await table.connect(target);
  await table.create();
  assertEquals(socket.localAddress.hostname, "127.0.0.3");
  assertEquals(requests, [{ target }, { target: undefined }]);
  assertEquals(seen, [[["127.0.0.2", 0], ["127.0.0.3", 0]], [["127.0.0.2", 0], ["127.0.0.3", 1]]]);
  assertEquals(await end(), NOTHING);
});

test("AddressTable refuses a choice that was not offered, and leaks nothing (P4)", async () => {
  let choice: unknown;
  let kept: AddressCandidate | undefined;
  const strategy = (candidates: readonly AddressCandidate[]) => {
    kept ??= candidates.find(({ hostname }) => hostname === "::1");
    return (choice === "kept" ? kept : choice) as AddressCandidate;
  };
  const { table, target, end } = await network({ strategy }, ["127.0.0.2", "::1"]);
  assertEquals((await rejection(table.create())).code, "ADDRESS_EXHAUSTED"); // It chose none.
  for (const bad of [null, "127.0.0.2", {}, "kept"]) {
    choice = bad; // The last one is of the table, but does not fit.
    const error = await rejection(table.connect(target));
    assert(error instanceof TypeError, String(bad));
    assertStringIncludes(error.message, "choice of strategy");
    assertEquals([table.size, table.ports], [0, 0]);
  }
  assertEquals(await end(), NOTHING);
});

test("AddressTable takes only addresses of the target's family (A1)", async () => {
  const { transport, table, target, end } = await network({}, ["127.0.0.2", "::1", "127.0.0.3"]);
  const six = await transport.listen({ hostname: "::1", port: 7000 });
  const hosts = [];
  for (const to of [six.address, { hostname: "[::1]", port: 7000 }, target, target]) {
    hosts.push((await table.connect(to)).localAddress.hostname);
  }
  assertEquals(hosts, ["::1", "::1", "127.0.0.2", "127.0.0.3"]);
  const descriptor = await table.create(); // The next in turn: ::1.
  assertEquals(table.addressOf(descriptor).hostname, "::1");
  assert(await rejection(table.connect(descriptor, target)) instanceof TypeError);
  assertEquals((await rejection(table.connect({ path: "/nowhere" }))).code, "ADDRESS_EXHAUSTED");
  await six.close();
  assertEquals(await end(), NOTHING);
});

test("AddressTable refuses bad options, and a transport without local addresses", () => {
  const transport = memoryTransport();
  const source = hostAddresses(TWO);
  const make = (options: Partial<AddressTableOptions>) =>
    new AddressTable({ transport, source, ...options });
  assertThrows(() => make({ maxDescriptors: 0 }), RangeError, 'maxDescriptors "0"');
  assertThrows(() => make({ ports: { from: 2, to: 1 } }), RangeError, 'ports "2-1"');
  assertThrows(() => make({ strategy: 7 as never }), TypeError, 'strategy "7"');
  const capabilities = { ...transport.capabilities, localAddress: false };
  const poor: Transport = { ...transport, name: "poor", capabilities } as Transport;
  const error = assertThrows(() => make({ transport: poor })) as { code?: string };
  assertEquals(error.code, "UNSUPPORTED");
});
