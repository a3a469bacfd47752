// The lease contract from the table's side: what it asks a source for, and when a lease is over.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  AddressTable,
  type AddressTableOptions,
  delay,
  hostAddresses,
  JackfieldError,
  roundRobin,
} from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { FakeTransport } from "../pool/fake_transport.ts";
import { settle } from "../support/seeds.ts";
import { rejection } from "../transport/tools.ts";
import { WatchedSource, type WatchedSourceOptions } from "./sources.ts";

const TARGET = { hostname: "192.0.2.1", port: 80 };

/** A table over a source that is watched, on a network in memory. */
async function scene(
  lends: Partial<WatchedSourceOptions> = {},
  options: Partial<AddressTableOptions> = {},
) {
  const clock = new VirtualClock();
  const transport = memoryTransport({ clock });
  const listener = await transport.listen(TARGET);
  const errors: [string, unknown][] = [];
  const source = new WatchedSource({ addresses: ["10.0.0.1", "10.0.0.2"], clock, ...lends });
  const table = new AddressTable({
    transport,
    source,
    clock,
    onError: (error, { stage }) => errors.push([stage, error]),
    ...options,
  });
  const hosts = () => table.state().addresses.map(({ hostname }) => hostname);
  return { clock, transport, listener, source, table, errors, hosts };
}

test("AddressTable leases an address with its first descriptor and gives it back with the last (A3, A7)", async () => {
  const { source, table } = await scene({ addresses: ["10.0.0.1"] });
  assertEquals(source.counts.leases, 0);
  const [one, two] = [await table.create(), await table.create()];
  assertEquals([source.counts.leases, source.lent.size], [1, 1]);
  await table.close(one);
  assertEquals(source.counts.releases, 0);
  await table.close(two);
  assertEquals([source.counts.releases, source.lent.size], [1, 0]);
  await table.create();
  assertEquals(source.counts.leases, 2);
  await table.closeAll();
  assertEquals(source.lent.size, 0);
});

test("AddressTable.close() of a descriptor that connect(target) issued gives its address back once", async () => {
  const { source, table } = await scene({ addresses: ["10.0.0.1"] });
  const sockets = [await table.connect(TARGET), await table.connect(TARGET)];
  const [issued] = table.state().addresses[0]!.descriptors;
  await table.close(issued!);
  await settle();
  assertEquals(sockets.map(({ state }) => state), ["closed", "open"]);
  assertEquals([source.lent.size, table.size, table.ports], [1, 1, 1]); // The other one has it.
  await table.closeAll();
  assertEquals([source.lent.size, source.counts.releases], [0, 1]);
});

test("AddressTable tells the source what it needs", async () => {
  const { source, table } = await scene({ addresses: ["fd00::1", "10.0.0.1"] });
  await table.create({ target: TARGET });
  const { hostname, family, target, exclusive } = source.requests[0]!;
  assertEquals({ hostname, family, target, exclusive }, {
    hostname: "10.0.0.1",
    family: 4,
    target: TARGET,
    exclusive: false,
  });
  await table.closeAll();
});

test("AddressTable asks a source that lists nothing for one address after the other", async () => {
  const { source, table, hosts } = await scene({
    addresses: ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
    isListing: false,
  }, { maxAddresses: 2 });
  const made = [await table.create(), await table.create(), await table.create()];
  assertEquals(source.requests.map(({ hostname }) => hostname), [undefined, undefined]);
  assertEquals(hosts(), ["10.0.0.1", "10.0.0.2"]); // The third descriptor shares one of them.
  assertEquals(table.addressOf(made[2]!).hostname, "10.0.0.1");
  assert(source.requests[1]!.isUnusable("10.0.0.1"));
  assert(!source.requests[1]!.isUnusable("10.0.0.3"));
  await table.close(made[1]!);
  await table.create();
  assertEquals(new Set(hosts()), new Set(["10.0.0.1", "10.0.0.2"]));
  await table.closeAll();
  assertEquals(source.lent.size, 0);
});

test("AddressTable shares what it has when the source has no more", async () => {
  const { source, table, hosts } = await scene({ addresses: ["10.0.0.1"], isListing: false });
  await table.create();
  await table.create();
  assertEquals(hosts(), ["10.0.0.1"]);
  await table.closeAll();
  assertEquals(source.lent.size, 0);
});

