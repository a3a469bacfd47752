import { assert, assertEquals, assertThrows } from "@std/assert";
import { RateLimit, takeFromAll, waitForAllMs } from "../../src/queue/mod.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";

const KIB = 1024;

/** A limit whose time has begun at 0. */
function begun(bytesPerSecond: number, burstBytes?: number): RateLimit {
  const limit = new RateLimit(bytesPerSecond, { burstBytes });
  limit.take(0, 0);
  return limit;
}

test("RateLimit.take() gives what has come since, in whole bytes, and keeps fractions", () => {
  const limit = begun(1000);
  assertEquals(limit.take(Infinity, 0), 0);
  assertEquals(limit.take(Infinity, 0.9), 0);
  assertEquals(limit.take(Infinity, 1.9), 1);
  assertEquals(limit.take(Infinity, 3), 2);
  assertEquals(limit.take(10, 100), 10);
  assertEquals(limit.available(100), 87);
  assertEquals(limit.take(20.9, 100), 20);
});

test("RateLimit saves up no more than its burst", () => {
  const limit = begun(1000, 300);
  assertEquals(limit.available(10_000), 300);
  limit.giveBack(5000);
  assertEquals(limit.take(Infinity, 10_000), 300);
  assertEquals(limit.take(Infinity, 10_100), 100);
  assertEquals([new RateLimit(0).burstBytes, new RateLimit(4e6).burstBytes], [4096, 1e6]);
});

test("RateLimit.take() takes none when the clock goes back", () => {
  const limit = begun(1000);
  limit.take(Infinity, 100);
  assertEquals(limit.take(Infinity, 50), 0);
  assertEquals(limit.take(Infinity, 100), 0);
  assertEquals(limit.take(Infinity, 110), 10);
});

test("RateLimit.waitMs() says when so many bytes can be taken, and not much later", async () => {
  await withSeeds([1, 2, 3, 4, 5], (dice) => {
    for (let i = 0; i < 2000; i++) {
      const rate = 10 ** (dice.random() * 7 + 3);
      const startMs = dice.random() * 1e9;
      const limit = new RateLimit(rate);
      limit.take(0, startMs);
      const bytes = 1 + dice.below(limit.burstBytes);
      const nowMs = startMs + dice.random() * 10;
      limit.take(dice.below(100), nowMs);
      const waitMs = limit.waitMs(bytes, nowMs);
      assert(limit.available(nowMs + waitMs) >= bytes, `${bytes} at ${rate}, from ${nowMs}`);
      const early = new RateLimit(rate);
      early.take(0, nowMs);
      const bestMs = early.waitMs(bytes, nowMs);
      assert(bestMs <= bytes / rate * 1000 + 1e-4, `${bestMs} ms`);
      assert(waitMs <= bestMs + 100 / rate * 1000 + 1e-4);
    }
  });
  const limit = begun(1000, 300);
  assert(Math.abs(limit.waitMs(5000, 0) - 300) < 0.001, "as for all that it saves up");
  assertEquals(limit.waitMs(5000, 1000), 0);
  assertEquals(limit.waitMs(0, 0), 0);
});

test("RateLimit is exact over ten seconds at every rate, however irregularly it is asked", async () => {
  const rates = [KIB, 10 * KIB, 1e6, 20e6, 1e9, 10e9];
  await withSeeds([1, 2, 3], (dice) => {
    for (const rate of rates) {
      for (const mostMs of [0.5, 20, 200]) {
        const startMs = dice.random() * 1e8;
        const limit = new RateLimit(rate);
        limit.take(0, startMs);
        let taken = 0;
        let nowMs = startMs;
        const endMs = startMs + 10_000;
        while (nowMs < endMs) {
          nowMs = Math.min(endMs, nowMs + dice.random() * mostMs);
          const bytes = limit.take(dice.oneOf([Infinity, Infinity, 1e9, 262_144]), nowMs);
          const back = dice.random() < 0.2 ? dice.below(bytes) : 0;
          limit.giveBack(back);
          taken += bytes - back;
        }
        taken += limit.take(Infinity, nowMs);
        const ratio = taken / (10 * rate);
        // What it takes a quantum at a time may be less than what comes.
        assert(ratio <= 1 + 1e-9, `${ratio} of ${rate}, asked within ${mostMs} ms`);
        assert(ratio > 0.995 || mostMs === 200, `${ratio} of ${rate}, asked within ${mostMs} ms`);
      }
    }
  });
});

