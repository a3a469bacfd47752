// Addresses that the table adds to an interface (A8), on interfaces that only count.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  AddressTable,
  type AddressTableOptions,
  delay,
  JackfieldError,
  unsupported,
} from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { rejection } from "../transport/tools.ts";
import { WatchedInterfaces, WatchedSource, type WatchedSourceOptions } from "./sources.ts";

const TARGET = { hostname: "192.0.2.1", port: 80 };

async function scene(
  options: Partial<AddressTableOptions> = {},
  lends: Partial<WatchedSourceOptions> = {},
) {
  const clock = new VirtualClock();
  const interfaces = new WatchedInterfaces();
  const transport = memoryTransport({ clock, host: { interfaces } });
  const listener = await transport.listen(TARGET);
  const source = new WatchedSource({ addresses: ["10.0.0.1", "10.0.0.2"], clock, ...lends });
  const errors: [string, unknown][] = [];
  const table = new AddressTable({
    transport,
    source,
    clock,
    assign: { interface: "eth0", validMs: 10_000 },
    onError: (error, { stage }) => errors.push([stage, error]),
    ...options,
  });
  return { clock, interfaces, transport, listener, source, table, errors };
}

test("AddressTable adds an address on create and removes it on close (A8)", async () => {
  const { interfaces, source, table } = await scene();
  const [one, two, three] = await Promise.all([table.create(), table.create(), table.create()]);
  assertEquals([...interfaces.assigned], [
    ["10.0.0.1", { interface: "eth0", validMs: 10_000, renewals: 0 }],
    ["10.0.0.2", { interface: "eth0", validMs: 10_000, renewals: 0 }],
  ]);
  await table.close(one);
  assertEquals(interfaces.assigned.size, 2); // The third descriptor shares it.
  await table.close(three);
  assertEquals([...interfaces.assigned.keys()], ["10.0.0.2"]);
  await table.close(two);
  assertEquals([interfaces.assigned.size, source.lent.size], [0, 0]);
  const socket = await table.connect(TARGET);
  assertEquals(interfaces.assigned.size, 1);
  await socket.close();
  await table.closeAll();
  assertEquals(interfaces.assigned.size, 0);
});

test("AddressTable renews an added address at half of its time while it is in use (A8)", async () => {
  const { clock, interfaces, table } = await scene();
  const descriptor = await table.create();
  await clock.advance(20_000);
  assertEquals(interfaces.assigned.get("10.0.0.1")?.renewals, 4);
  await table.close(descriptor);
  await clock.advance(20_000);
  assertEquals([interfaces.assigned.size, clock.pending], [0, 0]);
});

test("AddressTable takes an added address away before its lease ends: the kernel may be late (A8)", async () => {
  const { clock, interfaces, table, source } = await scene({}, { leaseMs: 15_500, renews: false });
  const socket = await table.connect(TARGET);
  assertEquals(interfaces.assigned.get("10.0.0.1")!.validMs, 10_000);
  await clock.advance(5000);
  assertEquals(interfaces.assigned.get("10.0.0.1")!.validMs, 8000); // In whole seconds, too.
  await clock.advance(7999);
  assertEquals([socket.state, interfaces.assigned.get("10.0.0.1")!.renewals], ["open", 1]);
  await clock.advance(1);
  assertEquals([socket.state, interfaces.assigned.size, source.lent.size], ["closed", 0, 0]);
  const short = await scene({}, { leaseMs: 2999 });
  assertEquals((await rejection(short.table.create())).code, "ADDRESS_LEASE_LOST");
  assertEquals([short.source.lent.size, short.table.size], [0, 0]);
});

test("AddressTable renews a lease when its source says so, and an added address beside it (A4, A8)", async () => {
  const { clock, interfaces, table, source } = await scene({}, {
    leaseMs: 60_000,
    renewAfterMs: 50_000,
  });
  const descriptor = await table.create();
  await clock.advance(49_999);
  assertEquals(source.counts.renewals, 0);
  const before = interfaces.assigned.get("10.0.0.1")!.renewals;
  assertEquals(before, 9);
  await clock.advance(1);
  assertEquals([source.counts.renewals, table.state().addresses[0]!.state], [1, "leased"]);
  await table.close(descriptor);
  await table.closeAll();
});