test("AddressTable draws from an IPv6 /64: each socket has an address of its own (A4)", async () => {
  const { transport, listener } = await scene();
  const six = await transport.listen({ hostname: "2001:db8::80", port: 80 });
  const source = hostAddresses(["2001:db8:1::/64"]);
  const table = new AddressTable({ transport, source });
  const sockets = await Promise.all(
    Array.from({ length: 100 }, () => table.connect(six.address)),
  );
  const hosts = new Set(sockets.map(({ localAddress }) => localAddress.hostname));
  assertEquals(hosts.size, 100);
  assertEquals(table.state().leaseable, 2 ** 64);
  assertEquals((await rejection(table.connect(listener.address))).code, "ADDRESS_EXHAUSTED");
  await Promise.all(sockets.map((socket) => socket.close()));
  assertEquals(table.state().addresses, []);
  await six.close();
});

test("AddressTable renews a lease at half of its time while it is in use", async () => {
  const { clock, source, table } = await scene({ leaseMs: 10_000 });
  const descriptor = await table.create();
  await clock.advance(4999);
  assertEquals(source.counts.renewals, 0);
  await clock.advance(1);
  assertEquals(source.counts.renewals, 1);
  await clock.advance(60_000);
  assertEquals(source.counts.renewals, 13);
  assertEquals(table.state().addresses[0]!.expiresInMs, 10_000);
  assertEquals(table.state().addresses[0]!.token, "1");
  await table.close(descriptor);
  assertEquals(clock.pending, 0); // Nobody renews what nobody has.
});

test("AddressTable aborts the sockets of a lease that ends, and serves no new ones before (A4)", async () => {
  const { clock, source, table, listener } = await scene(
    { leaseMs: 10_000, renews: false, addresses: ["10.0.0.1"] },
    { drainMs: 2000 },
  );
  const socket = await table.connect(TARGET);
  const far = await listener.accept();
  const [bound, free] = [await table.create(), await table.create()];
  await table.bind(bound);
  await clock.advance(8000);
  assertEquals(table.state().addresses[0]!.state, "draining");
  assertEquals((await rejection(table.create())).code, "ADDRESS_EXHAUSTED");
  await (await table.connect(bound, TARGET)).close(); // Who has the address still uses it.
  await clock.advance(1999);
  assertEquals(socket.state, "open");
  await clock.advance(1);
  assertEquals(socket.state, "closed");
  const why = await rejection(socket.closed) as JackfieldError;
  assertEquals([why.code, why.localAddress], ["ADDRESS_LEASE_LOST", "10.0.0.1"]);
  assertEquals((await rejection(far.read(new Uint8Array(1)))).code, "SOCKET_RESET");
  for (
    const operation of [
      table.bind(bound),
      table.connect(free, TARGET),
      table.listen(free),
    ]
  ) assertEquals((await rejection(operation)).code, "ADDRESS_LEASE_LOST");
  assertEquals(table.addressOf(free).hostname, "10.0.0.1");
  assertEquals([source.lent.size, table.ports, table.size], [0, 0, 2]);
  await table.connect(TARGET); // The next lease of the same address.
  assertEquals([source.counts.leases, table.size], [2, 3]);
  await Promise.all([table.close(bound), table.close(free)]);
  assertEquals([source.lent.size, table.size], [1, 1]);
  await table.closeAll();
});

test("AddressTable notices that a lease is over at the next use, though no timer has come", async () => {
  const { clock, source, table } = await scene({ leaseMs: 1000, addresses: ["10.0.0.1"] });
  const descriptor = await table.create();
  (source.lent.get("10.0.0.1") as { expiresAtMs?: number }).expiresAtMs = clock.now();
  assertEquals((await rejection(table.bind(descriptor))).code, "ADDRESS_LEASE_LOST");
  await table.closeAll();
});

test("AddressTable replaces an address whose lease is over when it is chosen again", async () => {
  const { clock, source, table } = await scene({ leaseMs: 1000, addresses: ["10.0.0.1"] });
  const first = await table.create();
  source.lent.get("10.0.0.1")!.expiresAtMs = clock.now();
  const second = await table.create();
  assertEquals((await rejection(table.bind(first))).code, "ADDRESS_LEASE_LOST");
  await table.bind(second);
  assertEquals(source.counts.leases, 2);
  await table.closeAll();
  assertEquals([source.lent.size, table.ports], [0, 0]);
});

