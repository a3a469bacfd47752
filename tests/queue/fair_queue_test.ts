import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type FairPlace, type FairPushOptions, FairQueue } from "../../src/queue/mod.ts";
import { test } from "../harness.ts";
import { startCpuTime } from "../support/cpu_time.ts";
import { withSeeds } from "../support/seeds.ts";
import { FairModel } from "./fair_model.ts";

/** Take out all who wait. */
function drain<T>(queue: FairQueue<T>): T[] {
  const values: T[] = [];
  while (queue.length > 0) values.push(queue.shift()!);
  return values;
}

/** Push so many for a tenant; each one's value is the tenant's name. */
function fill(queue: FairQueue<string>, tenant: string, count: number): void {
  for (let i = 0; i < count; i++) queue.push(tenant, { tenant });
}

test("FairQueue.shift() gives out in the order of arrival when there is one tenant", () => {
  const queue = new FairQueue<string>();
  assertEquals([queue.shift(), queue.peek(), queue.length, queue.tenants], [
    undefined,
    undefined,
    0,
    0,
  ]);
  for (const value of ["a", "b", "c"]) assertEquals(queue.push(value).value, value);
  assertEquals([queue.peek(), queue.length, queue.tenants], ["a", 3, 1]);
  assertEquals(drain(queue), ["a", "b", "c"]);
  assertEquals([queue.shift(), queue.length, queue.tenants], [undefined, 0, 0]);
});

test("FairQueue holds undefined like any other value", () => {
  const queue = new FairQueue<undefined>();
  queue.push(undefined);
  queue.push(undefined, { tenant: "b" });
  assertEquals([queue.length, queue.tenants], [2, 2]);
  queue.shift();
  queue.shift();
  assertEquals([queue.length, queue.tenants], [0, 0]);
});

test("FairQueue serves a tenant with one that waits no later than one with forty", () => {
  const queue = new FairQueue<string>();
  fill(queue, "many", 40);
  fill(queue, "one", 1);
  assertEquals([queue.shift(), queue.shift(), queue.shift()], ["many", "one", "many"]);
  // It comes back whenever it was served, and gets every second turn.
  const served: string[] = [];
  for (let turn = 0; turn < 20; turn++) {
    if (served.at(-1) !== "one") fill(queue, "one", 1);
    served.push(queue.shift()!);
  }
  assertEquals(served.filter((name) => name === "one").length, 10);
});

test("FairQueue serves three for one with weights 3 and 1, in every four turns", () => {
  const queue = new FairQueue<string>({ weightOf: (tenant) => tenant === "heavy" ? 3 : 1 });
  fill(queue, "light", 100);
  fill(queue, "heavy", 300);
  const served = drain(queue);
  for (let at = 0; at < 400; at += 4) {
    const four = served.slice(at, at + 4);
    assertEquals(four.filter((name) => name === "heavy").length, 3, `turns ${at} to ${at + 3}`);
  }
});

test("FairQueue shares the cost and not the count", () => {
  const queue = new FairQueue<string>();
  for (let i = 0; i < 30; i++) queue.push("big", { tenant: "big", cost: 10 });
  for (let i = 0; i < 300; i++) queue.push("small", { tenant: "small", cost: 1 });
  const first = Array.from({ length: 110 }, () => queue.shift());
  assertEquals(first.filter((name) => name === "big").length, 10);
});

test("FairQueue keeps tenants that wait all the time within one turn of their shares", () => {
  const tenant = fc.record({
    weight: fc.constantFrom(0.3, 1, 2, 3, 7),
    costs: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 5, maxLength: 30 }),
  });
  fc.assert(fc.property(fc.array(tenant, { minLength: 2, maxLength: 6 }), (tenants) => {
    const queue = new FairQueue<{ at: number; cost: number }>({
      weightOf: (name) => tenants[Number(name)]!.weight,
    });
    for (const [at, { costs }] of tenants.entries()) {
      for (const cost of costs) queue.push({ at, cost }, { tenant: `${at}`, cost });
    }
    const used = tenants.map(() => 0);
    const left = tenants.map(({ costs }) => costs.length);
    while (Math.min(...left) > 0) {
      const { at, cost } = queue.shift()!;
      used[at]! += cost;
      left[at]!--;
      for (const [i, one] of tenants.entries()) {
        for (const [j, other] of tenants.entries()) {
          const ahead = used[i]! / one.weight - used[j]! / other.weight;
          // Who is served was the last or level, so it is ahead by no more than its own cost.
          assert(ahead <= Math.max(...one.costs) / one.weight + 1e-9);
        }
      }
    }
  }));
});

