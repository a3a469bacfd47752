import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  ByteScheduler,
  type ByteSchedulerOptions,
  Deadlines,
  RateLimit,
  type ScheduledFlow,
} from "../../src/queue/mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { isJackfieldError } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";

interface Setup {
  readonly clock: VirtualClock;
  readonly flows: ByteScheduler<string>;
  /** How often `onReady` was called. */
  readonly calls: { count: number };
  /** Give turns until there are none; how many bytes. */
  drain(most?: number): number;
}

function setUp(options: Omit<ByteSchedulerOptions<string>, "clock" | "onReady"> = {}): Setup {
  const clock = new VirtualClock({ startMs: 5000 });
  const calls = { count: 0 };
  const flows = new ByteScheduler<string>({ ...options, clock, onReady: () => void calls.count++ });
  const drain = (most = 1000) => {
    let bytes = 0;
    for (let i = 0; i < most; i++) {
      const turn = flows.next(clock.now());
      if (turn === undefined) break;
      bytes += turn.bytes;
      flows.sent(turn.flow, turn.bytes);
    }
    return bytes;
  };
  return { clock, flows, calls, drain };
}

/** Send whenever it may be sent, for so long; how many bytes. */
async function run({ clock, flows, calls, drain }: Setup, ms: number): Promise<number> {
  const endMs = clock.now() + ms;
  let bytes = drain();
  while (clock.now() < endMs) {
    const before = calls.count;
    const waitMs = Math.min(flows.waitMs(clock.now()), endMs - clock.now());
    await clock.advance(waitMs);
    if (calls.count > before) bytes += drain();
  }
  return bytes;
}

test("ByteScheduler without flows has nothing to send, no timer and nothing to wait for", () => {
  const { clock, flows, calls } = setUp({ rateLimit: new RateLimit(1000) });
  assertEquals(flows.waitMs(clock.now()), Infinity);
  assertEquals(flows.next(clock.now()), undefined);
  assertEquals([flows.waitMs(clock.now()), clock.pending, calls.count], [Infinity, 0, 0]);
  assertEquals(flows.stats(), { active: 0, queued: 0, clients: 0, limited: 0, sentBytes: 0 });
});

test("ByteScheduler gives turns without limits, and counts what was sent", () => {
  const { clock, flows, calls } = setUp();
  const flow = flows.add("a", { client: "c", priority: 2 });
  assertEquals([flow.value, flow.client, flow.priority, flow.state, flow.paused], [
    "a",
    "c",
    2,
    "active",
    false,
  ]);
  assertEquals([calls.count, flows.waitMs(clock.now())], [1, 0]);
  const turn = flows.next(clock.now())!;
  assertEquals([turn.flow, turn.bytes], [flow, 262_144]);
  assertEquals(flows.next(clock.now()), undefined, "it has its turn");
  flows.sent(flow, 1000);
  assertEquals([flow.sentBytes, flow.clientSentBytes, flows.stats().sentBytes], [1000, 1000, 1000]);
  assert(flows.next(clock.now()) !== undefined);
});

test("ByteScheduler.isAlone() says whether another client has flows, queued ones included", () => {
  const { flows } = setUp({ maxActive: 1 });
  assertEquals(flows.isAlone("a"), true);
  const own = flows.add("first", { client: "a" });
  assertEquals([flows.isAlone("a"), flows.isAlone("b")], [true, false]);
  const queued = flows.add("second", { client: "b" });
  assertEquals([queued.state, flows.isAlone("a"), flows.isAlone("b")], ["queued", false, false]);
  flows.remove(own);
  assertEquals([flows.isAlone("a"), flows.isAlone("b")], [false, true]);
});

test("ByteScheduler wakes the engine once when a parked flow is writable", () => {
  const { clock, flows, calls } = setUp();
  const [a, b] = [flows.add("a"), flows.add("b")];
  for (const flow of [a, b]) {
    const turn = flows.next(clock.now())!;
    assertEquals(turn.flow, flow);
    flows.park(flow);
    flows.sent(flow, 10);
  }
  assertEquals(flows.next(clock.now()), undefined);
  assertEquals([calls.count, flows.waitMs(clock.now()), clock.pending], [1, Infinity, 0]);
  flows.writable(a);
  flows.writable(b);
  assertEquals([calls.count, flows.waitMs(clock.now())], [2, 0]);
  assertEquals(flows.next(clock.now())?.flow, a);
});