test("AddressTable ends a lease that its source takes back", async () => {
  const { source, table, listener } = await scene({ addresses: ["10.0.0.1"] });
  const socket = await table.connect(TARGET);
  const connecting = rejection(table.connect({ hostname: "silent", port: 1 }));
  const bound = await table.create();
  await table.bind(bound);
  const listening = await table.create();
  const listener2 = await table.listen(listening);
  await settle();
  const reason = new Error("the server says no");
  source.lent.get("10.0.0.1")!.controller.abort(reason);
  const why = await rejection(socket.closed) as JackfieldError;
  assertEquals([why.code, why.cause], ["ADDRESS_LEASE_LOST", reason]);
  assertEquals(await connecting, why);
  assertEquals((await rejection(table.bind(bound))).code, "ADDRESS_LEASE_LOST");
  assertEquals((await rejection(listener2.accept())).code, "LISTENER_CLOSED");
  await table.closeAll();
  assertEquals([source.lent.size, table.ports, table.size], [0, 0, 0]);
  await listener.close();
});

test("AddressTable tries again to renew, tells of failures, and gives up when the lease is lost", async () => {
  let failure: Error | undefined = new Error("no answer");
  const fail = (what: string) => what === "renew" && failure ? Promise.reject(failure) : undefined;
  const { clock, source, table, errors } = await scene({ leaseMs: 16_000, wait: fail });
  const descriptor = await table.create();
  await clock.advance(8000);
  assertEquals(errors, [["renew", failure]]);
  await clock.advance(4000);
  await clock.advance(2000);
  assertEquals([errors.length, source.counts.renewals], [3, 3]);
  failure = undefined;
  await clock.advance(1000);
  assertEquals([errors.length, source.counts.renewals], [3, 4]);
  assertEquals(table.state().addresses[0]!.expiresInMs, 16_000);
  failure = new JackfieldError("ADDRESS_LEASE_LOST", "the server gave it to somebody else");
  await clock.advance(8000);
  assertEquals(await rejection(table.bind(descriptor)), failure);
  assertEquals(errors.length, 3);
  await table.closeAll();
  assertEquals([source.lent.size, clock.pending], [0, 0]);
});

test("AddressTable lets an address rest before it is used again, where asked", async () => {
  const { clock, table, hosts } = await scene({}, { reuseRestMs: 5000 });
  await table.close(await table.create());
  assertEquals(table.state().addresses, [
    { hostname: "10.0.0.1", state: "resting", descriptors: [] },
  ]);
  const second = await table.create();
  assertEquals(table.addressOf(second).hostname, "10.0.0.2");
  await table.close(second);
  assertEquals((await rejection(table.create())).code, "ADDRESS_EXHAUSTED");
  await clock.advance(4999);
  assertEquals((await rejection(table.create())).code, "ADDRESS_EXHAUSTED");
  await clock.advance(1);
  const third = await table.create();
  assertEquals([table.addressOf(third).hostname, hosts()], ["10.0.0.1", ["10.0.0.1"]]);
  await table.closeAll();
});

test("AddressTable keeps an address as long as the kernel has a connect from it", async () => {
  const source = new WatchedSource({ addresses: ["10.0.0.1"] });
  const transport = new FakeTransport();
  const table = new AddressTable({ transport, source });
  const descriptor = await table.create();
  const connecting = rejection(table.connect(descriptor, TARGET));
  await table.close(descriptor);
  assertEquals([table.size, source.lent.size], [0, 1]);
  await connecting;
  transport.connects[0]!.release();
  await settle();
  assertEquals([table.ports, source.lent.size], [0, 0]);
  const anew = rejection(table.connect(TARGET));
  const closing = table.closeAll();
  await anew;
  assertEquals(source.lent.size, 1);
  transport.connects[1]!.release();
  await closing;
  assertEquals(source.lent.size, 0);
});

test("AddressTable aborts a connection whose lease is lost in the moment in which it stands", async () => {
  const source = new WatchedSource({ addresses: ["10.0.0.1"] });
  const transport = new FakeTransport();
  const table = new AddressTable({ transport, source });
  let released = 0;
  const connecting = rejection(table.connect(TARGET, { onReleased: () => released++ }));
  const { socket } = transport.connects[0]!.open();
  source.lent.get("10.0.0.1")!.controller.abort();
  assertEquals((await connecting).code, "ADDRESS_LEASE_LOST");
  assertEquals(socket.state, "closed");
  await settle();
  assertEquals([released, table.size, table.ports, source.lent.size], [1, 0, 0, 0]);
});

