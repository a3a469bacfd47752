// Two owners hand connections to each other while everything goes wrong that can: whatever happens,
// one of them has the connection, or nobody, and no byte is lost or doubled.
import { assert, assertEquals } from "@std/assert";
import {
  type Clock,
  createSocket,
  detachSocket,
  HandoffChannel,
  type Socket,
} from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { type Dice, withSeeds } from "../support/seeds.ts";
import { FakeKernel, fakeLinks } from "./fake_owners.ts";

const SEEDS = Array.from({ length: 100 }, (_, index) => index + 1);
const STEPS = 120;
type Side = "near" | "far";

/** A connection, its client, and what both directions have carried. */
interface Tracked {
  readonly client: Socket;
  /** Who has it, and the socket by which; `undefined` while it is on its way, or nobody has it. */
  owner: { side: Side; socket: Socket } | undefined;
  /** Whether a handoff may end with nobody owning it. */
  mayBeLost: boolean;
  sentUp: number;
  gotUp: number;
  sentDown: number;
  gotDown: number;
  writes: Promise<unknown>[];
}

/** Numbered bytes: what is lost or doubled is seen at once. */
function numbered(from: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => (from + index) % 251);
}

function check(bytes: Uint8Array, from: number, what: string): void {
  assertEquals(bytes, numbered(from, bytes.byteLength), what);
}

/** Whether the connection was aborted by the one who sent it. */
async function isBroken(connection: Tracked): Promise<boolean> {
  const { socket } = connection.owner!;
  const broken = await socket.write(numbered(connection.sentDown, 1)).then(() => false, () => true);
  if (!broken) connection.sentDown++;
  return broken;
}

