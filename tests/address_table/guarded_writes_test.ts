// A process that was stopped runs again: what comes first then is not the table's own timer.
import { assertEquals } from "@std/assert";
import { AddressTable, type Clock, type Socket } from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { rejection } from "../transport/tools.ts";
import { WatchedSource, type WatchedSourceOptions } from "./sources.ts";

const TARGET = { hostname: "192.0.2.1", port: 80 };
const BYTE = new Uint8Array(1);

/** A table whose clock goes on without its timers, as it does while a process is stopped. */
async function scene({ wait }: Partial<WatchedSourceOptions> = {}) {
  const network = new VirtualClock();
  let nowMs = 0;
  const timers: (() => void)[] = [];
  const clock: Clock = { now: () => nowMs, schedule: (_, run) => (timers.push(run), () => {}) };
  const transport = memoryTransport({ clock: network });
  const listener = await transport.listen(TARGET);
  const source = new WatchedSource({ addresses: ["10.0.0.1"], clock, leaseMs: 10_000, wait });
  const table = new AddressTable({ transport, source, clock });
  const stop = (ms: number) => void (nowMs += ms);
  return { transport, listener, source, table, stop, timers };
}

const ways: readonly [string, (socket: Socket) => Promise<unknown>][] = [
  ["write", (socket) => socket.write(BYTE)],
  ["writeSome", (socket) => socket.writeSome(BYTE)],
  ["writable", (socket) => {
    const writer = socket.writable.getWriter();
    return writer.write(BYTE).finally(() => writer.releaseLock());
  }],
];

for (const [name, write] of ways) {
  test(`AddressTable writes no byte with ${name} after the end of a lease, before any timer runs`, async () => {
    const { listener, source, table, stop } = await scene();
    const [one, other] = [await table.connect(TARGET), await table.connect(TARGET)];
    const far = await listener.accept();
    stop(9999);
    await write(one);
    assertEquals(await far.read(new Uint8Array(9)), 1);
    stop(1);
    assertEquals((await rejection(write(one))).code, "ADDRESS_LEASE_LOST");
    assertEquals([one.state, other.state, source.lent.size], ["closed", "closed", 0]);
    assertEquals(await far.read(new Uint8Array(9)).catch(() => null), null); // Nothing came.
    far.abort();
    await table.closeAll();
  });
}

test("AddressTable writes no byte to what it has accepted after the end of a lease", async () => {
  const { transport, table, stop } = await scene();
  const descriptor = await table.create();
  const listener = await table.listen(descriptor);
  const far = await transport.connect(listener.address);
  const near = await listener.accept();
  stop(10_000);
  assertEquals((await rejection(near.write(BYTE))).code, "ADDRESS_LEASE_LOST");
  assertEquals(near.state, "closed");
  far.abort();
  await table.closeAll();
});

test("AddressTable loses a lease that ended while it was being renewed, before any timer runs", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wait = (what: string) => what === "renew" ? promise : undefined;
  const { source, table, stop, timers } = await scene({ wait });
  const socket = await table.connect(TARGET);
  stop(5000);
  timers.pop()!(); // Half of its time: it is renewed.
  stop(5000);
  resolve(); // The answer lay there while the process was stopped.
  assertEquals((await rejection(socket.closed)).code, "ADDRESS_LEASE_LOST");
  assertEquals([source.counts.renewals, source.lent.size], [1, 0]);
  await table.closeAll();
});

test("AddressTable renews a lease at once whose time for it has passed before it began", async () => {
  const clock = new VirtualClock();
  const addresses = ["10.0.0.1"];
  const renewAfterMs = -1;
  const source = new WatchedSource({ addresses, clock, leaseMs: 10_000, renewAfterMs });
  const table = new AddressTable({ transport: memoryTransport({ clock }), source, clock });
  await table.create();
  await clock.advance(1);
  assertEquals(source.counts.renewals, 1);
  await clock.advance(4998); // It does not go on at once for ever.
  assertEquals(source.counts.renewals, 1);
  await table.closeAll();
});
