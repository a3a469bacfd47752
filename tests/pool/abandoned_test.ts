// Callers that vanish at any await of the way to a lease: nothing of them may stay behind.
import { assert, assertEquals } from "@std/assert";
import type { SocketLease, SocketPoolOptions } from "../../src/core.ts";
import { test } from "../harness.ts";
import { type Dice, settle, withSeeds } from "../support/seeds.ts";
import { deferred } from "../transport/fakes.ts";
import type { FakeConnect } from "./fake_transport.ts";
import { idle, lease, outcomeOf, poolOnFakes, sums, watchedSignal } from "./tools.ts";

const GAVE_UP = new Error("gave up");
const REFUSED = new Error("refused");

/** A pool in which a new caller gets so far and no further, until `finish` lets it go on. */
interface Stage {
  readonly made: ReturnType<typeof poolOnFakes<unknown>>;
  /** Whether a caller is at this await now. */
  reached(): boolean;
  /** Let what is on the way come to its end, without the caller. */
  finish(): unknown;
}

const base: Partial<SocketPoolOptions<unknown>> = { maxSize: 1, idleTimeoutMs: Infinity };

const STAGES: Record<string, () => Promise<Stage> | Stage> = {
  async queued() {
    const made = poolOnFakes<unknown>(base);
    const [held] = await lease(made.pool, 1);
    return { made, reached: () => sums(made.pool).leased === 1, finish: () => held!.release() };
  },
  connecting() {
    const made = poolOnFakes<unknown>(base, { answer: () => {} });
    return {
      made,
      reached: () => made.transport.connects.length === 1 && sums(made.pool).connecting === 1,
      finish: () => made.transport.connects[0]!.open(),
    };
  },
  preparing() {
    const done = deferred<unknown>();
    const made = poolOnFakes<unknown>({ ...base, prepare: () => done.promise });
    return {
      made,
      reached: () =>
        made.transport.connects[0]?.made !== undefined && sums(made.pool).connecting === 1,
      finish: () => done.resolve("session"),
    };
  },
  async checking() {
    const done = deferred<boolean>();
    const made = poolOnFakes<unknown>({
      ...base,
      checkAfterMs: 0,
      checkIntervalMs: Infinity,
      check: () => done.promise,
    });
    await idle(made.pool, 1);
    return {
      made,
      reached: () => sums(made.pool).checking === 1,
      finish: () => done.resolve(true),
    };
  },
  async resetting() {
    const done = deferred();
    const made = poolOnFakes<unknown>({ ...base, reset: () => done.promise });
    await idle(made.pool, 1);
    return { made, reached: () => sums(made.pool).checking === 1, finish: () => done.resolve() };
  },
  async resting() {
    const made = poolOnFakes<unknown>({ ...base, backoffMs: 10_000 }, {
      answer: (one) => one.fail(REFUSED),
    });
    for (let failures = 0; failures < 2; failures++) {
      await outcomeOf(made.pool.acquire(), made.clock);
    }
    made.transport.answer = (one) => void one.open();
    return {
      made,
      reached: () => made.pool.stats().targets[0]!.health === "resting",
      finish: async () => {
        await made.clock.advance(10_000); // Nobody asks any more: nothing is connected.
        await idle(made.pool, 1);
      },
    };
  },
};

const WAYS = [
  "is aborted",
  "runs out of time",
  "sees the pool close",
  "sees the pool abort",
] as const;

for (const [stage, make] of Object.entries(STAGES)) {
  for (const way of WAYS) {
    test(`SocketPool.acquire(): a caller that ${way} while ${stage} leaves nothing behind`, async () => {
      const { made, reached, finish } = await make();
      const { clock, pool, transport } = made;
      await settle();
      const { controller, listeners } = watchedSignal();
      const before = clock.pending;
      const { signal } = controller;
      const asked = outcomeOf(pool.acquire({ signal, timeoutMs: 500 }), clock);
      await settle();
      assertEquals([reached(), listeners(), sums(pool).waiting], [true, 1, 1]);

      let ended: Promise<void> | undefined;
      if (way === "is aborted") controller.abort(GAVE_UP);
      else if (way === "runs out of time") await clock.advance(500);
      else if (way === "sees the pool close") ended = pool.close();
      else pool.abort(GAVE_UP);

      const { code, lease: mine } = await asked;
      assert(mine === undefined);
      const expected = { "is aborted": String(GAVE_UP), "runs out of time": "POOL_TIMEOUT" };
      assertEquals(code, (expected as Record<string, string>)[way] ?? "POOL_CLOSED");
      await settle();
      assertEquals([listeners(), sums(pool).waiting, sums(pool).leased <= 1], [0, 0, true]);
      if (way === "is aborted" || way === "runs out of time") {
        // What was begun goes on for whoever is next; its own limits are all that may be pending.
        await finish();
        await settle();
        assertEquals([sums(pool).idle, sums(pool).size, transport.held], [1, 1, 1]);
        assert(clock.pending <= Math.max(before, 1), `${clock.pending} timers, ${before} before`);
        const next = pool.tryAcquire(); // It is as good as any other socket.
        assert(next !== undefined || stage === "checking");
        next?.discard();
      } else if (stage === "queued") await finish();
      ended ??= pool.close();
      for (const one of transport.connects) {
        if (one.made === undefined && stage === "connecting") one.release();
      }
      await ended;
      await settle();
      assertEquals([sums(pool).size, transport.held, clock.pending, listeners()], [0, 0, 0, 0]);
    });
  }
}