test("RateLimit does not drift: a million times asked, the last byte is right", () => {
  for (const rate of [KIB, 1e6, 10e9]) {
    const limit = begun(rate);
    let taken = 0;
    let nowMs = 0;
    for (let i = 0; i < 1_000_000; i++) {
      nowMs += 0.1 + (i * 0.618_033_988_749 % 1) * 0.3;
      taken += limit.take(Infinity, nowMs);
    }
    const off = taken - nowMs * rate / 1000;
    assert(off < 0.01 && off > -1.5, `${off} bytes off at ${rate}`);
  }
});

test("RateLimit with Infinity limits nothing, and with 0 everything", () => {
  const unlimited = new RateLimit(Infinity);
  assertEquals([unlimited.take(1e15, 0), unlimited.available(0), unlimited.waitMs(1e15, 0)], [
    1e15,
    Infinity,
    0,
  ]);
  unlimited.giveBack(5);
  const stopped = begun(0);
  assertEquals([stopped.take(1, 1e9), stopped.waitMs(1, 1e9)], [0, Infinity]);
});

test("RateLimit.change() counts the time before at the old rate, and tells its watchers", () => {
  const limit = begun(1000);
  const told: number[] = [];
  const watcher = { rateChanged: (one: RateLimit) => told.push(one.bytesPerSecond) };
  limit.watch(watcher);
  limit.change(10_000, 100);
  assertEquals(limit.available(100), 100);
  assertEquals(limit.available(200), 1100);
  limit.change(100, 200, { burstBytes: 500 });
  assertEquals([limit.available(200), limit.burstBytes], [500, 500]);
  limit.change(Infinity, 300);
  assertEquals(limit.take(1e9, 400), 1e9);
  limit.change(1000, 500);
  assertEquals([limit.available(500), limit.available(600)], [0, 100]);
  limit.unwatch(watcher);
  limit.change(1, 700);
  assertEquals(told, [10_000, 100, Infinity, 1000]);
});

test("takeFromAll() takes from all limits or from none", async () => {
  await withSeeds([1, 2, 3, 4, 5], (dice) => {
    const limits = [1000, 3000, 500, Infinity].map((rate) => begun(rate, 400));
    const taken = [0, 0, 0, 0];
    let nowMs = 0;
    for (let i = 0; i < 3000; i++) {
      nowMs += dice.random() * 50;
      const some = limits.map((_, at) => at).filter(() => dice.random() < 0.5);
      if (some.length === 0) continue;
      const own = some.map((at) => limits[at]!);
      const most = dice.below(300);
      const before = limits.map((limit) => limit.available(nowMs));
      const bytes = takeFromAll(own, most, nowMs);
      assertEquals(bytes, Math.min(most, ...some.map((at) => before[at]!)));
      for (const at of some) taken[at]! += bytes;
      for (const [at, limit] of limits.entries()) {
        const expected = some.includes(at) ? before[at]! - bytes : before[at]!;
        assertEquals(limit.available(nowMs), expected);
      }
      const waitMs = waitForAllMs(own, 200, nowMs);
      assert(own.every((limit) => limit.available(nowMs + waitMs) >= 200));
      nowMs += waitMs;
    }
    assert(taken[2]! <= 500 * nowMs / 1000);
  });
  assertEquals([takeFromAll([], 7.5, 0), waitForAllMs([], 7, 0)], [7, 0]);
});

test("RateLimit refuses what is out of range", () => {
  for (const rate of [-1, NaN, -Infinity]) {
    const message = `Cannot use bytesPerSecond "${rate}": expected 0 or more bytes`;
    assertThrows(() => new RateLimit(rate), RangeError, message);
    const limit = begun(10);
    assertThrows(() => limit.change(rate, 0), RangeError, message);
    assertEquals(limit.bytesPerSecond, 10);
  }
  for (const burstBytes of [0, 0.5, NaN, -1]) {
    assertThrows(
      () => new RateLimit(1, { burstBytes }),
      RangeError,
      `Cannot use burstBytes "${burstBytes}": expected at least 1`,
    );
  }
  const limit = begun(10);
  for (const bytes of [-1, NaN]) {
    assertThrows(() => limit.take(bytes, 0), RangeError, `maxBytes "${bytes}"`);
    assertThrows(() => limit.giveBack(bytes), RangeError, `bytes "${bytes}"`);
    assertThrows(() => limit.waitMs(bytes, 0), RangeError, `bytes "${bytes}"`);
    assertThrows(() => takeFromAll([], bytes, 0), RangeError, `maxBytes "${bytes}"`);
  }
  for (const nowMs of [NaN, Infinity]) {
    assertThrows(() => new RateLimit(1).take(1, nowMs), RangeError, `nowMs "${nowMs}"`);
  }
});
