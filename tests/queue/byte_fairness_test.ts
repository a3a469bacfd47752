// Whole loads in no time: a link of a given speed, sockets that fill and drain, and the scheduler.
import { assert, assertEquals } from "@std/assert";
import {
  type ByteFlow,
  ByteScheduler,
  DeficitRoundRobin,
  RateLimit,
  type ScheduledFlow,
} from "../../src/queue/mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { startCpuTime } from "../support/cpu_time.ts";
import { type Dice, withSeeds } from "../support/seeds.ts";

/** 1 when all have the same, 1 / n when one of n has everything (R. Jain, 1984). */
function fairnessOf(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0);
  return sum * sum / (shares.length * shares.reduce((a, b) => a + b * b, 0));
}

/** A socket with a buffer that the network empties evenly. */
interface Pipe {
  readonly bufferBytes: number;
  readonly drainBytesPerMs: number;
  /** The most that one write takes. */
  readonly packetBytes: number;
  filled: number;
  atMs: number;
}

/** Who stalls, and until when: looked at once a millisecond. */
class Stalls<Flow> {
  #buckets = new Map<number, Flow[]>();
  #atMs = 0;

  park(flow: Flow, untilMs: number): void {
    const bucket = Math.max(this.#atMs + 1, Math.ceil(untilMs));
    const flows = this.#buckets.get(bucket);
    if (flows === undefined) this.#buckets.set(bucket, [flow]);
    else flows.push(flow);
  }

  wake(nowMs: number, ready: (flow: Flow) => void): void {
    for (; this.#atMs < Math.floor(nowMs);) {
      this.#atMs++;
      for (const flow of this.#buckets.get(this.#atMs) ?? []) ready(flow);
      this.#buckets.delete(this.#atMs);
    }
  }
}

function newPipe(dice: Dice): Pipe {
  return {
    bufferBytes: 65_536 * (1 + dice.below(16)),
    drainBytesPerMs: 30_000 * (1 + dice.below(20)),
    packetBytes: dice.oneOf([1400, 9000, 65_536, 262_144]) + dice.below(1000),
    filled: 0,
    atMs: 0,
  };
}

/** Write up to so many bytes; fewer when the buffer is full. */
function write(pipe: Pipe, bytes: number, nowMs: number): number {
  const drained = (nowMs - pipe.atMs) * pipe.drainBytesPerMs;
  pipe.filled = Math.max(0, pipe.filled - drained);
  pipe.atMs = nowMs;
  const count = Math.min(bytes, pipe.packetBytes, Math.floor(pipe.bufferBytes - pipe.filled));
  pipe.filled += count;
  return count;
}

/** When a third of the buffer is free. */
function writableMs(pipe: Pipe): number {
  return pipe.atMs + Math.max(0, pipe.filled - pipe.bufferBytes * 2 / 3) / pipe.drainBytesPerMs;
}

test("DeficitRoundRobin: 100 clients with 1 to 40 flows, uneven packets and stalls, have equal shares", async () => {
  await withSeeds([1, 2, 3], (dice) => {
    const flows = new DeficitRoundRobin<Pipe>();
    const clients: ByteFlow<Pipe>[] = [];
    for (let i = 0; i < 100; i++) {
      const count = i < 5 ? 1 : i < 10 ? 40 : 1 + dice.below(40);
      for (let j = 0; j < count; j++) {
        const flow = flows.add(newPipe(dice), { client: `${i}` });
        if (j === 0) clients.push(flow);
      }
    }
    const stalls = new Stalls<ByteFlow<Pipe>>();
    const bytesPerMs = 1_000_000;
    let nowMs = 0;
    let idleMs = 0;
    let before: number[] = [];
    for (let warm = false; nowMs < 4000;) {
      if (!warm && nowMs > 500) {
        before = clients.map(({ client }) => client.sentBytes);
        warm = true;
      }
      stalls.wake(nowMs, (flow) => flows.ready(flow));
      const turn = flows.next();
      if (turn === undefined) {
        idleMs++;
        nowMs++;
        continue;
      }
      const { flow, bytes } = turn;
      const count = write(flow.value, bytes, nowMs);
      if (count < Math.min(bytes, flow.value.packetBytes)) {
        flows.park(flow);
        stalls.park(flow, writableMs(flow.value));
      }
      flows.sent(flow, count);
      nowMs += 0.0005 + count / bytesPerMs;
    }
    const shares = clients.map(({ client }, at) => client.sentBytes - before[at]!);
    const index = fairnessOf(shares);
    const least = Math.min(...shares) / Math.max(...shares);
    assert(index >= 0.99, `Jain's index is ${index}`);
    assert(least > 0.9, `the least has ${least} of the most`);
    assertEquals(idleMs, 0, "the link was idle");
  });
});

test("ByteScheduler: 100 clients with 1 to 40 flows share the overall limit equally", async () => {
  await withSeeds([1, 2], (dice) => {
    const rate = 50e6;
    let nowMs = 0;
    const flows = new ByteScheduler<Pipe>({ maxActive: 5000, rateLimit: new RateLimit(rate) });
    const clients: ScheduledFlow<Pipe>[] = [];
    for (let i = 0; i < 100; i++) {
      const count = i < 5 ? 1 : i < 10 ? 40 : 1 + dice.below(40);
      for (let j = 0; j < count; j++) {
        const flow = flows.add(newPipe(dice), { client: `${i}` });
        if (j === 0) clients.push(flow);
      }
    }
    const stalls = new Stalls<ScheduledFlow<Pipe>>();
    let before: number[] = [];
    let beforeBytes = 0;
    for (let warm = false; nowMs < 20_000;) {
      if (!warm && nowMs > 5000) {
        before = clients.map(({ clientSentBytes }) => clientSentBytes);
        beforeBytes = flows.stats().sentBytes;
        warm = true;
      }
      stalls.wake(nowMs, (flow) => flows.writable(flow));
      const turn = flows.next(nowMs);
      if (turn === undefined) {
        nowMs += Math.max(0.05, Math.min(1, flows.waitMs(nowMs)));
        continue;
      }
      const { flow, bytes } = turn;
      const count = write(flow.value, bytes, nowMs);
      if (count < Math.min(bytes, flow.value.packetBytes)) {
        flows.park(flow);
        stalls.park(flow, writableMs(flow.value));
      }
      flows.sent(flow, count);
      nowMs += 0.001;
    }
    const index = fairnessOf(
      clients.map(({ clientSentBytes }, at) => clientSentBytes - before[at]!),
    );
    assert(index >= 0.99, `Jain's index is ${index}`);
    const total = (flows.stats().sentBytes - beforeBytes) / (15 * rate);
    assert(total > 0.995 && total < 1.005, `${total} of the overall limit`);
  });
});

/** An engine on a virtual clock: a turn takes its time, and some turns are one go. */
async function runEngine(
  clock: VirtualClock,
  flows: ByteScheduler<number>,
  ready: { wake: () => void },
  ms: number,
): Promise<{ idleMs: number }> {
  const bytesPerMs = 400_000;
  const endMs = clock.now() + ms;
  let idleMs = 0;
  while (clock.now() < endMs) {
    let costMs = 0;
    let turns = 0;
    for (; turns < 32; turns++) {
      const turn = flows.next(clock.now());
      if (turn === undefined) break;
      costMs += 0.003 + turn.bytes / bytesPerMs;
      flows.sent(turn.flow, turn.bytes);
    }
    if (turns > 0) {
      await clock.advance(costMs);
      continue;
    }
    const beganMs = clock.now();
    let woken = false;
    ready.wake = () => woken = true;
    while (!woken && clock.now() < endMs) {
      await clock.advance(Math.min(5, flows.waitMs(clock.now()), endMs - clock.now()));
    }
    idleMs += clock.now() - beganMs;
  }
  return { idleMs };
}

for (const greedy of [false, true]) {
  const beside = greedy ? ", and one that takes the rest" : "";
  test(`ByteScheduler: 8,000 flows of 1 KiB/s take nothing from ten of 20 MB/s${beside}`, async () => {
    const clock = new VirtualClock({ startMs: 100 });
    const ready = { wake: () => {} };
    const sends = new Map<ScheduledFlow<number>, { lastMs: number; longestMs: number }>();
    const flows = new ByteScheduler<number>({
      maxActive: 10_000,
      clock,
      onReady: () => ready.wake(),
      observer: {
        sent(flow) {
          const seen = sends.get(flow)!;
          seen.longestMs = Math.max(seen.longestMs, clock.now() - seen.lastMs);
          seen.lastMs = clock.now();
        },
      },
    });
    const add = (rate: number): ScheduledFlow<number> => {
      const flow = flows.add(rate, { client: `${sends.size}`, rateLimit: new RateLimit(rate) });
      sends.set(flow, { lastMs: clock.now(), longestMs: 0 });
      return flow;
    };
    const slow = Array.from({ length: 8000 }, () => add(1024));
    const fast = Array.from({ length: 10 }, () => add(20e6));
    const rest = greedy ? add(Infinity) : undefined;
    const { idleMs } = await runEngine(clock, flows, ready, 5000);
    for (const { sentBytes } of fast) {
      assert(sentBytes >= 0.95 * 1e8 && sentBytes <= 1e8, `a fast one has ${sentBytes}`);
    }
    for (const flow of slow) {
      assert(flow.sentBytes >= 4 * 1024 && flow.sentBytes <= 5 * 1024, `${flow.sentBytes}`);
      assert(sends.get(flow)!.longestMs < 1200, `waited ${sends.get(flow)!.longestMs} ms`);
    }
    if (rest === undefined) return;
    assertEquals(idleMs, 0, "it was idle although somebody could send");
    assert(rest.sentBytes > 0.8 * (2e9 - 1e9 - 41e6), `the greedy one has ${rest.sentBytes}`);
  });
}

test("ByteScheduler: a turn costs much the same with ten flows and with ten thousand", () => {
  const costOf = (count: number): () => number => {
    const flows = new ByteScheduler<number>({ maxActive: count });
    for (let i = 0; i < count; i++) flows.add(i, { client: `${i % Math.max(1, count / 10)}` });
    return () => {
      const spentMs = startCpuTime();
      for (let i = 0; i < 20_000; i++) {
        const { flow, bytes } = flows.next(i)!;
        flows.sent(flow, bytes);
      }
      return spentMs() * 50; // ns per turn
    };
  };
  const [few, many] = [costOf(10), costOf(10_000)];
  let [least, most] = [Infinity, Infinity];
  for (let round = 0; round < 20; round++) {
    least = Math.min(least, few());
    most = Math.min(most, many());
  }
  // Ten times for caches that are too small and neighbours that are too loud; a search would take 1000.
  assert(most < 10 * least, `${most.toFixed()} ns with 10,000, ${least.toFixed()} ns with 10`);
});
