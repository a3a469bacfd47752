// Whether idle sockets still work: `check`, before they are lent and while nobody uses them.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Socket } from "../../src/core.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { deferred } from "../transport/fakes.ts";
import { idle, outcomeOf, poolOnFakes, refusal, sums, TARGET } from "./tools.ts";

const NEVER = new Promise<never>(() => {});
const BAD = new Error("no answer");

test("SocketPool.check is skipped for a socket that was in use just now", async () => {
  let checks = 0;
  const check = () => (checks++, true);
  const { clock, pool } = poolOnFakes({ check, checkAfterMs: 500, checkIntervalMs: Infinity });
  await idle(pool, 1);
  await clock.advance(499);
  await idle(pool, 1);
  assertEquals(checks, 0);
  await clock.advance(500);
  assertEquals(pool.tryAcquire(), undefined); // It would have to wait for the check.
  await idle(pool, 1);
  assertEquals(checks, 1);
  await idle(pool, 1);
  assertEquals(checks, 1);
  await pool.close();
});

test("SocketPool.acquire() has one socket checked for each caller, and no more", async () => {
  const checked: Socket[] = [];
  const { clock, pool } = poolOnFakes({
    maxSize: 8,
    checkAfterMs: 500,
    checkIntervalMs: Infinity,
    check: (socket) => (checked.push(socket), NEVER),
  });
  await idle(pool, 8);
  await clock.advance(1_000);
  const asked = [refusal(pool.acquire()), refusal(pool.acquire())];
  await settle();
  assertEquals([checked.length, sums(pool).checking, sums(pool).idle], [2, 2, 6]);
  pool.abort();
  await Promise.all(asked);
});

const BAD_CHECKS: readonly [how: string, check: () => boolean | Promise<boolean>, atMs: number][] =
  [
    ["says false", () => false, 0],
    ["throws", () => {
      throw BAD;
    }, 0],
    ["rejects", () => Promise.reject(BAD), 0],
    ["hangs", () => NEVER, 300],
  ];

for (const [how, bad, afterMs] of BAD_CHECKS) {
  test(`SocketPool ends a socket whose check ${how}, and gives another one`, async () => {
    const errors: unknown[] = [];
    const { clock, pool, transport } = poolOnFakes({
      maxSize: 1,
      checkAfterMs: 500,
      checkTimeoutMs: 300,
      checkIntervalMs: Infinity,
      check: bad,
      onError: (error, { stage }) => errors.push(stage, error),
    });
    await idle(pool, 1);
    await clock.advance(1_000);
    const asked = outcomeOf(pool.acquire(), clock);
    await clock.advance(afterMs);
    const { atMs, lease: mine } = await asked;
    assertEquals([atMs, mine!.socket === transport.connects[1]!.made!.socket], [
      1_000 + afterMs,
      true,
    ]);
    assertEquals([transport.mostHeld, errors[0]], [1, how === "says false" ? undefined : "check"]);
    mine!.release();
    await pool.close();
    assertEquals([transport.held, clock.pending], [0, 0]);
  });
}

test("SocketPool.acquire() that runs out of time in a check says so", async () => {
  const { clock, pool } = poolOnFakes({ maxSize: 1, checkAfterMs: 0, check: () => NEVER });
  await idle(pool, 1);
  const asked = refusal(pool.acquire({ timeoutMs: 1_000 }));
  await clock.advance(1_000);
  const { code, phase, message } = await asked;
  assertEquals([code, phase], ["POOL_TIMEOUT", "check"]);
  assertStringIncludes(message, "its check was not done");
  pool.abort();
});

test("SocketPool has idle sockets checked every checkIntervalMs, some at a time", async () => {
  const checked = new Map<Socket, number[]>();
  let most = 0;
  const { clock, pool, transport } = poolOnFakes<{ name: string }>({
    maxSize: 8,
    idleTimeoutMs: Infinity,
    checkIntervalMs: 10_000,
    prepare: () => ({ name: "client" }),
    check: (socket, { session, target }) => {
      assertEquals([session.name, target], ["client", TARGET]);
      checked.set(socket, [...checked.get(socket) ?? [], clock.now()]);
      most = Math.max(most, sums(pool).checking);
      return true;
    },
  });
  await idle(pool, 8);
  await clock.advance(35_000);
  assertEquals([checked.size, transport.connects.length], [8, 8]);
  for (const times of checked.values()) assertEquals(times.length, 3);
  assert(most <= 2, `${most} at a time`);
  assertEquals(sums(pool).idle, 8);
  await pool.close();
});

test("SocketPool ends an idle socket whose check fails, and fills up to minIdle", async () => {
  let works = true;
  const { clock, pool, transport } = poolOnFakes({
    minIdle: 2,
    checkIntervalMs: 10_000,
    check: () => works,
  });
  await pool.warmUp();
  works = false;
  await clock.advance(10_250);
  works = true;
  await clock.advance(250);
  assertEquals(sums(pool).idle, 2);
  assert(transport.connects.length >= 3);
  await pool.close();
});

test("SocketPool.warmUp() resolves although sockets are being checked", async () => {
  const answer = deferred<boolean>();
  const { clock, pool } = poolOnFakes({
    minIdle: 1,
    checkIntervalMs: 10_000,
    check: () => answer.promise,
  });
  await pool.warmUp();
  await clock.advance(10_250);
  assertEquals([sums(pool).idle, sums(pool).checking], [0, 1]);
  const warm = pool.warmUp().then(() => "warm");
  answer.resolve(true);
  await settle();
  assertEquals(await Promise.race([warm, settle().then(() => "still cold")]), "warm");
  await pool.close();
});