test("ByteScheduler wakes the engine when sent() comes late and there is nothing else", () => {
  const { clock, flows, calls } = setUp();
  const flow = flows.add("a");
  const { bytes } = flows.next(clock.now())!;
  assertEquals(flows.next(clock.now()), undefined);
  flows.sent(flow, bytes);
  assertEquals(calls.count, 2);
});

test("ByteScheduler keeps a flow to its own limit, its client's and the overall one", async () => {
  const cases: [number, number, number][] = [[1e5, 1e6, 1e7], [1e6, 1e5, 1e7], [1e6, 1e7, 1e5]];
  for (const [own, client, overall] of cases) {
    const all = setUp({
      rateLimit: new RateLimit(overall),
      rateLimitOf: () => new RateLimit(client),
    });
    const flow = all.flows.add("a", { rateLimit: new RateLimit(own) });
    const bytes = await run(all, 10_000);
    assertEquals(flow.sentBytes, bytes);
    assert(bytes <= 1e6 && bytes > 0.99 * 1e6, `${bytes} with ${own}, ${client}, ${overall}`);
    all.flows.remove(flow);
    await all.clock.advance(0);
    assertEquals([all.clock.pending, all.flows.stats().limited], [0, 0]);
  }
});

test("ByteScheduler shares a client's limit among its flows, and the overall one among clients", async () => {
  const all = setUp({
    rateLimit: new RateLimit(4e6),
    rateLimitOf: (client) => client === "slow" ? new RateLimit(1e5) : undefined,
  });
  const slow = [1, 2, 3, 4].map((i) => all.flows.add(`slow ${i}`, { client: "slow" }));
  const one = all.flows.add("one", { client: "one" });
  const many = Array.from({ length: 40 }, (_, i) => all.flows.add(`${i}`, { client: "many" }));
  const bytes = await run(all, 20_000);
  assert(bytes <= 8e7 && bytes > 0.99 * 8e7, `${bytes} overall`);
  const slowBytes = slow[0]!.clientSentBytes;
  assert(slowBytes <= 2e6 && slowBytes > 0.98 * 2e6, `${slowBytes} of the slow one`);
  for (const { sentBytes } of slow) assert(Math.abs(sentBytes / 5e5 - 1) < 0.1, `${sentBytes}`);
  assert(Math.abs(one.sentBytes / many[0]!.clientSentBytes - 1) < 0.03);
});

test("ByteScheduler gives back to the limits what a turn did not use", async () => {
  const own = new RateLimit(1e5);
  const all = setUp({ rateLimitOf: () => own });
  const flow = all.flows.add("a");
  all.flows.next(all.clock.now());
  await all.clock.advance(100);
  const { bytes } = all.flows.next(all.clock.now())!;
  assertEquals([bytes, own.available(all.clock.now())], [10_000, 0]);
  all.flows.sent(flow, 3000);
  assertEquals(own.available(all.clock.now()), 7000);
});

test("ByteScheduler lets others have at once what a turn did not use of their limit", async () => {
  for (const where of ["client", "overall"]) {
    const limit = new RateLimit(1e5);
    const { clock, flows, calls } = setUp(
      where === "client" ? { rateLimitOf: () => limit } : { rateLimit: limit },
    );
    const own = [flows.add("a"), flows.add("b")];
    flows.next(clock.now());
    await clock.advance(100);
    const { flow } = flows.next(clock.now())!;
    assertEquals(flows.next(clock.now()), undefined);
    const { count } = calls;
    flows.park(flow);
    flows.sent(flow, 0);
    assertEquals([calls.count, flows.waitMs(clock.now())], [count + 1, 0], where);
    assertEquals(flows.next(clock.now())?.flow, own.find((one) => one !== flow));
  }
});

test("ByteScheduler does not wake the engine for a flow that the limits keep from sending", () => {
  const overall = setUp({ rateLimit: new RateLimit(1e5) });
  const [, parked] = [overall.flows.add("a"), overall.flows.add("b")];
  overall.flows.park(parked);
  assertEquals(overall.flows.next(overall.clock.now()), undefined);
  overall.flows.writable(parked);
  assertEquals(overall.calls.count, 1);
  const { clock, flows, calls } = setUp();
  const flow = flows.add("a", { rateLimit: new RateLimit(1e5) });
  assertEquals(flows.next(clock.now()), undefined);
  flows.pause(flow);
  flows.resume(flow);
  assertEquals([calls.count, flows.stats().limited], [1, 1]);
});