test("FairQueue gives no credit for idleness", () => {
  const queue = new FairQueue<string>();
  fill(queue, "idle", 1);
  fill(queue, "busy", 100);
  for (let i = 0; i < 61; i++) queue.shift();
  fill(queue, "idle", 20);
  const next = Array.from({ length: 20 }, () => queue.shift());
  assertEquals(next.filter((name) => name === "idle").length, 10);
});

test("FairQueue does not punish who was served while nobody else waited", () => {
  const queue = new FairQueue<string>();
  fill(queue, "early", 100);
  for (let i = 0; i < 60; i++) queue.shift();
  fill(queue, "late", 40);
  const next = Array.from({ length: 20 }, () => queue.shift());
  assertEquals(next.filter((name) => name === "early").length, 10);
});

test("FairQueue does not forget what was served when a tenant leaves and comes back", () => {
  const queue = new FairQueue<string>();
  queue.push("dear", { tenant: "dear", cost: 10 });
  fill(queue, "cheap", 30);
  assertEquals(queue.shift(), "dear");
  queue.push("dear", { tenant: "dear", cost: 10 });
  assertEquals(Array.from({ length: 10 }, () => queue.shift()), Array(10).fill("cheap"));
  assert(Array.from({ length: 2 }, () => queue.shift()).includes("dear"));
});

test("FairQueue serves who waits although new tenants come without end", () => {
  // They come one after another, or one each turn, so that more and more of them wait.
  for (const most of [1, Infinity]) {
    const queue = new FairQueue<string>();
    for (let i = 0; i < 20; i++) queue.push("steady", { tenant: "steady" });
    let steady = 0;
    let since = 0;
    for (let turn = 0; steady < 20; turn++) {
      if (queue.tenants <= most) queue.push("new", { tenant: `new ${turn}` });
      since++;
      if (queue.shift() !== "steady") {
        const bound = 2 * queue.tenants + Math.max(16, queue.tenants);
        assert(since <= bound, `not served for ${since} turns, while ${queue.tenants} wait`);
        continue;
      }
      steady++;
      since = 0;
    }
  }
});

test("FairQueue lets one of higher priority overtake those of its tenant only", () => {
  const queue = new FairQueue<string>();
  fill(queue, "a", 2);
  fill(queue, "b", 2);
  queue.push("b urgent", { tenant: "b", priority: 8 });
  assertEquals(drain(queue), ["a", "b urgent", "a", "b", "b"]);
});

test("FairQueue values a step of priority as agingMs of waiting", () => {
  const queue = new FairQueue<string>({ agingMs: 100 });
  queue.push("waits since 0", { nowMs: 0 });
  queue.push("one step, 99 ms later", { nowMs: 99, priority: 1 });
  queue.push("one step, 101 ms later", { nowMs: 101, priority: 1 });
  queue.push("two steps, 199 ms later", { nowMs: 199, priority: 2 });
  queue.push("a step down", { nowMs: 199, priority: -1 });
  assertEquals(drain(queue), [
    "one step, 99 ms later",
    "two steps, 199 ms later",
    "waits since 0",
    "one step, 101 ms later",
    "a step down",
  ]);
});

test("FairQueue takes the one that came first when two are due at one moment", () => {
  const queue = new FairQueue<string>({ agingMs: 100 });
  queue.push("second", { nowMs: 100 });
  queue.push("third", { nowMs: 200, priority: 1 });
  queue.push("first", { nowMs: 250, priority: 2 });
  assertEquals(drain(queue), ["first", "second", "third"]);
});