test("AddressTable counts a lost address no longer, when its descriptors are closed either", async () => {
  const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
  const { source, table } = await scene({ addresses, isListing: false }, { maxAddresses: 1 });
  const [one, two] = [await table.create(), await table.create()];
  source.lent.get("10.0.0.1")!.controller.abort();
  await table.close(one);
  await table.create();
  await table.close(two);
  await table.create();
  assertEquals([source.counts.leases, source.lent.size, table.size], [2, 1, 2]);
  await table.closeAll();
  assertEquals([source.lent.size, source.counts.releases], [0, 2]);
});

test("AddressTable gives a lease back once, in whatever moment it is lost", async () => {
  const ways: Partial<AddressTableOptions>[] = [{}, { exclusive: true }];
  for (const options of ways) {
    for (const isAsking of [false, true]) {
      for (let moment = 0; moment < 40; moment++) {
        const wait = isAsking ? () => Promise.resolve() : undefined;
        const { source, table } = await scene({ addresses: ["10.0.0.1"], wait }, options);
        const operations = [table.connect(TARGET), table.create()].map((operation) =>
          operation.catch((error) => error as JackfieldError)
        );
        for (let turn = 0; turn < moment; turn++) await Promise.resolve();
        source.lent.get("10.0.0.1")?.controller.abort();
        const ends = await Promise.all(operations);
        for (const end of ends) {
          const code = end instanceof JackfieldError ? end.code : "ADDRESS_LEASE_LOST";
          assert(["ADDRESS_LEASE_LOST", "ADDRESS_EXHAUSTED"].includes(code), `${end}, ${moment}`);
        }
        await settle();
        const open = table.state().addresses.flatMap(({ descriptors }) => descriptors);
        assertEquals(source.lent.size, open.length > 0 ? 1 : 0, `after ${moment} turns`);
        await table.closeAll();
        const { leases, releases } = source.counts;
        assertEquals([source.lent.size, releases, table.ports], [0, leases, 0], `${moment} turns`);
      }
    }
  }
});

test("AddressTable.create() waits for a source that has to ask, as long as its caller does", async () => {
  const clock = new VirtualClock();
  const { source, table } = await scene({
    clock,
    wait: (what) => what === "lease" ? delay(clock, 100) : undefined,
  });
  const controller = new AbortController();
  const reason = new Error("gave up");
  const first = rejection(table.create({ signal: controller.signal }));
  const others = Promise.all([table.create(), table.create(), table.create()]);
  controller.abort(reason);
  assertEquals(await first, reason);
  assertEquals(table.size, 0);
  await clock.advance(100);
  assertEquals((await others).length, 3);
  await settle();
  assertEquals([source.counts.leases, table.size], [2, 3]); // Shared: one wait for both.
  await table.closeAll();
  assertEquals(source.lent.size, 0);
});

test("AddressTable.closeAll() gives back what was on its way, and refuses who waits for it", async () => {
  const clock = new VirtualClock();
  const wait = (what: string) => what === "renew" ? undefined : delay(clock, 100);
  const { source, table } = await scene({ clock, wait });
  const creating = rejection(table.create());
  const connecting = rejection(table.connect(TARGET));
  const closing = table.closeAll();
  assertEquals(table.closeAll(), closing);
  let closed = false;
  void closing.then(() => closed = true);
  await clock.advance(199);
  assertEquals([source.lent.size, closed], [2, false]);
  await clock.advance(1);
  assertEquals([source.lent.size, closed], [0, true]);
  assertEquals((await creating).code, "ADDRESS_TABLE_CLOSED");
  assertEquals((await connecting).code, "ADDRESS_TABLE_CLOSED");
});

test("AddressTable passes on what a source fails with, and counts nothing", async () => {
  const failure = new Error("no server");
  const { source, table } = await scene({
    wait: (what) => what === "lease" ? Promise.reject(failure) : undefined,
  });
  assertEquals(await rejection(table.create()), failure);
  assertEquals(await rejection(table.connect(TARGET)), failure);
  assertEquals([table.size, table.ports, table.state().addresses, source.lent.size], [0, 0, [], 0]);
});

test("AddressTable.close() rejects with what went wrong when the address was given back", async () => {
  const failure = new Error("no server");
  const { table, errors } = await scene({
    wait: (what) => what === "release" ? Promise.reject(failure) : undefined,
  });
  const descriptor = await table.create();
  assertEquals(await rejection(table.close(descriptor)), failure);
  assertEquals([table.size, errors], [0, []]);
  const socket = await table.connect(TARGET);
  await socket.close();
  await settle();
  assertEquals([table.size, errors], [0, [["release", failure]]]); // Nobody else could be told.
});