test("ByteScheduler holds a client once, whose flows come and go meanwhile", async () => {
  const all = setUp({ maxActive: 1, rateLimitOf: () => new RateLimit(1e5) });
  const own = ["a", "b", "c"].map((name) => all.flows.add(name));
  for (const flow of own.slice(0, 2)) {
    assertEquals(all.flows.next(all.clock.now()), undefined);
    assertEquals(all.flows.stats().limited, 1);
    all.flows.remove(flow);
  }
  assert(await run(all, 1000) > 0.95e5);
});

test("ByteScheduler looks at all whose limit was changed before it says how long to wait", () => {
  const { clock, flows } = setUp();
  const rateLimit = new RateLimit(1e5);
  for (let i = 0; i < 40; i++) flows.add(`${i}`, { rateLimit });
  flows.next(clock.now());
  rateLimit.change(1000, clock.now());
  assertEquals(flows.next(clock.now()), undefined);
  assert(flows.waitMs(clock.now()) > 500);
});

test("ByteScheduler has one timer, however many wait for their limits", async () => {
  const all = setUp({ maxActive: 2000 });
  const own = Array.from(
    { length: 1000 },
    (_, i) => all.flows.add(`${i}`, { rateLimit: new RateLimit(1024 + i) }),
  );
  all.drain();
  await all.clock.advance(0);
  assertEquals([all.clock.pending, all.flows.stats().limited], [1, 1000]);
  for (const flow of own) all.flows.remove(flow);
  await all.clock.advance(0);
  assertEquals([all.clock.pending, all.flows.stats().limited], [0, 0]);
});

test("ByteScheduler without onReady has no timer, and says how long to wait", async () => {
  const clock = new VirtualClock();
  const flows = new ByteScheduler<string>({ clock });
  const flow = flows.add("a", { rateLimit: new RateLimit(10_240) });
  assertEquals(flows.waitMs(0), 0);
  assertEquals(flows.next(0), undefined);
  const waitMs = flows.waitMs(0);
  assert(waitMs >= 100 && waitMs <= 101, `${waitMs} ms`);
  await clock.advance(1000);
  assertEquals(clock.pending, 0);
  assertEquals(flows.next(waitMs)?.flow, flow);
});

test("ByteScheduler shares the deadlines that it is given", async () => {
  const clock = new VirtualClock();
  const deadlines = new Deadlines(clock);
  const flows = new ByteScheduler<string>({ clock, deadlines, onReady: () => {} });
  flows.add("a", { rateLimit: new RateLimit(10_240) });
  flows.next(0);
  assertEquals(deadlines.size, 1);
  await clock.advance(200);
  assertEquals(deadlines.size, 0);
});

test("ByteScheduler follows a limit that changes while somebody waits for it", async () => {
  for (const where of ["flow", "client", "overall"] as const) {
    const limit = new RateLimit(1024);
    const all = setUp({
      rateLimit: where === "overall" ? limit : undefined,
      rateLimitOf: where === "client" ? () => limit : undefined,
    });
    all.flows.add("a", where === "flow" ? { rateLimit: limit } : {});
    assertEquals(await run(all, 500), 0, "a turn is worth a KiB");
    limit.change(0, all.clock.now());
    assertEquals(await run(all, 5000), 0);
    assertEquals(all.flows.waitMs(all.clock.now()), Infinity);
    const { count } = all.calls;
    limit.change(1e6, all.clock.now());
    assertEquals(all.calls.count, count + 1, where);
    const bytes = await run(all, 1000);
    assert(bytes > 0.95e6 && bytes <= 1e6 + 1024, `${bytes} with the ${where}'s limit`);
    limit.change(Infinity, all.clock.now());
    assert(all.drain(100) === 100 * 262_144);
  }
});

