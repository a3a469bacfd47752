// A bundle under a clock of its own, with every kind of bad luck that a seed draws.
import { assert, assertEquals } from "@std/assert";
import { connectStriped, listenStriped } from "../../../src/parallel/striped/mod.ts";
import type { Socket } from "../../../src/core.ts";
import { memoryTransport, seededFaults, VirtualClock } from "../../../src/testing/mod.ts";
import type { Dice } from "../../support/seeds.ts";
import { pattern } from "../../transport/tools.ts";
import { Weather } from "./weather.ts";

/** What has happened in a run. */
export interface Facts {
  kills: number;
  holds: number;
  resizes: number;
  resentBytes: number;
}

/** Nothing takes longer than this in a network that works now and then. */
const LIMIT_MS = 600_000;
const SHARED = pattern(400_000, 7);

/** One stream each way, to the end; every byte is compared. */
export async function runBundle(dice: Dice): Promise<Facts> {
  const clock = new VirtualClock();
  const faults = seededFaults({ seed: dice.below(2 ** 32), delay: dice.random(), maxDelayMs: 30 });
  const network = memoryTransport({ clock, faults, pipeBytes: 1 << (8 + dice.below(10)) });
  const weather = new Weather(network);
  const unitBytes = 1024 << dice.below(5);
  const common = {
    clock,
    windowBytes: 2 ** 20,
    resendAfterMs: 200 + dice.below(800),
    stallTimeoutMs: 2000 + dice.below(4000),
    lossTimeoutMs: 120_000,
    handshakeTimeoutMs: 1000,
  };
  const listener = await listenStriped({
    ...common,
    transport: network,
    unitBytes: 1024 << dice.below(5),
  });
  const connecting = connectStriped(listener.address as { hostname: string; port: number }, {
    ...common,
    transport: weather.transport,
    unitBytes,
    sockets: 1 + dice.below(6),
    random: dice.random,
    maxBackoffMs: 500,
  });
  const [near, far] = await drive(clock, Promise.all([connecting, listener.accept()]));
  const badness = dice.random() ** 2;
  weather.refuses = () => dice.random() < badness / 2;

  const there = SHARED.subarray(0, lengthOf(dice));
  const back = SHARED.subarray(0, lengthOf(dice));
  let left = 4;
  const done = () => void left--;
  const failures: unknown[] = [];
  const parts = [
    send(near, there, dice, clock),
    receive(near, back, dice, clock),
    send(far, back, dice, clock),
    receive(far, there, dice, clock),
  ].map((part) => part.then(done, (error) => failures.push(error)));

  const facts: Facts = { kills: 0, holds: 0, resizes: 0, resentBytes: 0 };
  const check = () => {
    if (failures.length > 0) throw failures[0];
    assert(near.bundle.heldBytes <= common.windowBytes, "memory");
    assert(clock.now() < LIMIT_MS, `${left} of 4 directions are still open`);
  };
  while (left > 0) {
    await clock.advance(1 + dice.below(dice.oneOf([3, 30, 300])));
    check();
    if (dice.random() < badness) misfortune(dice, weather, near.bundle, facts);
  }
  await Promise.all(parts);
  facts.resentBytes = near.bundle.resentBytes + far.bundle.resentBytes;

  // Both directions have ended, so both sockets close by themselves.
  while (near.state !== "closed" || far.state !== "closed") {
    for (const socket of weather.sockets) socket.release();
    await clock.advance(100);
    check();
  }
  await listener.close();
  await clock.advance(2000);
  assertEquals(network.openEnds, 0);
  assertEquals(clock.pending, 0);
  return facts;
}

function lengthOf(dice: Dice): number {
  return dice.below(dice.oneOf([2, 2000, 50_000, 200_000]));
}

function misfortune(
  dice: Dice,
  weather: Weather,
  bundle: { resize(sockets: number): void },
  facts: Facts,
): void {
  const socket = weather.sockets[dice.below(weather.sockets.length)];
  const luck = dice.random();
  if (luck < 0.1) {
    facts.resizes++;
    bundle.resize(1 + dice.below(6));
  } else if (socket === undefined) return;
  else if (luck < 0.5) {
    facts.kills++;
    socket.abort();
  } else if (socket.isHeld) socket.release();
  else if (luck < 0.8) {
    facts.holds++;
    socket.hold();
  }
}

async function send(
  socket: Socket,
  bytes: Uint8Array,
  dice: Dice,
  clock: VirtualClock,
): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) {
    const length = 1 + dice.below(dice.oneOf([10, 3000, 60_000]));
    const part = bytes.slice(at, at + length);
    if (dice.random() < 0.1) {
      const count = await socket.writeSome(part);
      assert(count > 0 && count <= part.byteLength);
      at += count;
    } else at += await socket.write(part);
    part.fill(0); // They are the caller's again.
    if (dice.random() < 0.05) await pause(clock, dice.below(500));
  }
  await socket.closeWrite();
}

async function receive(
  socket: Socket,
  expected: Uint8Array,
  dice: Dice,
  clock: VirtualClock,
): Promise<void> {
  const into = new Uint8Array(1 << dice.below(17));
  for (let at = 0;;) {
    const count = await socket.read(into);
    if (count === null) return assertEquals(at, expected.byteLength);
    for (let index = 0; index < count; index++) {
      if (into[index] !== expected[at + index]) throw new Error(`byte ${at + index} is wrong`);
    }
    at += count;
    if (into.byteLength > 1000 && dice.random() < 0.02) await pause(clock, dice.below(500));
  }
}

function pause(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.schedule(ms, resolve));
}

/** Let time pass until it settles. */
export async function drive<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = () => void (isSettled = true);
  promise.then(settled, settled);
  while (!isSettled) await clock.advance(10);
  return await promise;
}