test("FairQueue keeps one priority in the order of arrival, even when the clock goes back", () => {
  const queue = new FairQueue<number>();
  for (const nowMs of [5, 3, 9, 0]) queue.push(nowMs, { nowMs });
  assertEquals(drain(queue), [5, 3, 9, 0]);
});

test("FairQueue with agingMs 0 knows no priority", () => {
  const queue = new FairQueue<number>({ agingMs: 0 });
  for (const priority of [-8, 8, 0, 3]) queue.push(priority, { priority, nowMs: 7 });
  assertEquals(drain(queue), [-8, 8, 0, 3]);
});

test("FairQueue lets batch work not starve interactive work, nor the reverse", () => {
  // One is served every 10 ms; each kind alone would take every turn.
  for (const [flood, rare] of [[-4, 4], [4, -4]] as const) {
    const queue = new FairQueue<{ priority: number; nowMs: number }>({ agingMs: 50 });
    let longestMs = 0;
    let served = 0;
    for (let nowMs = 0; nowMs < 20_000; nowMs += 10) {
      queue.push({ priority: flood, nowMs }, { priority: flood, nowMs });
      if (nowMs % 100 === 0) queue.push({ priority: rare, nowMs }, { priority: rare, nowMs });
      const next = queue.shift()!;
      if (next.priority !== rare) continue;
      served++;
      longestMs = Math.max(longestMs, nowMs - next.nowMs);
    }
    // The flood's line grows by a tenth of its length; the rare ones wait as long as it is, and up
    // to eight steps more or less.
    const lineMs = queue.length * 10;
    const boundMs = rare > flood ? Math.max(10, lineMs - 400) : lineMs + 400;
    assert(longestMs <= boundMs, `priority ${rare} waited ${longestMs} ms, not ${boundMs}`);
    assert(served > 150, `only ${served} of priority ${rare} were served`);
  }
});

test("FairQueue.remove() gives a place up once, wherever it is", () => {
  for (const index of [0, 1, 2, 3, 4, 5]) {
    const queue = new FairQueue<number>();
    const places = [0, 1, 2, 3, 4, 5].map((value) =>
      queue.push(value, { tenant: value < 3 ? "a" : "b", priority: value % 3 === 2 ? 1 : 0 })
    );
    assertEquals(queue.peek(), 2);
    assert(queue.remove(places[index]!));
    assertFalse(queue.remove(places[index]!));
    assertEquals(queue.length, 5);
    const rest = [2, 5, 0, 3, 1, 4].filter((value) => value !== index);
    assertEquals(drain(queue).sort(), [...rest].sort());
    assertFalse(queue.remove(places[index]!));
  }
});

test("FairQueue.remove() is false for a place that was taken", () => {
  const queue = new FairQueue<string>();
  const place = queue.push("a");
  queue.push("b");
  assertEquals(queue.shift(), "a");
  assertFalse(queue.remove(place));
  assertEquals(queue.length, 1);
});

test("FairQueue.remove() costs the tenant nothing", () => {
  const queue = new FairQueue<string>();
  const places = Array.from({ length: 5 }, () => queue.push("a", { tenant: "a", cost: 100 }));
  fill(queue, "b", 3);
  for (const place of places) queue.remove(place);
  assertEquals(queue.tenants, 1);
  fill(queue, "a", 3);
  assertEquals(drain(queue), ["b", "a", "b", "a", "b", "a"]);
});