test("ByteScheduler lets flows beyond maxActive wait, fairly, and refuses more than maxQueued", () => {
  const log: string[] = [];
  const { flows } = setUp({
    maxActive: 2,
    maxQueued: 4,
    observer: {
      queued: ({ value }) => log.push(`queued ${value}`),
      started: ({ value }) => log.push(`started ${value}`),
      removed: ({ value }) => log.push(`removed ${value}`),
    },
  });
  const own = ["a1", "a2", "a3", "a4"].map((name) => flows.add(name, { client: "a" }));
  own.push(flows.add("b1", { client: "b" }), flows.add("c1", { client: "c", priority: 8 }));
  assertEquals(
    own.map(({ state }) => state),
    ["active", "active", ..."qqqq"].map((state) => state === "q" ? "queued" : state),
  );
  const error = assertThrows(() => flows.add("d"), Error, "Cannot add flow: 4 wait already");
  assert(isJackfieldError(error, "DOWNLOAD_QUEUE_FULL") && error.limit === 4);
  const admitted = flows.add("e", { isAdmitted: true }); // It came before there were so many.
  assertEquals(admitted.state, "queued");
  assert(flows.remove(admitted));
  log.splice(-2);
  const { active, queued, clients } = flows.stats();
  assertEquals([active, queued, clients], [2, 4, 1]);
  assert(flows.remove(own[5]!));
  assertFalse(flows.remove(own[5]!));
  for (const flow of own) flows.remove(flow);
  assertEquals(log, [
    ...["started a1", "started a2", "queued a3", "queued a4", "queued b1", "queued c1"],
    ...["removed c1", "removed a1", "started a3", "removed a2", "started b1", "removed a3"],
    ...["started a4", "removed a4", "removed b1"],
  ]);
  assertEquals(flows.stats().active + flows.stats().queued, 0);
});

test("ByteScheduler.pause() keeps the place of an active flow, and gives up that of a waiting one", () => {
  const { clock, flows, calls } = setUp({ maxActive: 1 });
  const [a, b, c] = ["a", "b", "c"].map((name) => flows.add(name));
  flows.pause(b!);
  flows.pause(b!);
  flows.pause(a!);
  assertEquals([a!.paused, flows.stats().active, flows.stats().queued], [true, 1, 2]);
  assertEquals(flows.next(clock.now()), undefined);
  flows.resume(a!);
  flows.resume(a!);
  assertEquals([flows.next(clock.now())?.flow, calls.count], [a, 2]);
  flows.remove(a!);
  assertEquals([b!.state, c!.state], ["queued", "active"]);
  flows.remove(c!);
  assertEquals([b!.state, flows.stats().active, flows.stats().queued], ["queued", 0, 1]);
  flows.resume(b!);
  assertEquals([b!.state, flows.next(clock.now())?.flow], ["active", b]);
  flows.pause(b!);
  flows.remove(b!);
  flows.resume(b!);
  assertEquals(flows.stats().queued, 0);
});

test("ByteScheduler.park() of a flow that waits holds when its place comes", () => {
  const { clock, flows } = setUp({ maxActive: 1 });
  const [a, b] = [flows.add("a"), flows.add("b")];
  flows.park(b);
  flows.remove(a);
  assertEquals([b.state, flows.next(clock.now())], ["active", undefined]);
  flows.writable(b);
  assertEquals(flows.next(clock.now())?.flow, b);
});

test("ByteScheduler tells the observer of every turn, and no error of its changes anything", async () => {
  const errors: unknown[] = [];
  const seen: [string, number, number, number][] = [];
  const clock = new VirtualClock();
  const flows = new ByteScheduler<string>({
    clock,
    onError: (error) => errors.push((error as Error).message),
    onReady: () => {
      throw new Error("ready");
    },
    observer: {
      started: () => {
        throw new Error("started");
      },
      sent(flow, bytes) {
        seen.push([flow.value, bytes, flow.sentBytes, flow.clientSentBytes]);
        throw new Error("sent");
      },
      removed: () => {
        throw new Error("removed");
      },
    },
  });
  const a = flows.add("a", { client: "c" });
  const b = flows.add("b", { client: "c" });
  for (const bytes of [10, 0, 20]) {
    const { flow } = flows.next(clock.now())!;
    flows.sent(flow, bytes);
  }
  flows.remove(a);
  flows.remove(b);
  assertEquals(errors, ["started", "ready", "started", "sent", "sent", "removed", "removed"]);
  assertEquals(seen.map(([, bytes, , client]) => [bytes, client]), [[10, 10], [20, 30]]);
  await clock.settle();
});

test("ByteScheduler may be changed from within its observer", () => {
  let left = 50;
  const { clock, flows } = setUp({
    maxActive: 2,
    observer: {
      sent: (flow) => void flows.remove(flow),
      removed() {
        if (left-- > 0) flows.add(`${left}`);
      },
    },
  });
  for (const name of ["a", "b", "c"]) flows.add(name);
  let turns = 0;
  for (let turn = flows.next(clock.now()); turn; turn = flows.next(clock.now())) {
    flows.sent(turn.flow, turn.bytes);
    assert(flows.stats().active <= 2);
    turns++;
  }
  assertEquals([turns, flows.stats().active, flows.stats().queued], [53, 0, 0]);
});