/** The session work of a pool, each piece of which ends in one of the ways that there are. */
function fickle(dice: Dice, pending: Set<() => void>): () => Promise<never> {
  return () =>
    new Promise<never>((resolve, reject) => {
      const dicing = dice.below(10);
      const end = () => {
        pending.delete(end);
        if (dicing < 7) (resolve as (value: unknown) => void)(true);
        else reject(REFUSED);
      };
      if (dicing < 9) pending.add(end); // Else it hangs until its time is over.
    });
}

/** Random callers, faults, aborts and time, and then the end. */
async function storm(dice: Dice): Promise<void> {
  const work = new Set<() => void>();
  const connects = new Set<FakeConnect>();
  const late = new Set<FakeConnect>();
  const hook = fickle(dice, work);
  const { clock, pool, transport } = poolOnFakes<unknown>({
    maxSize: 1 + dice.below(4),
    minIdle: dice.below(2),
    maxWaiting: 20,
    checkAfterMs: dice.oneOf([0, 50]),
    checkIntervalMs: 200,
    checkTimeoutMs: 60,
    prepareTimeoutMs: 80,
    resetTimeoutMs: 40,
    backoffMs: 20,
    maxBackoffMs: 100,
    maxLifetimeMs: 2_000,
    breakAfter: 4,
    random: dice.random,
    ...(dice.random() < 0.7 ? { prepare: hook } : {}),
    ...(dice.random() < 0.7 ? { check: hook } : {}),
    ...(dice.random() < 0.7 ? { reset: hook } : {}),
  }, { answer: (one) => void connects.add(one) });
  const signals: ReturnType<typeof watchedSignal>[] = [];
  const leases = new Set<SocketLease<unknown>>();
  let open = 0;
  for (let step = 0; step < 300; step++) {
    const dicing = dice.below(100);
    if (dicing < 30) {
      const watched = watchedSignal();
      signals.push(watched);
      open++;
      const { signal } = watched.controller;
      pool.acquire({ signal, timeoutMs: 1 + dice.below(300) })
        .then((mine) => leases.add(mine), () => {}).finally(() => open--);
    } else if (dicing < 40 && signals.length > 0) dice.oneOf(signals).controller.abort(GAVE_UP);
    else if (dicing < 60 && connects.size > 0) {
      const connect = dice.oneOf([...connects]);
      connects.delete(connect);
      if (dicing < 52) connect.open();
      else if (dicing < 57) connect.fail(REFUSED);
      else {
        connect.abandon(REFUSED); // Out of time; the kernel still tries.
        late.add(connect);
      }
    } else if (dicing < 70 && work.size > 0) dice.oneOf([...work])();
    else if (dicing < 85 && leases.size > 0) {
      const mine = dice.oneOf([...leases]);
      leases.delete(mine);
      if (dicing < 80) mine.release();
      else mine.discard();
    } else if (dicing < 87 && late.size > 0) {
      const connect = dice.oneOf([...late]);
      late.delete(connect);
      connect.release();
    } else if (dicing < 90) {
      dice.oneOf(transport.connects)?.made?.driver.watcher?.gone(dicing < 88 ? undefined : REFUSED);
    } else await clock.advance(dice.below(60));
    assert(sums(pool).size <= pool.maxSize, `step ${step}: ${sums(pool).size} sockets`);
    if (dice.random() < 0.3) continue; // The next step falls into the same turn.
    await settle();
    const { size, waiting } = sums(pool);
    assert(transport.held <= size, `step ${step}: ${transport.held} held, ${size} counted`);
    const heard = signals.reduce((sum, { listeners }) => sum + listeners(), 0);
    assertEquals(heard, waiting, `step ${step}: listeners`);
  }
  // Nobody asks any more, and what was on the way comes to its end or to its time.
  for (const { controller } of signals) controller.abort(GAVE_UP);
  await settle();
  for (const mine of leases) mine.release();
  await settle();
  assertEquals([open, sums(pool).waiting], [0, 0]);
  for (const connect of late) connect.release();
  for (const connect of connects) connect.open();
  transport.answer = (one) => void one.open();
  await clock.advance(500);
  const { connecting, leased, size } = sums(pool);
  assert(leased === 0 && size <= pool.maxSize);
  assert(connecting <= 1, `${connecting} connects although nobody asks`);
  await pool.close();
  await settle();
  assertEquals([sums(pool).size, transport.held, clock.pending], [0, 0, 0]);
  for (const { listeners } of signals) assertEquals(listeners(), 0);
}

const SEEDS = Array.from({ length: 60 }, (_, at) => 700 + at);

test("SocketPool: callers, connects and sessions that fail at any await leave nothing behind, in 60 storms", () =>
  withSeeds(SEEDS, storm));