test("FairQueue.push() refuses options that are out of range, and nobody joins", () => {
  const queue = new FairQueue<string>({ weightOf: (tenant) => Number(tenant) });
  const refused: [FairPushOptions, string][] = [
    [{ priority: 9 }, 'priority "9": expected an integer from -8 to 8'],
    [{ priority: -9 }, 'priority "-9"'],
    [{ priority: 0.5 }, 'priority "0.5"'],
    [{ priority: NaN }, 'priority "NaN"'],
    [{ cost: 0 }, 'cost "0": expected a finite number above 0'],
    [{ cost: Infinity }, 'cost "Infinity"'],
    [{ cost: NaN }, 'cost "NaN"'],
    [{ nowMs: NaN }, 'nowMs "NaN": expected a finite number'],
    [{ nowMs: -Infinity }, 'nowMs "-Infinity"'],
    [{ tenant: "" }, 'weight "0" of tenant "": expected a finite number above 0'],
    [{ tenant: "-1" }, 'weight "-1" of tenant "-1"'],
    [{ tenant: "x" }, 'weight "NaN" of tenant "x"'],
    [{ tenant: "Infinity" }, 'weight "Infinity" of tenant "Infinity"'],
  ];
  const refuse = () => {
    for (const [options, message] of refused) {
      assertThrows(
        () => queue.push("refused", { tenant: "1", ...options }),
        RangeError,
        `Cannot use ${message}`,
      );
    }
  };
  refuse();
  assertEquals([queue.length, queue.tenants, queue.shift()], [0, 0, undefined]);
  queue.push("a", { tenant: "1" });
  refuse();
  queue.push("b", { tenant: "2" });
  refuse();
  assertEquals([queue.length, queue.tenants], [2, 2]);
  assertEquals(drain(queue), ["a", "b"]);
});

test("FairQueue() refuses an agingMs that is negative or not finite", () => {
  for (const agingMs of [-1, NaN, Infinity]) {
    assertThrows(
      () => new FairQueue({ agingMs }),
      RangeError,
      `Cannot use agingMs "${agingMs}": expected 0 or more milliseconds`,
    );
  }
});

test("FairQueue asks for the weight when a tenant comes to wait, and not before", () => {
  const asked: string[] = [];
  let weight = 1;
  const queue = new FairQueue<string>({
    weightOf: (tenant) => {
      asked.push(tenant);
      return tenant === "a" ? weight : 1;
    },
  });
  fill(queue, "a", 2);
  fill(queue, "b", 2);
  assertEquals(asked, ["a", "b"]);
  drain(queue);
  weight = 2;
  fill(queue, "a", 4);
  fill(queue, "b", 2);
  assertEquals(asked, ["a", "b", "a", "b"]);
  assertEquals(drain(queue), ["a", "b", "a", "a", "b", "a"]);
});

test("FairQueue survives weights and costs at the ends of what a number holds", () => {
  const weights = [Number.MIN_VALUE, 1e-300, 1, 1e300, Number.MAX_VALUE];
  const queue = new FairQueue<number>({ weightOf: (tenant) => weights[Number(tenant)]! });
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 40; i++) {
      const cost = [Number.MIN_VALUE, 1, Number.MAX_VALUE][i % 3]!;
      queue.push(i, { tenant: `${i % 5}`, cost });
    }
    const served = Array.from({ length: 30 }, () => queue.shift()!);
    for (let i = 40; i < 80; i++) queue.push(i, { tenant: `${i % 5}` });
    served.push(...drain(queue));
    assertEquals(served.sort((a, b) => a - b), Array.from({ length: 80 }, (_, i) => i));
  }
});

test("FairQueue does not put new tenants last when a weight was lost in a sum with a far greater one", () => {
  const queue = new FairQueue<string>({ weightOf: (tenant) => tenant === "huge" ? 1e30 : 1 });
  fill(queue, "a", 20);
  fill(queue, "huge", 1);
  fill(queue, "b", 20);
  for (let i = 0; i < 11; i++) queue.shift();
  fill(queue, "c", 4);
  assert(drain(queue).indexOf("c") < 20);
});