test("ByteScheduler leaves no watcher at a limit that lives longer", () => {
  const limits = [new RateLimit(1e6), new RateLimit(1e6), new RateLimit(1e6)];
  const watched = new Map<RateLimit, number>();
  for (const limit of limits) {
    const { watch, unwatch } = limit;
    limit.watch = (watcher) => {
      watched.set(limit, (watched.get(limit) ?? 0) + 1);
      watch.call(limit, watcher);
    };
    limit.unwatch = (watcher) => {
      watched.set(limit, (watched.get(limit) ?? 0) - 1);
      unwatch.call(limit, watcher);
    };
  }
  const [overall, shared, own] = limits;
  const { flows } = setUp({ rateLimit: overall, rateLimitOf: () => shared, maxActive: 1 });
  const all = ["a", "b"].map((client) => flows.add(client, { client, rateLimit: own }));
  assertEquals(limits.map((limit) => watched.get(limit)), [1, 2, 1]);
  for (const flow of all) flows.remove(flow);
  assertEquals(limits.map((limit) => watched.get(limit)), [0, 0, 0]);
});

test("ByteScheduler refuses what is out of range, and nobody is added", () => {
  for (const maxActive of [0, NaN]) {
    assertThrows(() => setUp({ maxActive }), RangeError, `maxActive "${maxActive}"`);
  }
  for (const maxQueued of [-1, NaN]) {
    assertThrows(() => setUp({ maxQueued }), RangeError, `maxQueued "${maxQueued}"`);
  }
  assertThrows(() => setUp({ quantumBytes: 5 }), RangeError, "quantumBytes");
  assertThrows(() => setUp({ agingTurns: -1 }), RangeError, "agingTurns");
  assertThrows(() => setUp({ agingMs: -1 }), RangeError, "agingMs");
  const { flows, clock } = setUp({
    maxActive: 1,
    weightOf: Number,
    rateLimitOf(client) {
      if (client === "3") throw new TypeError("no limit");
      return undefined;
    },
  });
  const refuse = () => {
    assertThrows(() => flows.add("a", { client: "1", priority: 9 }), RangeError, 'priority "9"');
    assertThrows(() => flows.add("a", { client: "101" }), RangeError, 'weight "101"');
    assertThrows(() => flows.add("a", { client: "3" }), TypeError, "no limit");
  };
  refuse();
  assertEquals([flows.stats().active, flows.stats().queued], [0, 0]);
  const flow = flows.add("a", { client: "1" });
  refuse();
  assertEquals([flows.stats().active, flows.stats().queued], [1, 0]);
  assertThrows(() => flows.sent(flow, 1), TypeError, "flow has no turn");
  const waiting = flows.add("b", { client: "1" });
  assertThrows(() => flows.sent(waiting, 1), TypeError, "flow has no turn");
  flows.next(clock.now());
  assertThrows(() => flows.sent(flow, 1e9), RangeError, "expected an integer from 0 to 262144");
});

/** What is known of a flow from outside. */
interface Known {
  readonly flow: ScheduledFlow<number>;
  readonly limits: readonly number[];
  parked: boolean;
  granted: number;
}