test("AddressTable refuses a source that lends an address twice, or no address", async () => {
  const lent: string[] = [];
  let hostname = "10.0.0.1";
  const released: string[] = [];
  const source = {
    name: "a broken source",
    size: 1,
    lease: () => {
      const one = hostname;
      lent.push(one);
      return { hostname: one, release: () => void released.push(one) };
    },
  };
  const { table } = await scene({}, { source });
  await table.create();
  const error = await rejection(table.create());
  assertEquals(error.code, "ADDRESS_IN_USE");
  assertStringIncludes(error.message, "a broken source");
  for (hostname of ["somewhere", "FD00::0:1"]) {
    assert(await rejection(table.create()) instanceof TypeError);
  }
  await settle();
  assertEquals([table.size, released], [1, lent.slice(1)]);
  await table.closeAll();
  assertEquals(released.length, lent.length);
});

test("AddressTable refuses a lease that is over before it begins", async () => {
  const { clock, source, table } = await scene({ leaseMs: 0 });
  await clock.advance(10);
  assertEquals((await rejection(table.create())).code, "ADDRESS_LEASE_LOST");
  await settle();
  assertEquals([table.size, source.lent.size], [0, 0]);
});

test("AddressTable asks for no more addresses at once than it may have", async () => {
  const clock = new VirtualClock();
  const wait = (what: string) => what === "lease" ? delay(clock, 100) : undefined;
  const addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
  const { source, table } = await scene({ addresses, isListing: false, wait, clock }, {
    maxAddresses: 2,
  });
  const creating = Promise.all(Array.from({ length: 6 }, () => table.create()));
  await clock.advance(100);
  await creating; // Who comes third waits for what the others are given, and shares it.
  assertEquals([source.counts.leases, source.lent.size, table.size], [2, 2, 6]);
  const sharers = table.state().addresses.flatMap(({ descriptors }) => descriptors);
  assertEquals(sharers.toSorted(), [1, 2, 3, 4, 5, 6]);
  await table.closeAll();
});

test("AddressTable.create() waits for an address that is on its way back", async () => {
  const clock = new VirtualClock();
  const wait = (what: string) => what === "release" ? delay(clock, 100) : undefined;
  const { source, table } = await scene({ addresses: ["10.0.0.1"], wait, clock }, {
    exclusive: true,
  });
  const first = await table.create();
  const closing = table.close(first);
  await settle();
  const second = table.create();
  await clock.advance(99);
  assertEquals(source.counts.releases, 0);
  await clock.advance(1);
  await closing;
  assertEquals(table.addressOf(await second).hostname, "10.0.0.1");
  const last = table.closeAll();
  await clock.advance(100);
  await last;
  assertEquals([source.counts.leases, source.counts.releases], [2, 2]);
});

test("AddressTable.create() fails for those who wait, too, when the source fails", async () => {
  const clock = new VirtualClock();
  let asked = 0;
  const failure = new Error("no server");
  const wait = (what: string) =>
    what === "lease" ? delay(clock, 100).then(() => Promise.reject(++asked && failure)) : undefined;
  const { table } = await scene({ isListing: false, wait, clock }, { maxAddresses: 1 });
  const creating = Promise.allSettled([table.create(), table.create(), table.create()]);
  await clock.advance(300);
  const ends = await creating;
  assertEquals(ends.map((end) => end.status === "rejected" && end.reason), Array(3).fill(failure));
  assertEquals([asked, table.size, clock.pending], [3, 0, 0]);
});

test("AddressTable with a strategy of its own, over a source that must be asked", async () => {
  const { table } = await scene({ isListing: false }, { strategy: roundRobin(), maxAddresses: 2 });
  const made = await Promise.all(Array.from({ length: 6 }, () => table.create()));
  const hosts = made.map((descriptor) => table.addressOf(descriptor).hostname);
  assertEquals(hosts.slice(2), ["10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.2"]);
  await table.closeAll();
});

test("AddressTable.create() fails for all who ask at once when the source has nothing left", async () => {
  const wait = () => Promise.resolve();
  const addresses = ["10.0.0.1"];
  const { table, source } = await scene({ addresses, isListing: false, wait }, { exclusive: true });
  const made = await Promise.allSettled([table.create(), table.create(), table.create()]);
  assertEquals(made.map(({ status }) => status), ["fulfilled", "rejected", "rejected"]);
  assert(source.requests.length < 10, `${source.requests.length}`);
  await table.closeAll();
});
