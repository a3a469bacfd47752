// A pool whose leases go to other owners and come back while everything goes wrong that can: the bound
// holds, each connection has one owner, no byte is lost, and everything is given back in the end.
import { assert, assertEquals } from "@std/assert";
import type { LentSocket, Socket, SocketLease } from "../../src/core.ts";
import { test } from "../harness.ts";
import { type Dice, withSeeds } from "../support/seeds.ts";
import { type Borrower, lendingScene } from "./lending.ts";
import { sums } from "./tools.ts";

const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1);
const STEPS = 150;
const MAX_SIZE = 3;

/** What both ends of a connection have said; the connection is known by its port here. */
interface Counted {
  said: number;
  heard: number;
}

async function run(kind: "thread" | "process", dice: Dice): Promise<void> {
  const { pool, peers, clock, kernel, borrower, settle, bury } = await lendingScene({
    maxSize: MAX_SIZE,
  });
  const leases: SocketLease[] = [];
  const lent = new Set<SocketLease>();
  const moved = new Set<SocketLease>();
  const others: Borrower[] = [borrower(kind)];
  const borrowed: { lease: LentSocket; other: Borrower }[] = [];
  const counted = new Map<number, Counted>();
  let closing: Promise<void> | undefined;

  /** Say a numbered byte; the peer sees at once what is lost or doubled. */
  const talk = async (socket: Socket) => {
    const { port } = socket.localAddress;
    const count = counted.get(port) ?? { said: 0, heard: 0 };
    counted.set(port, count);
    await socket.write(new Uint8Array([count.said++ % 251]));
  };
  const listenTo = async (peer: Socket) => {
    const count = counted.get(peer.remoteAddress.port);
    while (peer.hasUnread && count !== undefined) {
      const into = new Uint8Array(64);
      const got = await peer.read(into).catch(() => null);
      if (got === null) return;
      for (const byte of into.subarray(0, got)) assertEquals(byte, count.heard++ % 251);
    }
  };
  const collect = () => {
    for (const other of others) {
      for (const { lease } of other.borrowed.splice(0)) borrowed.push({ lease, other });
    }
  };
  const removed = <T>(items: T[]): T | undefined =>
    items.splice(dice.below(Math.max(1, items.length)), 1)[0];

  const acts: Readonly<Record<string, () => void | Promise<void>>> = {
    acquire: () => void pool.acquire({ timeoutMs: 100 }).then((got) => leases.push(got), () => {}),
    async ["the task talks"]() {
      const lease = leases.find(({ state }) => state === "leased");
      if (lease !== undefined) await talk(lease.socket).catch(() => {});
    },
    release: () => removed(leases)?.release(),
    discard: () => dice.random() < 0.2 ? removed(leases)?.discard() : undefined,
    lend() {
      const lease = removed(leases);
      if (lease === undefined) return;
      const { channel } = dice.oneOf(others);
      lent.add(lease);
      const signal = dice.random() < 0.1 ? AbortSignal.abort(new Error("given up")) : undefined;
      // A process that is given up on may use the connection until it hears of that.
      const timeoutMs = kind === "thread" ? 50 : Infinity;
      lease.lend(channel, undefined, { timeoutMs, signal }).then(() => moved.add(lease), () => {
        lent.delete(lease);
        if (lease.state === "leased") leases.push(lease);
      });
    },
    async ["the other end talks"]() {
      const one = borrowed.find(({ lease }) => lease.state === "leased");
      if (one !== undefined && one.other.far.isAlive) await talk(one.lease.socket).catch(() => {});
    },
    ["the other end gives back"]() {
      const one = removed(borrowed);
      if (one === undefined || !one.other.far.isAlive) return;
      const how = dice.random();
      if (how < 0.7) void one.lease.release();
      else if (how < 0.8) one.lease.discard();
      else if (how < 0.9) void one.lease.socket.close();
      else {
        one.lease.socket.read(new Uint8Array(1)).catch(() => {});
        void one.lease.release();
      }
    },
    recall() {
      const [lease] = kind === "thread" ? lent : moved;
      if (lease !== undefined && dice.random() < 0.3) lease.discard();
    },
    arrive() {
      const other = dice.oneOf(others);
      if (!dice.oneOf([other.near, other.far]).step()) other.far.step();
      if (dice.random() < 0.5) dice.oneOf([other.near, other.far]).endTurn();
    },
    async ["time passes"]() {
      await clock.advance(dice.below(20));
    },
    async ["an end dies"]() {
      if (dice.random() > 0.1) return;
      const [other] = others.splice(dice.below(others.length), 1);
      for (const one of borrowed.splice(0)) if (one.other !== other) borrowed.push(one);
      await bury(other!);
      others.push(borrower(kind));
    },
    ["another end comes"]: () => void (others.length < 3 && others.push(borrower(kind))),
    ["a peer closes"]: () => void (dice.random() < 0.1 && removed(peers)?.close()),
    close() {
      if (dice.random() < 0.02) closing = pool.close();
    },
  };
  for (let step = 0; step < STEPS; step++) {
    await acts[dice.oneOf(Object.keys(acts))]!();
    if (dice.random() < 0.5) await clock.settle();
    collect();
    for (const peer of peers) await listenTo(peer);
    const { size, leased } = sums(pool);
    // The copy that an end keeps until its offer is answered may outlive the connection by a message.
    assert(size <= MAX_SIZE && kernel.inUse <= MAX_SIZE, `${size} sockets, ${kernel.inUse} in use`);
    assert(leases.filter(({ state }) => state === "leased").length <= leased);
  }
  // Everything comes to its end.
  for (let round = 0; round < 6; round++) {
    await settle();
    collect();
    for (const { lease } of borrowed.splice(0)) void lease.release();
    for (const lease of leases.splice(0)) lease.release();
    await clock.advance(60);
  }
  await settle();
  for (const peer of peers) await listenTo(peer);
  for (const lease of lent) assert(lease.state !== "lent" && lease.state !== "leased", lease.state);
  const { size, idle, leased } = sums(pool);
  assertEquals([size, leased], [idle, 0]);
  assertEquals(kernel.copies, idle, "copies are left over");
  // What is idle works.
  while (closing === undefined && sums(pool).idle > 0) {
    const lease = pool.tryAcquire()!;
    await talk(lease.socket);
    const { port } = lease.socket.localAddress;
    const peer = peers.find(({ remoteAddress }) => remoteAddress.port === port)!;
    await listenTo(peer);
    assertEquals(counted.get(port)!.heard, counted.get(port)!.said);
    lease.discard();
  }
  closing ??= pool.close();
  await settle();
  await closing;
  assertEquals(kernel.copies, 0);
}

for (const kind of ["thread", "process"] as const) {
  test(`SocketLease.lend() keeps bound, owners and bytes whatever goes wrong, ${kind}`, async () => {
    await withSeeds(SEEDS, (dice) => run(kind, dice));
  });
}