test("ByteScheduler keeps its promises whatever happens to its flows", async () => {
  const seeds = Array.from({ length: 30 }, (_, i) => i + 1);
  await withSeeds(seeds, (dice) => {
    const maxActive = 1 + dice.below(12);
    const rates = [undefined, 50_000, 1e6];
    const limits = rates.map((rate) => rate === undefined ? undefined : new RateLimit(rate));
    const startMs = 1000;
    let nowMs = startMs;
    let awake = 0;
    const taken = new Map<RateLimit, number>();
    const overall = dice.random() < 0.5 ? new RateLimit(2e6) : undefined;
    const shared = new RateLimit(3e5);
    const rateLimitOf = (client: string) => client === "0" ? shared : undefined;
    const flows = new ByteScheduler<number>({
      maxActive,
      maxQueued: 20,
      quantumBytes: 16_384,
      rateLimit: overall,
      rateLimitOf,
      clock: { now: () => nowMs, schedule: () => () => {} },
      onReady: () => void awake++,
    });
    let all: Known[] = [];
    const limitsOf = new Map<ScheduledFlow<number>, RateLimit[]>();
    for (let step = 0; step < 3000; step++) {
      const what = dice.random();
      const one = all.length > 0 ? dice.oneOf(all) : undefined;
      if (what < 0.1 && all.length < maxActive + 20) {
        const client = `${dice.below(4)}`;
        const rateLimit = dice.oneOf(limits);
        const flow = flows.add(step, { client, rateLimit, priority: dice.below(3) });
        all.push({ flow, limits: [], parked: false, granted: 0 });
        limitsOf.set(
          flow,
          [rateLimit, rateLimitOf(client), overall].filter((limit) => limit !== undefined),
        );
      } else if (what < 0.15 && one !== undefined) {
        flows.remove(one.flow);
        all = all.filter((other) => other !== one);
        if (one.granted > 0) flows.sent(one.flow, one.granted);
        count(one, one.granted);
      } else if (what < 0.25 && one !== undefined) {
        one.parked = !one.parked;
        if (one.parked) flows.park(one.flow);
        else flows.writable(one.flow);
      } else if (what < 0.32 && one !== undefined) {
        if (one.flow.paused) flows.resume(one.flow);
        else flows.pause(one.flow);
      } else if (what < 0.6) {
        const busy = all.filter(({ granted }) => granted > 0);
        if (busy.length === 0) continue;
        const sender = dice.oneOf(busy);
        const bytes = dice.oneOf([0, sender.granted, sender.granted, dice.below(sender.granted)]);
        flows.sent(sender.flow, bytes);
        count(sender, bytes);
        sender.granted = 0;
      } else if (what < 0.7) {
        nowMs += dice.random() * dice.oneOf([1, 20, 100]);
      } else {
        const calls = awake;
        const turn = flows.next(nowMs);
        assertEquals(awake, calls, "it does not wake who is awake");
        if (turn === undefined) {
          checkIdle();
          continue;
        }
        const found = all.find(({ flow }) => flow === turn.flow)!;
        assert(!found.parked && !found.flow.paused && found.flow.state === "active");
        assertEquals(found.granted, 0);
        assert(turn.bytes >= 1 && turn.bytes <= 16_384);
        found.granted = turn.bytes;
      }
      const { active, queued } = flows.stats();
      assertEquals(active + queued, all.length);
      assert(active <= maxActive);
      const pausedQueued = all.filter(({ flow }) => flow.state === "queued" && flow.paused).length;
      assert(active === maxActive || queued === pausedQueued, "a place is free, and one waits");
    }
    for (const [limit, bytes] of taken) {
      const mostBytes = limit.bytesPerSecond * (nowMs - startMs) / 1000;
      assert(bytes <= mostBytes, `${bytes} bytes, and no more than ${mostBytes} were allowed`);
    }

    function count({ flow }: Known, bytes: number): void {
      for (const limit of limitsOf.get(flow)!) taken.set(limit, (taken.get(limit) ?? 0) + bytes);
    }

    /** Nothing can be sent: then each flow has its reason, and the wait is not too long. */
    function checkIdle(): void {
      const able = all.filter(({ flow, parked, granted }) =>
        flow.state === "active" && !flow.paused && !parked && granted === 0
      );
      const waitMs = flows.waitMs(nowMs);
      for (const { flow } of able) {
        let mostMs = 0;
        for (const { bytesPerSecond, turnBytes } of limitsOf.get(flow)!) {
          mostMs = Math.max(mostMs, Math.min(turnBytes, 16_384) / bytesPerSecond * 1000 + 1);
        }
        assert(waitMs <= mostMs, `flow ${flow.value} waits ${waitMs} ms, and not ${mostMs}`);
      }
    }
  });
});

test("ByteScheduler lets a flow go on that its own limit held back after everybody was asked", async () => {
  const clock = new VirtualClock();
  let readyCount = 0;
  const flows = new ByteScheduler<string>({ clock, onReady: () => readyCount++ });
  const flow = flows.add("one", { rateLimit: new RateLimit(1000, { burstBytes: 100 }) });
  assertEquals(flows.next(clock.now()), undefined);
  await clock.advance(200);
  const { bytes } = flows.next(clock.now())!;
  assertEquals(flows.next(clock.now()), undefined);
  const before = readyCount;
  flows.sent(flow, bytes); // An engine that reads from a disk says so later.
  assertEquals([readyCount - before, flows.next(clock.now())], [1, undefined]);
  await clock.advance(200);
  assertEquals([readyCount - before, flows.next(clock.now())?.bytes], [2, bytes]);
  flows.sent(flow, bytes);
  flows.remove(flow);
});
