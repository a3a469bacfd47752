// What a pool does when its target cannot be reached.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { JackfieldError, type SocketPoolOptions } from "../../src/core.ts";
import { seededRandom, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { lease, outcomeOf, type PoolOnFakes, poolOnFakes, refusal, sums } from "./tools.ts";

const FACTS = { operation: "connect", reason: "refused", osCode: "ECONNREFUSED" } as const;
const REFUSED = new JackfieldError(
  "CONNECT_FAILED",
  "Cannot connect to 127.0.0.1:80: refused",
  FACTS,
);

interface Outage extends PoolOnFakes<undefined> {
  /** When each connect began. */
  readonly triesMs: number[];
  /** The target is there again, or gone. */
  turn(up: boolean): void;
}

/** A pool whose target is down. */
function outage(options: Partial<SocketPoolOptions> = {}): Outage {
  const triesMs: number[] = [];
  const clock = new VirtualClock();
  let isUp = false;
  const made = poolOnFakes({ clock, ...options }, {
    answer: (connect) => {
      triesMs.push(clock.now());
      if (isUp) connect.open();
      else connect.fail(REFUSED);
    },
  });
  return { ...made, clock, triesMs, turn: (up) => void (isUp = up) };
}

const gaps = (times: readonly number[]) => times.slice(1).map((time, at) => time - times[at]!);

test("SocketPool waits longer after each failure in a row, up to maxBackoffMs", async () => {
  const { clock, pool, triesMs } = outage({ minIdle: 1, backoffMs: 100, maxBackoffMs: 1_000 });
  await clock.advance(6_000);
  // One failure is no reason to wait.
  assertEquals(gaps(triesMs).slice(0, 8), [0, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
  await pool.close();
  assertEquals(clock.pending, 0);
});

test("SocketPool shortens each backoff by chance, by up to a half", async () => {
  const { clock, pool, triesMs } = outage({
    minIdle: 1,
    backoffMs: 1_000,
    maxBackoffMs: 1_000,
    random: seededRandom(3),
  });
  await clock.advance(60_000);
  const waits = gaps(triesMs).slice(1);
  assert(waits.length >= 60 && waits.length <= 120, `${waits.length} tries`);
  for (const wait of waits) assert(wait >= 500 && wait <= 1_000, `${wait} ms`);
  assert(new Set(waits).size > 50);
  await pool.close();
});

test("SocketPool takes connects that fail side by side for one failure", async () => {
  const { clock, pool, transport } = poolOnFakes({ maxSize: 8 }, { answer: () => {} });
  const asked = Array.from({ length: 8 }, () => outcomeOf(pool.acquire(), clock));
  await settle();
  for (const connect of [...transport.connects]) connect.fail(REFUSED);
  await settle();
  assertEquals(pool.stats().targets[0]!.failures, 1);
  for (const { code } of await Promise.all(asked)) assertEquals(code, "CONNECT_FAILED");
  await pool.close();
});

test("SocketPool refuses at once while its only target is down, and says why and how long", async () => {
  const { clock, pool, triesMs } = outage({
    backoffMs: 1_000,
    maxBackoffMs: 60_000,
    breakAfter: 3,
  });
  for (let failures = 0; failures < 3; failures++) {
    const asked = outcomeOf(pool.acquire(), clock);
    await clock.advance(failures * 500);
    assertEquals((await asked).code, "CONNECT_FAILED");
  }
  assertEquals(pool.stats().targets[0]!.health, "down");
  const tries = triesMs.length;
  const error = await refusal(pool.acquire());
  assertEquals([error.code, error.reason, error.osCode], [
    "CONNECT_FAILED",
    "refused",
    "ECONNREFUSED",
  ]);
  assertStringIncludes(error.message, "(3 failures in a row; the next try is in 1500 ms)");
  assertEquals([error.cause, triesMs.length], [REFUSED, tries] as unknown[]);
  await pool.close();
});

test("SocketPool tries a target that is down with one connect, and recovers with it", async () => {
  const { clock, pool, transport } = poolOnFakes({ maxSize: 8, backoffMs: 1_000, breakAfter: 2 }, {
    answer: (one) => one.fail(REFUSED),
  });
  for (let failures = 0; failures < 2; failures++) await refusal(pool.acquire());
  assertEquals(pool.stats().targets[0]!.health, "down");
  await clock.advance(1_000);
  transport.answer = () => {};
  const before = transport.connects.length;
  const asked = lease(pool, 5);
  await settle();
  assertEquals([transport.connects.length - before, sums(pool).waiting], [1, 5]);
  transport.answer = (one) => void one.open();
  transport.connects.at(-1)!.open(); // It is back: the others are connected for at once.
  const leases = await asked;
  assertEquals([transport.connects.length - before, clock.now()], [5, 1_000]);
  const { failures, health } = pool.stats().targets[0]!;
  assertEquals([failures, health], [0, "up"]);
  for (const one of leases) one.release();
  await pool.close();
});

test("SocketPool refuses all who wait when the try of a target that is down fails", async () => {
  const { clock, pool, transport } = poolOnFakes({ maxSize: 8, backoffMs: 1_000, breakAfter: 2 }, {
    answer: (one) => one.fail(REFUSED),
  });
  for (let failures = 0; failures < 2; failures++) await refusal(pool.acquire());
  await clock.advance(1_000);
  transport.answer = () => {};
  const asked = Array.from({ length: 5 }, () => outcomeOf(pool.acquire(), clock));
  await settle();
  transport.connects.at(-1)!.fail(REFUSED);
  for (const { code, atMs } of await Promise.all(asked)) {
    assertEquals([code, atMs], ["CONNECT_FAILED", 1_000]);
  }
  await pool.close();
});

test("SocketPool goes on with what it has while its target is down", async () => {
  const made = outage({ maxSize: 4, breakAfter: 2 });
  const { clock, pool } = made;
  made.turn(true);
  const [one, two] = await lease(pool, 2);
  made.turn(false);
  const asked = Array.from({ length: 6 }, () => outcomeOf(pool.acquire(), clock));
  await clock.advance(5_000);
  assertEquals(pool.stats().targets[0]!.health, "down");
  asked.push(outcomeOf(pool.acquire(), clock)); // Who comes now may wait, too:
  assertEquals(sums(pool).waiting, 7); // sockets stand, and will come back.
  for (const each of asked) void each.then(({ lease }) => lease?.release());
  one!.release();
  for (const { code } of await Promise.all(asked)) assertEquals(code, undefined);
  two!.release();
  await pool.close();
});

test("SocketPool names the real cause when a caller runs out of time in an outage", async () => {
  const made = outage({ maxSize: 2 });
  const { clock, pool } = made;
  made.turn(true);
  const [held] = await lease(pool, 1);
  made.turn(false);
  const asked = refusal(pool.acquire({ timeoutMs: 1_000 }));
  await clock.advance(1_000);
  const { code, cause, message } = await asked;
  assertEquals([code, cause], ["POOL_TIMEOUT", REFUSED] as unknown[]);
  assertStringIncludes(message, "2 sockets: 1 leased".replace("2", String(sums(pool).size)));
  held!.release();
  await pool.close();
});

test("SocketPool.acquire(): who runs out of time with its connect on the way is told of the connect", async () => {
  const { clock, pool } = poolOnFakes({ maxSize: 4 }, { answer: () => {} });
  const patient = refusal(pool.acquire());
  const hasty = refusal(pool.acquire({ timeoutMs: 500 })); // It is second, and has a connect, too.
  await clock.advance(500);
  const { phase, message } = await hasty;
  assertEquals(phase, "connect");
  assertStringIncludes(message, "no connect succeeded in 500 ms");
  pool.abort();
  await patient;
});

test("SocketPool makes a failed prepare a failure of its target, with backoff and breaker", async () => {
  const begunMs: number[] = [];
  const { clock, pool } = poolOnFakes({
    minIdle: 1,
    backoffMs: 100,
    breakAfter: 3,
    prepare: () => {
      begunMs.push(clock.now());
      throw new Error("too many clients");
    },
  });
  await clock.advance(2_000);
  assertEquals(gaps(begunMs).slice(0, 4), [0, 100, 200, 400]);
  const error = await refusal(pool.acquire());
  assertEquals([error.code, error.phase], ["POOL_PREPARE_FAILED", "prepare"]);
  assertStringIncludes(error.message, "too many clients");
  await pool.close();
});

test("SocketPool tells onError of a failed connect that no caller is told of", async () => {
  const errors: unknown[] = [];
  const { clock, pool } = outage({
    minIdle: 1,
    onError: (error, { stage }) => errors.push(stage, error),
  });
  await clock.advance(0);
  assertEquals(errors.slice(0, 2), ["connect", REFUSED]);
  await pool.close();

  const told: unknown[] = [];
  const asked = outage({ onError: (error) => told.push(error) });
  await refusal(asked.pool.acquire());
  assertEquals(told, []); // The caller knows it.
  await asked.pool.close();
});

test("SocketPool: a transport that throws instead of rejecting is a failure like any other", async () => {
  const { pool, transport } = poolOnFakes();
  transport.connect = () => {
    throw REFUSED;
  };
  assertEquals(await refusal(pool.acquire()), REFUSED);
  await settle();
  await pool.close();
});