test("AddressTable keeps an added address while a renewal of its lease waits for an answer (A4, A8)", async () => {
  const clock = new VirtualClock();
  const wait = (what: string) => what === "renew" ? delay(clock, 25_000) : undefined;
  const made = await scene({ clock }, { leaseMs: 60_000, wait, clock });
  const socket = await made.table.connect(TARGET);
  await clock.advance(54_999);
  assertEquals([made.source.counts.renewals, socket.state], [1, "open"]);
  await clock.advance(1);
  await clock.advance(30_000); // Half of it once more.
  assertEquals([made.source.counts.renewals, socket.state], [2, "open"]);
  await socket.close();
  await made.table.closeAll();
});

test("AddressTable loses an added address that cannot be renewed, when the kernel removes it (A8)", async () => {
  const { clock, interfaces, table, errors, source } = await scene();
  const socket = await table.connect(TARGET);
  const failure = new JackfieldError("ADDRESS_ASSIGN_FAILED", "no right any more");
  interfaces.wait = (what) => what === "renew" ? Promise.reject(failure) : undefined;
  await clock.advance(9999);
  assert(errors.length > 2);
  assert(errors.every(([stage, error]) => stage === "renew" && error === failure));
  assertEquals(socket.state, "open");
  await clock.advance(1);
  assertEquals((await rejection(socket.closed)).code, "ADDRESS_LEASE_LOST");
  assertEquals([interfaces.assigned.size, source.lent.size], [0, 0]); // Given back all the same.
  interfaces.wait = undefined;
  const next = await table.connect(TARGET);
  await next.close();
  await table.closeAll();
});

test("AddressTable.create() passes on ADDRESS_ASSIGN_FAILED, and gives the address back (A8)", async () => {
  const { interfaces, table, source } = await scene();
  const failure = new JackfieldError("ADDRESS_ASSIGN_FAILED", "run ip addr add 10.0.0.1/32");
  interfaces.wait = (what) => what === "assign" ? Promise.reject(failure) : undefined;
  assertEquals(await rejection(table.create()), failure);
  assertEquals(await rejection(table.connect(TARGET)), failure);
  await settle();
  assertEquals([table.size, source.lent.size, interfaces.assigned.size], [0, 0, 0]);
});

test("AddressTable.close() waits until an address is removed, and tells what went wrong (A8)", async () => {
  const { clock, interfaces, table, source, errors } = await scene();
  const descriptor = await table.create();
  interfaces.wait = (what) => what === "remove" ? delay(clock, 100) : undefined;
  let closed = false;
  const closing = table.close(descriptor).then(() => closed = true);
  await clock.advance(99);
  assertEquals([closed, table.state().addresses[0]!.state], [false, "draining"]);
  const other = await table.create(); // The other address: this one is on its way out.
  assertEquals(table.addressOf(other).hostname, "10.0.0.2");
  await clock.advance(1);
  await closing;
  const failure = new JackfieldError("ADDRESS_ASSIGN_FAILED", "no right any more");
  interfaces.wait = (what) => what === "remove" ? Promise.reject(failure) : undefined;
  assertEquals(await rejection(table.close(other)), failure);
  assertEquals([table.size, source.lent.size, errors], [0, 0, []]); // The lease went back, too.
  await (await table.connect(TARGET)).close();
  await settle();
  assertEquals(errors, [["release", failure]]);
});

test("AddressTable keeps an added address whose socket was handed off, until closeAll", async () => {
  const { interfaces, table, listener } = await scene();
  const socket = await table.connect(TARGET);
  const { detachSocket, createSocket } = await import("../../src/core.ts");
  const { driver, ...facts } = detachSocket(socket);
  const taken = createSocket(driver, facts);
  await settle();
  assertEquals([socket.state, interfaces.assigned.size, table.size], ["gone", 1, 1]);
  assertEquals(table.state().ports, { ...table.state().ports, used: 0, resting: 1 });
  const far = await listener.accept();
  await taken.write(new Uint8Array([7]));
  assertEquals(await far.read(new Uint8Array(1)), 1);
  await taken.close();
  await table.closeAll();
  assertEquals(interfaces.assigned.size, 0);
});

test("AddressTable refuses what it cannot assign", async () => {
  const { transport, source } = await scene();
  const make = (assign: AddressTableOptions["assign"], host: unknown = transport.host) =>
    new AddressTable({
      transport: { ...transport, capabilities: transport.capabilities, host } as never,
      source,
      assign,
    });
  const error = assertThrows(() => make({ interface: "eth0" }, {})) as { code?: string };
  assertEquals(error.code, unsupported("assign", "").code);
  for (const validMs of [0, 999, NaN, Infinity]) {
    assertThrows(() => make({ interface: "eth0", validMs }), RangeError, `validMs "${validMs}"`);
  }
  assertThrows(() => make({ interface: "" }), TypeError, 'interface ""');
});
