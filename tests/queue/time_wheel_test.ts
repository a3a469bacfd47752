import { assert, assertEquals } from "@std/assert";
import { TimeWheel, TimeWheelLink } from "../../src/queue/time_wheel.ts";
import { test } from "../harness.ts";
import { type Dice, withSeeds } from "../support/seeds.ts";

function waiting(dueMs: number): TimeWheelLink {
  const link = new TimeWheelLink();
  link.dueMs = dueMs;
  return link;
}

test("TimeWheel lets each one go at its time, those of far times too", () => {
  const wheel = new TimeWheel();
  const times = [0, 0.5, 1.5, 255, 256, 257, 511, 512, 65_535, 65_536, 70_000, 1e6, 1e7];
  for (const dueMs of [...times].reverse()) wheel.put(waiting(dueMs), 0);
  wheel.put(waiting(Infinity), 0);
  assertEquals(wheel.size, times.length + 1);
  const order: number[] = [];
  let asked = 0;
  for (let nowMs = 0; order.length < times.length; nowMs = wheel.dueMs) {
    assert(++asked < 400, "asked too often");
    for (let one = wheel.shift(nowMs); one !== undefined; one = wheel.shift(nowMs)) {
      assert(one.dueMs <= nowMs && nowMs < one.dueMs + 1, `${one.dueMs} at ${nowMs}`);
      order.push(one.dueMs);
    }
  }
  assertEquals(order, times);
  assertEquals([wheel.size, wheel.dueMs, wheel.shift(1e9)], [1, Infinity, undefined]);
});

/** Do the same at random with a list that is searched. */
function compare(dice: Dice, steps: number): void {
  const wheel = new TimeWheel();
  let list: TimeWheelLink[] = [];
  let nowMs = dice.oneOf([-1e5, 0, 12.3, 1e9]);
  for (let step = 0; step < steps; step++) {
    const what = dice.random();
    if (what < 0.45 && list.length < 60) {
      const delayMs = dice.oneOf([-1, 0, 3, 250, 300, 5000, 66_000, 400_000]) * dice.random();
      const link = waiting(dice.random() < 0.05 ? Infinity : nowMs + delayMs);
      wheel.put(link, nowMs);
      list.push(link);
    } else if (what < 0.6 && list.length > 0) {
      const link = dice.oneOf(list);
      wheel.delete(link);
      list = list.filter((one) => one !== link);
    } else if (what < 0.9) {
      nowMs += dice.oneOf([0, 0.3, 1, 10, 255, 1000, 70_000]) * dice.random();
      for (let one = wheel.shift(nowMs); one !== undefined; one = wheel.shift(nowMs)) {
        const own = one;
        assert(own.dueMs <= nowMs, `${own.dueMs} came early, at ${nowMs}`);
        assert(list.includes(own));
        list = list.filter((other) => other !== own);
        if (dice.random() < 0.3) break;
      }
    } else if (list.length > 0) {
      const firstMs = Math.min(...list.map(({ dueMs }) => dueMs));
      assert(wheel.dueMs <= Math.ceil(firstMs), `${wheel.dueMs} instead of ${firstMs}`);
    }
    assertEquals(wheel.size, list.length);
    if (step % 10 !== 0) continue;
    // Nobody is left whose time has come, but for the millisecond.
    const out: TimeWheelLink[] = [];
    for (let one = wheel.shift(nowMs); one !== undefined; one = wheel.shift(nowMs)) out.push(one);
    list = list.filter((one) => !out.includes(one));
    for (const { dueMs } of list) assert(Math.ceil(dueMs) > Math.floor(nowMs), `${dueMs} is late`);
  }
}

test("TimeWheel does what a list does that is searched", async () => {
  const seeds = Array.from({ length: 40 }, (_, i) => i + 1);
  await withSeeds(seeds, (dice) => compare(dice, 2000));
});