async function run(kind: "thread" | "process", dice: Dice): Promise<void> {
  const clock = new VirtualClock();
  const network = memoryTransport({ clock, pipeBytes: 64 });
  const kernel = new FakeKernel();
  kernel.onPark = async () => {
    for (let turns = dice.below(4); turns > 0; turns--) await undefined;
  };
  const links = fakeLinks(kind, kernel);
  const tracked = new Map<number, Tracked>();
  let deadSide: Side | undefined;
  // The dead hear no alarm.
  const clockOf = (side: Side): Clock => ({
    now: () => clock.now(),
    schedule: (delayMs, act) => clock.schedule(delayMs, () => deadSide === side || act()),
  });
  const channelOf = (side: Side) =>
    new HandoffChannel(links[side], {
      clock: clockOf(side),
      maxInFlight: 2,
      descriptors: kind === "thread" ? kernel.descriptors(side) : undefined,
      onSocket: (socket, data) => {
        const connection = tracked.get(data as number)!;
        assertEquals(connection.owner, undefined, "two owners");
        connection.owner = { side, socket };
      },
      onError: (error) => {
        throw error;
      },
    });
  const channels = { near: channelOf("near"), far: channelOf("far") };
  const listener = await network.listen();
  for (let id = 0; id < 4; id++) {
    const [client, accepted] = await Promise.all([
      network.connect(listener.address),
      listener.accept(),
    ]);
    const socket = kernel.adopt(accepted, "near");
    tracked.set(id, {
      client,
      owner: { side: "near", socket },
      mayBeLost: false,
      sentUp: 0,
      gotUp: 0,
      sentDown: 0,
      gotDown: 0,
      writes: [],
    });
  }

  const moves: { side: Side; done: Promise<void> }[] = [];
  const trace: string[] = [];
  const send = (id: number, connection: Tracked) => {
    const { side, socket } = connection.owner!;
    const back = dice.random() < 0.8;
    const signal = dice.random() < 0.1 ? AbortSignal.abort(new Error("given up")) : undefined;
    const controller = new AbortController();
    if (signal === undefined && dice.random() < 0.1) {
      queueMicrotask(() => controller.abort(new Error("given up later")));
    }
    // Sometimes a part of what comes is read and not used.
    const give = (unread: Uint8Array | undefined) => {
      const state = socket.state;
      connection.owner = undefined;
      const sent = channels[side].send(socket, dice.random() < 0.05 ? (() => {}) : id, {
        unread,
        timeoutMs: 50,
        signal: signal ?? controller.signal,
        onReturn: back
          ? (returned) => {
            assertEquals(connection.owner, undefined, "returned to one of two owners");
            assert(deadSide !== side, "returned to the dead");
            connection.owner = { side, socket: returned };
          }
          : undefined,
      });
      // Refused from the beginning: as it was.
      if (state === socket.state) connection.owner = { side, socket };
      const done = sent.catch((error) => {
        trace.push(`${id} from ${side}: ${error.message}`);
        const unanswered = error.code === "HANDOFF_TIMEOUT" || error.message.startsWith("given up");
        // Nobody can tell whether a process that does not answer has taken it.
        if (!back || (kind === "process" && unanswered)) connection.mayBeLost = true;
      });
      moves.push({ side, done });
    };
    give(undefined);
  };

  const acts: Readonly<Record<string, () => void | Promise<void>>> = {
    send() {
      const [id, connection] = dice.oneOf([...tracked]);
      if (connection.owner !== undefined && connection.owner.side !== deadSide) {
        send(id, connection);
      }
    },
    arrive: () => void links[dice.oneOf(["near", "far"] as const)].step(),
    ["a turn ends"]: () => void links[dice.oneOf(["near", "far"] as const)].endTurn(),
    async ["time passes"]() {
      await clock.advance(dice.below(30));
    },
    ["the client writes"]() {
      const connection = dice.oneOf([...tracked.values()]);
      const count = 1 + dice.below(40);
      const bytes = numbered(connection.sentUp, count);
      connection.sentUp += count;
      connection.client.write(bytes).catch(() => {});
    },
    async ["the client reads"]() {
      const connection = dice.oneOf([...tracked.values()]);
      if (!connection.client.hasUnread) return;
      const into = new Uint8Array(1 + dice.below(40));
      const count = await connection.client.read(into).catch(() => null);
      if (count === null) return;
      check(into.subarray(0, count), connection.gotDown, "towards the client");
      connection.gotDown += count;
    },
    ["an owner writes"]() {
      const connection = dice.oneOf([...tracked.values()]);
      if (connection.owner === undefined || connection.owner.side === deadSide) return;
      const count = 1 + dice.below(90);
      const bytes = numbered(connection.sentDown, count);
      connection.sentDown += count;
      connection.writes.push(connection.owner.socket.write(bytes).catch(() => {}));
    },
    async ["an owner reads"]() {
      const connection = dice.oneOf([...tracked.values()]);
      const socket = connection.owner?.socket;
      if (socket === undefined || connection.owner!.side === deadSide || !socket.hasUnread) return;
      const into = new Uint8Array(1 + dice.below(40));
      const count = await socket.read(into).catch(() => null);
      if (count === null) return;
      const used = dice.below(count + 1);
      check(into.subarray(0, count), connection.gotUp, "towards the owner");
      connection.gotUp += used;
      if (used === count) return;
      // What is not used goes to the next owner, here in the same thread.
      if (connection.owner?.socket !== socket || socket.isBusy) {
        connection.gotUp += count - used;
        return;
      }
      const { driver, ...facts } = detachSocket(socket);
      const rest = into.slice(used, count);
      const unread = new Uint8Array(rest.byteLength + (facts.unread?.byteLength ?? 0));
      unread.set(rest);
      unread.set(facts.unread ?? [], rest.byteLength);
      connection.owner = {
        side: connection.owner.side,
        socket: createSocket(driver, { ...facts, unread }),
      };
    },
    ["an answer is lost"]() {
      if (kind === "process" && dice.random() < 0.1) links.far.arrives = false;
    },
    ["the far end closes"]() {
      if (dice.random() < 0.05) void channels.far.close();
    },
    ["the far end dies"]() {
      if (deadSide !== undefined || dice.random() > 0.1) return;
      deadSide = "far";
      links.far.isAlive = false;
      for (const { connection } of links.far.arriving.splice(0)) connection?.drop();
      kernel.bury("far");
      for (const connection of tracked.values()) {
        if (connection.owner === undefined || connection.owner.side === "far") {
          connection.mayBeLost = true;
          if (connection.owner?.side === "far") connection.owner = undefined;
        }
      }
      // A thread's last messages may be lost with it, a process's are read to the end.
      if (kind === "thread" && dice.random() < 0.5) links.near.arriving.splice(0);
    },
  };
  for (let step = 0; step < STEPS; step++) {
    await acts[dice.oneOf(Object.keys(acts))]!();
    if (dice.random() < 0.3) await clock.settle();
    if (deadSide !== undefined && links.near.arriving.length === 0) {
      await clock.settle();
      links.near.end({ reason: "failed" });
    }
  }

  // Everything comes to its end.
  const drain = async () => {
    for (const connection of tracked.values()) {
      for (;;) {
        await clock.settle();
        if (!connection.client.hasUnread) break;
        const into = new Uint8Array(64);
        const count = await connection.client.read(into).catch(() => null);
        if (count === null) break;
        check(into.subarray(0, count), connection.gotDown, "towards the client");
        connection.gotDown += count;
      }
    }
  };
  for (let round = 0; round < 20; round++) {
    while (links.near.step() || links.far.step());
    await clock.settle();
    links.near.endTurn();
    links.far.endTurn();
    if (deadSide !== undefined && links.near.arriving.length === 0) {
      links.near.end({ reason: "failed" });
    }
    await drain();
    await clock.advance(10);
  }
  // The dead wait for nothing.
  await Promise.all(moves.filter(({ side }) => side !== deadSide).map(({ done }) => done));
  let owned = 0;
  for (const [id, connection] of tracked) {
    const { owner } = connection;
    if (owner === undefined) {
      assert(connection.mayBeLost, `connection ${id} is lost: ${trace.join("; ")}`);
      continue;
    }
    if (connection.mayBeLost && await isBroken(connection)) {
      await owner.socket.close();
      continue;
    }
    owned++;
    await drain();
    assertEquals(connection.gotDown, connection.sentDown, `down of ${id}`);
    while (connection.gotUp < connection.sentUp) {
      const into = new Uint8Array(64);
      const count = await owner.socket.read(into);
      assert(count !== null);
      check(into.subarray(0, count), connection.gotUp, "towards the owner");
      connection.gotUp += count;
    }
  }
  assertEquals(kernel.copies, owned, "copies are left over");
  assertEquals(channels.near.inFlight, 0);
  if (deadSide === undefined) assertEquals(channels.far.inFlight, 0);
  await Promise.all([...tracked.values()].map(({ owner }) => owner?.socket.close()));
  for (const { client } of tracked.values()) client.abort();
  await listener.close();
  await clock.settle();
  assertEquals(kernel.connections, 0);
}

for (const kind of ["thread", "process"] as const) {
  test(`HandoffChannel leaves every connection with one owner whatever goes wrong, ${kind}`, async () => {
    await withSeeds(SEEDS, (dice) => run(kind, dice));
  });
}
