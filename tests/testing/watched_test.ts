// What is watched does what it did before, and says which rule was broken.
import { assertEquals, assertThrows } from "@std/assert";
import {
  type AddressLeaseRequest,
  type AddressSource,
  AddressTable,
  hostAddresses,
  roundRobin,
  SocketPool,
  startStrategy,
} from "../../src/core.ts";
import {
  memoryTransport,
  poolModel,
  strategyModel,
  watchedSource,
  watchedStrategy,
  watchedTransport,
} from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";

const REQUEST: AddressLeaseRequest = {
  hostname: undefined,
  family: undefined,
  target: undefined,
  exclusive: true,
  isUnusable: () => false,
};

/** A source that does what it is told. */
function sourceOf(lend: (hostname: string | undefined) => string): AddressSource {
  return {
    name: "made up",
    size: 3,
    lease: ({ hostname }) => ({ hostname: lend(hostname), release() {} }),
  };
}

test("watchedStrategy() chooses as the strategy does", () => {
  const picker = startStrategy(watchedStrategy(roundRobin<string>()));
  assertEquals(picker.window, 1);
  for (const name of ["a", "b"]) picker.added?.(name);
  assertEquals([picker.pick(["b"], undefined), picker.pick(["a"], undefined)], ["b", "a"]);
  assertEquals(startStrategy(watchedStrategy<string, undefined>(() => "a")).window, undefined);
});

test("watchedStrategy() says what the place that uses it does wrong", () => {
  type Hooks = ReturnType<typeof startStrategy<string, undefined>>;
  const cases: [string, (picker: Hooks) => void][] = [
    ["it was told twice of a", (picker) => picker.added?.("a")],
    ["it was told that b goes, which was not available", (picker) => picker.removed?.("b")],
    ["it was told that b changed, which is not available", (picker) => picker.changed?.("b")],
    ["it was shown b, which is gone", (picker) => void picker.pick(["b"], undefined)],
    ["it was shown 2, more than its window", (picker) => void picker.pick(["a", "a"], undefined)],
  ];
  for (const [message, act] of cases) {
    const watched = watchedStrategy(roundRobin<string>());
    const picker = startStrategy(watched);
    picker.added?.("a");
    watched.check();
    act(picker);
    assertThrows(() => watched.check(), Error, `Strategy "round-robin": ${message}`);
  }
});

test("watchedStrategy() and the models refuse numbers that they cannot use, and name them", () => {
  const cases: [string, () => unknown][] = [
    ['maxPassedOver "-1"', () => watchedStrategy(roundRobin<string>(), { maxPassedOver: -1 })],
    ['candidates "0"', () => strategyModel(() => roundRobin(), { candidates: 0 })],
    ['steps "1.5"', () => strategyModel(() => roundRobin(), { steps: 1.5 })],
    ['steps "NaN"', () => poolModel((materials) => new SocketPool(materials), { steps: NaN })],
  ];
  for (const [part, use] of cases) assertThrows(use, RangeError, part);
});

test("watchedSource() finds nothing in a list under an address table, and what is leased", async () => {
  const source = watchedSource(hostAddresses(["10.0.0.1", "10.0.0.2"]));
  const table = new AddressTable({ transport: memoryTransport(), source, exclusive: true });
  const descriptors = [await table.create(), await table.create()];
  assertEquals([...source.leased].sort(), ["10.0.0.1", "10.0.0.2"]);
  assertThrows(() => source.checkEnd(), Error, "was not given back");
  for (const descriptor of descriptors) await table.close(descriptor);
  assertEquals([source.leased.size, source.size], [0, 2]);
});

test("watchedSource() finds an address that is lent twice", async () => {
  const source = watchedSource(sourceOf(() => "10.0.0.1"));
  await source.lease(REQUEST);
  source.check();
  await source.lease(REQUEST);
  assertThrows(() => source.check(), Error, 'Source "made up": it lent 10.0.0.1 twice');
});

test("watchedSource() finds an address that nobody asked for", async () => {
  const source = watchedSource(sourceOf(() => "10.0.0.1"));
  await source.lease({ ...REQUEST, hostname: "10.0.0.2" });
  assertThrows(() => source.check(), Error, "it lent 10.0.0.1 when it was asked for 10.0.0.2");
});

test("watchedSource() finds an address that is given back twice, or never", async () => {
  const source = watchedSource(sourceOf((hostname) => hostname ?? "10.0.0.1"));
  const lease = await source.lease(REQUEST);
  await lease!.release();
  source.checkEnd();
  await lease!.release();
  assertThrows(() => source.check(), Error, "10.0.0.1 was given back twice");
  const other = watchedSource(sourceOf(() => "10.0.0.1"));
  await other.lease(REQUEST);
  assertThrows(() => other.checkEnd(), Error, "10.0.0.1 was not given back");
});

test("watchedSource() shows of a lease what it is at the moment", async () => {
  const lease = { hostname: "10.0.0.1", expiresAtMs: 5, release() {} };
  const source = watchedSource({ name: "store", size: 1, lease: () => Promise.resolve(lease) });
  const leased = await source.lease(REQUEST);
  lease.expiresAtMs = 9;
  assertEquals(leased?.expiresAtMs, 9);
});

test("watchedTransport() counts what a pool holds at every instant, and what is left", async () => {
  const network = memoryTransport();
  const listener = await network.listen();
  const transport = watchedTransport(network, { maxSockets: () => 2 });
  const pool = new SocketPool({ transport, target: listener.address, maxSize: 2 });
  const connecting = [pool.acquire(), pool.acquire()];
  assertEquals([transport.held, transport.most], [2, 2]);
  const [one, other] = await Promise.all(connecting);
  assertEquals(transport.has(one!.socket), true);
  assertThrows(() => transport.checkEnd(), Error, "Sockets: 2 are left");
  one!.discard();
  assertEquals([transport.held, transport.has(one!.socket)], [1, false]);
  other!.release();
  await pool.close();
  await listener.close();
  await settle();
  assertEquals(network.openEnds, 0);
});

test("watchedTransport() finds one socket too many, also while it is connecting", async () => {
  const network = memoryTransport();
  const listener = await network.listen();
  const transport = watchedTransport(network, { maxSockets: () => 1 });
  const sockets = await Promise.all([
    transport.connect(listener.address),
    transport.connect(listener.address),
  ]);
  for (const socket of sockets) socket.abort();
  assertThrows(() => transport.check(), Error, "Sockets: 2 are held, and 1 may be");
  await listener.close();
});

test("watchedTransport() forgets a connect that has failed when it holds nothing", async () => {
  const transport = watchedTransport(memoryTransport());
  let released = 0;
  const onReleased = () => void released++;
  const target = { hostname: "unreachable.test", port: 1 };
  await transport.connect(target, { onReleased }).catch(() => {});
  assertEquals([transport.held, transport.most, released], [0, 1, 1]);
  transport.checkEnd();
});
