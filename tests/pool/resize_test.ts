// A pool that becomes larger, smaller, or chooses in another way while it is at work.
import { assert, assertEquals } from "@std/assert";
import {
  type Decision,
  leastBusy,
  type PoolCandidate,
  type PoolRequest,
  powerOfTwoChoices,
  random,
  recorded,
  replay,
  roundRobin,
  sticky,
  type Strategy,
  weighted,
} from "../../src/core.ts";
import { test } from "../harness.ts";
import { settle, withSeeds } from "../support/seeds.ts";
import { deferred } from "../transport/fakes.ts";
import { idle, lease, poolOnFakes, refusal, sums } from "./tools.ts";

type PoolStrategy = Strategy<PoolCandidate, PoolRequest>;

test("SocketPool.resize() to more connects for who waits at once (P2)", async () => {
  const { pool, transport } = poolOnFakes({ maxSize: 1 });
  const [held] = await lease(pool, 1);
  const waiting = lease(pool, 3);
  await settle();
  assertEquals(sums(pool).waiting, 3);
  pool.resize(3);
  await settle();
  assertEquals([pool.maxSize, sums(pool).leased, sums(pool).waiting], [3, 3, 1]);
  held!.release();
  for (const one of await waiting) one.release();
  assertEquals(transport.mostHeld, 3);
  await pool.close();
});

test("SocketPool.resize() to fewer ends what is idle at once, what is leased when it comes back (P2)", async () => {
  const { pool } = poolOnFakes({ maxSize: 6 });
  const leases = await lease(pool, 6);
  for (const one of leases.splice(0, 2)) one.release();
  pool.resize(3);
  await settle();
  assertEquals([sums(pool).idle, sums(pool).leased, sums(pool).size], [0, 4, 4]);
  const waiting = pool.acquire();
  leases.pop()!.release();
  await settle();
  assertEquals([sums(pool).size, sums(pool).waiting], [3, 1]); // It was one too many.
  leases.pop()!.release();
  (await waiting).release();
  await settle();
  assertEquals([sums(pool).size, sums(pool).idle], [3, 1]);
  for (const one of leases) one.release();
  assertEquals(sums(pool).idle, 3);
  await pool.close();
});

test("SocketPool.resize() to fewer holds for connects on the way, too (P2)", async () => {
  const { pool, transport } = poolOnFakes({ maxSize: 6 }, { answer: () => {} });
  const controller = new AbortController();
  const { signal } = controller;
  const asked = Array.from({ length: 6 }, () => refusal(pool.acquire({ signal })));
  await settle();
  pool.resize(2);
  controller.abort(new Error("not needed"));
  await Promise.all(asked);
  for (const connect of transport.connects) connect.open();
  await settle();
  assertEquals([sums(pool).size, sums(pool).idle], [2, 2]);
  await pool.close();
});

test("SocketPool.resize() to fewer holds for resets on the way, too (P2)", async () => {
  const done = deferred();
  const { pool } = poolOnFakes({ maxSize: 6, reset: () => done.promise });
  await idle(pool, 6);
  pool.resize(2);
  done.resolve();
  await settle();
  assertEquals([sums(pool).size, sums(pool).idle], [2, 2]);
  await pool.close();
});

test("SocketPool.resize() to fewer holds for checks on the way, too (P2)", async () => {
  const answer = deferred<boolean>();
  const { clock, pool } = poolOnFakes({
    maxSize: 6,
    checkIntervalMs: 1_000,
    check: () => answer.promise,
  });
  await idle(pool, 6);
  await clock.advance(4_000); // All of them are being checked by now.
  assertEquals(sums(pool).checking, 6);
  pool.resize(2);
  answer.resolve(true);
  await settle();
  assertEquals([sums(pool).size, sums(pool).idle], [2, 2]);
  await pool.close();
});

test("SocketPool.resize() refuses what is no size, or less than minIdle", async () => {
  const { pool } = poolOnFakes({ maxSize: 4, minIdle: 2 });
  for (const bad of [0, -1, 1.5, NaN, 1]) {
    let message = "nothing";
    try {
      pool.resize(bad);
    } catch (error) {
      assert(error instanceof RangeError);
      ({ message } = error);
    }
    assertEquals(message, `Cannot use maxSize "${bad}": expected an integer of at least 2`);
  }
  pool.resize(Infinity);
  assertEquals(pool.maxSize, Infinity);
  await pool.close();
});