test("FairQueue forgets tenants on whose account nobody waits", () => {
  // How many it knows cannot be seen from outside, but every one is in a map.
  const { set } = Map.prototype;
  let most = 0;
  Map.prototype.set = function (key: unknown, value: unknown) {
    set.call(this, key, value);
    if (String(key).startsWith("tenant ")) most = Math.max(most, this.size);
    return this;
  };
  const largest = (count: number, run: (queue: FairQueue<number>, tenant: string) => void) => {
    most = 0;
    const queue = new FairQueue<number>();
    for (let i = 0; i < count; i++) run(queue, `tenant ${i}`);
    return most;
  };
  try {
    const served = largest(100_000, (queue, tenant) => {
      queue.push(1, { tenant });
      queue.shift();
    });
    assert(served <= 1, `${served} known after each was served`);
    const aborted = largest(100_000, (queue, tenant) => {
      if (queue.length === 0) queue.push(0, { tenant: "tenant that waits" });
      queue.remove(queue.push(1, { tenant }));
    });
    assert(aborted <= 2, `${aborted} known after each gave up`);
    const behind = largest(100_000, (queue, tenant) => {
      while (queue.length < 2) queue.push(0, { tenant: "tenant that waits", cost: 1e6 });
      queue.push(1, { tenant });
      queue.shift();
    });
    assert(behind <= 20, `${behind} known while one waits`);
  } finally {
    Map.prototype.set = set;
  }
});

test("FairQueue does what plain arrays do, in 24,000 random steps", () =>
  withSeeds([1, 2, 3, 4, 5, 6], (dice, seed) => {
    const names = ["", "b", "c", "d", "e", "f", "g"].slice(0, seed);
    const weights = new Map(names.map((name, at) => [name, 2 ** (at % 4 - 1)]));
    const weightOf = (tenant: string) => weights.get(tenant)!;
    const agingMs = dice.oneOf([0, 10, 1000]);
    const queue = new FairQueue<number>({ weightOf, agingMs });
    const model = new FairModel(weightOf, agingMs);
    let places: FairPlace<number>[] = [];
    let nowMs = 0;
    for (let step = 0; step < 4000; step++) {
      const what = dice.random();
      nowMs += dice.below(20);
      // Longer and shorter in turns, so that it is often empty too.
      if (what < (step % 100 < 50 ? 0.6 : 0.25)) {
        const options = {
          tenant: dice.oneOf(names),
          priority: dice.random() < 0.6 ? 0 : dice.below(17) - 8,
          cost: 1 + dice.below(dice.oneOf([1, 4, 64])),
          nowMs,
        };
        places.push(queue.push(step, options));
        model.push(step, options);
      } else if (what < 0.75) {
        assertEquals(queue.shift(), model.shift(), `shift in step ${step}`);
      } else if (places.length > 0) {
        const place = dice.oneOf(places);
        assertEquals(queue.remove(place), model.remove(place.value), `remove in step ${step}`);
      }
      if (places.length > 60) places = places.slice(-40);
      assertEquals(queue.length, model.length, `length in step ${step}`);
      assertEquals(queue.tenants, model.tenants, `tenants in step ${step}`);
      assertEquals(queue.peek(), model.peek(), `peek in step ${step}`);
    }
    while (model.length > 0) assertEquals(queue.shift(), model.shift());
    assertEquals(queue.shift(), undefined);
  }));

test("FairQueue costs with 50,000 that wait about what it costs with 500", () => {
  const cost = (waiting: number, tenants: number): number => {
    const queue = new FairQueue<number>();
    const push = (i: number) =>
      queue.push(i, { tenant: `${i % tenants}`, priority: i % 3, nowMs: i });
    const places = Array.from({ length: waiting }, (_, i) => push(i));
    const spentMs = startCpuTime();
    for (let i = 0; i < 10_000; i++) {
      const at = (i * 7919) % waiting;
      if (i % 2 === 0 || !queue.remove(places[at]!)) queue.shift(); // it may have had its turn
      places[at] = push(waiting + i);
    }
    return spentMs();
  };
  for (const tenants of [2, Infinity]) { // a few long lines, or one for each that waits
    let few = Infinity;
    let many = Infinity;
    for (let round = 0; round < 3; round++) {
      few = Math.min(few, cost(500, Math.min(tenants, 500)));
      many = Math.min(many, cost(50_000, Math.min(tenants, 50_000)));
    }
    assert(many < few * 25, `${many.toFixed(1)} ms against ${few.toFixed(1)} ms`);
  }
});