test("SocketPool keeps the bound through random sizes (P2)", () =>
  withSeeds([5, 6, 7], async (dice) => {
    const { pool } = poolOnFakes({ maxSize: 5, maxWaiting: Infinity });
    const leases: { release(): void }[] = [];
    const asked: Promise<unknown>[] = [];
    for (let step = 0; step < 500; step++) {
      const before = sums(pool).size;
      const dicing = dice.below(10);
      if (dicing === 0) pool.resize(1 + dice.below(10));
      else if (dicing < 6) asked.push(pool.acquire().then((one) => leases.push(one)));
      else leases.splice(dice.below(leases.length), 1)[0]?.release();
      await settle();
      const { size, idle: free, waiting } = sums(pool);
      assert(size <= Math.max(pool.maxSize, before), `step ${step}: ${size} of ${pool.maxSize}`);
      assert(waiting === 0 || (free === 0 && size >= pool.maxSize), `step ${step}: a lost waiter`);
    }
    pool.resize(1000);
    await Promise.all(asked);
    for (const one of leases) one.release();
    await pool.close();
  }));

/** Every strategy that is shipped, and two of a user's own. */
const STRATEGIES: Record<string, () => PoolStrategy> = {
  roundRobin: () => roundRobin(),
  random: () => random(),
  leastBusy: () => leastBusy(),
  powerOfTwoChoices: () => powerOfTwoChoices(),
  weighted: () => weighted(({ weight }) => weight),
  sticky: () => sticky(({ key }: PoolRequest) => key),
  "recorded(leastBusy)": () => recorded(leastBusy(), []),
  function: () => (candidates) => candidates.at(-1),
  "with notes": () => ({
    name: "with notes",
    start: () => {
      const notes = new Set<PoolCandidate>();
      return {
        window: 0,
        pick: () => [...notes][0],
        added: (one) => void notes.add(one),
        removed: (one) => void notes.delete(one),
      };
    },
  }),
};

test("SocketPool.strategy: each strategy takes over from each other one at work (P4)", () =>
  withSeeds([21, 22], async (dice) => {
    const targets = [{ hostname: "a.test", port: 80, weight: 2 }, { hostname: "b.test", port: 80 }];
    const { pool, transport } = poolOnFakes({ maxSize: 6, target: targets });
    const leases = await lease(pool, 6);
    const makers = Object.values(STRATEGIES);
    for (const from of makers) {
      for (const to of makers) {
        pool.strategy = from();
        for (let step = 0; step < 8; step++) {
          if (leases.length > 0 && dice.random() < 0.5) {
            const one = leases.splice(dice.below(leases.length), 1)[0]!;
            if (dice.random() < 0.1) one.discard();
            else one.release();
          } else if (leases.length < 6) {
            leases.push(await pool.acquire({ key: dice.below(3), timeoutMs: Infinity }));
          }
          if (step === 4) pool.strategy = to();
          const { idle: free, leased, size } = sums(pool);
          assertEquals([leased, free + leased], [leases.length, size]);
        }
      }
    }
    assertEquals(new Set(leases.map(({ socket }) => socket)).size, leases.length);
    for (const one of leases) one.release();
    const all = await lease(pool, 6); // Whoever chooses now finds all of them.
    assertEquals(transport.mostHeld <= 6, true);
    for (const one of all) one.release();
    await pool.close();
  }));

test("SocketPool.strategy: who waits beside an idle socket is served when another one takes over (P4)", async () => {
  const { pool } = poolOnFakes({ maxSize: 2, strategy: () => undefined });
  const [held, given] = await lease(pool, 2);
  given!.release();
  const waiting = pool.acquire();
  await settle();
  assertEquals([sums(pool).idle, sums(pool).waiting], [1, 1]);
  pool.strategy = roundRobin();
  assertEquals((await waiting).socket, given!.socket);
  (await waiting).release();
  held!.release();
  await pool.close();
});

test("SocketPool.strategy refuses what is none, and keeps the one it has (P4)", async () => {
  const strategy = roundRobin<PoolCandidate>();
  const { pool } = poolOnFakes({ strategy });
  const throwing: PoolStrategy = {
    name: "throwing",
    start: () => ({
      pick: (candidates) => candidates[0],
      added: () => {
        throw new Error("no more notes");
      },
    }),
  };
  await idle(pool, 2);
  for (const bad of [null, 7, { name: "x" }, throwing]) {
    let threw = false;
    try {
      pool.strategy = bad as PoolStrategy;
    } catch {
      threw = true;
    }
    assertEquals([threw, pool.strategy === strategy], [true, true]);
  }
  await idle(pool, 2);
  await pool.close();
});

test("SocketPool: recorded assignments can be replayed under another strategy (10)", async () => {
  const log: Decision[] = [];
  const { pool } = poolOnFakes({ maxSize: 3, strategy: recorded(roundRobin(), log) });
  await idle(pool, 3);
  for (let task = 0; task < 9; task++) await idle(pool, 1);
  assertEquals(log.filter(({ event }) => event === "pick").length >= 9, true);
  const again = replay(log, roundRobin());
  const other = replay(log, (candidates) => candidates.at(-1));
  assert(JSON.stringify(again) !== JSON.stringify(other));
  await pool.close();
});
