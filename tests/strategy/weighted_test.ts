import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import fc from "fast-check";
import { startStrategy, weighted } from "../../src/strategy/mod.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { churn, countsOf, Item, Place, someItems } from "./tools.ts";

const byWeight = () => weighted<Item>(({ weight }) => weight);

const itemsOf = (weights: readonly number[]): Item[] =>
  weights.map((weight, at) => new Item(String(at), { weight }));

test("weighted() gives 3 : 1 as 300 of 400, and spreads them (P4)", () => {
  const place = new Place(byWeight(), itemsOf([3, 1]));
  const names = place.turns(400, undefined);
  assertEquals(countsOf(names), { 0: 300, 1: 100 });
  assertEquals(names.slice(0, 8).join(""), "00100010");
  // Whatever stretch one looks at, it is never more than one choice away from its share.
  for (let at = 0; at < names.length; at += 4) {
    assertEquals(countsOf(names.slice(at, at + 4)), { 0: 3, 1: 1 });
  }
});

test("weighted() gives the same shares to candidates that stay available (P4)", () => {
  const place = new Place(byWeight(), itemsOf([3, 1]));
  const names = Array.from({ length: 400 }, () => place.pick(undefined)!.name);
  assertEquals(names, new Place(byWeight(), itemsOf([3, 1])).turns(400, undefined));
});

test("weighted() takes turns among equal weights (P4)", () => {
  const place = new Place(byWeight(), itemsOf([2, 1, 2, 1]));
  const names = place.turns(600, undefined);
  assertEquals(countsOf(names), { 0: 200, 1: 100, 2: 200, 3: 100 });
  assertEquals(names.filter((name) => name === "0" || name === "2").slice(0, 4).join(""), "0202");
  assertEquals(names.filter((name) => name === "1" || name === "3").slice(0, 4).join(""), "1313");
});

test("weighted() chooses weight 0 only when nothing else is there (P4)", () => {
  const items = itemsOf([0, 1, 0]);
  const place = new Place(byWeight(), items);
  assertEquals(countsOf(place.turns(10, undefined)), { 1: 10 });
  const one = place.take(undefined)!;
  assertEquals(place.turns(4, undefined), ["0", "2", "0", "2"]);
  place.add(one);
  assertEquals(countsOf(place.turns(10, undefined)), { 1: 10 });
});

test("weighted() owes nothing to what has weight 0 now (P4)", () => {
  for (let turns = 1; turns < 40; turns++) {
    const items = itemsOf([8, 1, 1.01, 1.02]);
    const place = new Place(byWeight(), items);
    place.turns(turns, undefined);
    place.change(items[1]!, { weight: 0 });
    assertEquals(countsOf(place.turns(100, undefined))["1"], undefined, `after ${turns}`);
  }
});

test("weighted() reads a weight again when it has changed, and when its candidate comes (P4)", () => {
  const items = itemsOf([1, 1]);
  const place = new Place(byWeight(), items);
  const [one] = items as [Item, Item];
  assertEquals(countsOf(place.turns(40, undefined)), { 0: 20, 1: 20 });
  one.weight = 4; // Nobody tells yet.
  place.remove(one);
  place.add(one);
  assertEquals(countsOf(place.turns(50, undefined)), { 0: 40, 1: 10 });
  place.change(one, { weight: 0 });
  assertEquals(countsOf(place.turns(10, undefined)), { 1: 10 });
  place.change(one, { weight: 1 });
  const { 0: few = 0 } = countsOf(place.turns(40, undefined));
  assertLess(Math.abs(few - 20), 2);
});

test("weighted() keeps the shares of weights that never stay the same (P4)", () =>
  withSeeds([1, 2, 3], (dice) => {
    const [one, other] = itemsOf([3, 1]) as [Item, Item];
    const place = new Place(byWeight(), [one, other]);
    const counts = new Map([[one, 0], [other, 0]]);
    for (let task = 0; task < 4_000; task++) {
      const picked = place.take(undefined)!;
      counts.set(picked, counts.get(picked)! + 1);
      // As if it were measured: never twice the same number.
      one.weight = 3 + (dice.random() - 0.5) / 10;
      place.add(picked);
    }
    assertLess(Math.abs(counts.get(one)! - 3_000), 10);
  }));

test("weighted() refuses a weight that is no finite number of at least 0, and shows it", () => {
  const [good, bad] = itemsOf([1, 1]) as [Item, Item];
  const place = new Place(byWeight(), [good]);
  for (const weight of [-1, NaN, Infinity, "3" as never, undefined as never]) {
    const message = `Cannot use weight "${weight}": expected a finite number of at least 0`;
    bad.weight = weight;
    assertThrows(() => place.picker.added!(bad), RangeError, message);
    assertThrows(() => place.change(good, { weight }), RangeError, message);
    assertEquals(place.pick(undefined), good); // It keeps the weight that it had.
  }
  assertThrows(() => weighted(3 as never), TypeError, 'Cannot use weight "3"');
});

test("weighted() leaves alone what it was not told of, and what it was told twice", () => {
  const picker = startStrategy(byWeight());
  const [item] = itemsOf([2]) as [Item];
  assertEquals([picker.window, picker.pick([item], undefined)], [0, undefined]);
  picker.removed!(item);
  picker.changed!(item);
  assertEquals(picker.pick([item], undefined), undefined);
  picker.added!(item);
  picker.added!(item);
  assertEquals(picker.pick([], undefined), item);
  picker.removed!(item);
  assertEquals(picker.pick([], undefined), undefined);
});

/** Smooth weighted round robin over the distinct weights, in whole numbers. */
function plainTurns(weights: readonly number[], count: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const distinct = [...new Set(weights)].sort((a, b) => b - a);
  const groups = distinct.map((weight) => {
    const members = [...weights.keys()].filter((at) => weights[at] === weight);
    return { members, share: weight * members.length, credit: 0 };
  });
  return Array.from({ length: count }, () => {
    for (const group of groups) group.credit += group.share;
    const best = groups.reduce((one, other) => other.credit > one.credit ? other : one);
    best.credit -= total;
    const at = best.members.shift()!;
    best.members.push(at);
    return at;
  });
}

test("weighted() chooses what smooth weighted round robin over whole numbers does (P4)", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 }),
      (some) => {
        // With a power of two as the sum, fractions of it are exact, and so are ties.
        const sum = some.reduce((total, weight) => total + weight, 0);
        const filler = 2 ** Math.ceil(Math.log2(sum)) - sum;
        const weights = filler === 0 ? some : [...some, filler];
        const items = itemsOf(weights);
        const place = new Place(byWeight(), items);
        const names = Array.from({ length: 200 }, () => place.pick(undefined)!.name);
        assertEquals(names, plainTurns(weights, 200).map(String));
      },
    ),
    { seed: 11, numRuns: 200 },
  );
});

test("weighted() is exact after every full round, for any whole weights (P4)", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }),
      (weights) => {
        const place = new Place(byWeight(), itemsOf(weights));
        const distinct = new Set(weights);
        const round = weights.reduce((total, weight) => total + weight, 0);
        for (let rounds = 1; rounds <= 3; rounds++) {
          const counts = countsOf(place.turns(round, undefined));
          for (const weight of distinct) {
            const members = weights.map((_, at) => at).filter((at) => weights[at] === weight);
            const got = members.reduce((sum, at) => sum + (counts[at] ?? 0), 0);
            assertEquals(got, weight * members.length, `round ${rounds}, weight ${weight}`);
          }
        }
      },
    ),
    { seed: 12, numRuns: 200 },
  );
});

test("weighted() finds back to exact shares, after 5,000 random steps (P4)", () =>
  withSeeds([1, 2, 3, 4, 5, 6], (dice) => {
    const items = someItems(dice, 20);
    const place = new Place(byWeight(), items);
    const chosen = churn(place, items, dice, 5_000, () => undefined);
    assert(chosen.length > 1_000);
    for (const item of items) {
      if (!item.available) place.add(item);
      place.change(item, { weight: 1 + items.indexOf(item) % 4 });
    }
    place.turns(1_000, undefined); // What is owed from before is settled here.
    const counts = countsOf(place.turns(50 * 20, undefined));
    for (const item of items) {
      const off = counts[item.name]! - 20 * item.weight;
      assertLess(Math.abs(off), 2, `${item.name} with weight ${item.weight} is ${off} off`);
    }
  }));

test("weighted() owes nobody more than a few choices, however wild it was before (P4)", () =>
  withSeeds([1, 2, 3, 4], (dice) => {
    const items = someItems(dice, 20);
    const place = new Place(byWeight(), items);
    for (let round = 0; round < 20; round++) {
      churn(place, items, dice, 500, () => undefined);
      for (const item of items) {
        if (!item.available) place.add(item);
        if (item.weight === 0) place.change(item, { weight: 1 });
      }
      const total = items.reduce((sum, { weight }) => sum + weight, 0);
      const counts = countsOf(place.turns(500, undefined));
      for (const weight of new Set(items.map((item) => item.weight))) {
        const members = items.filter((item) => item.weight === weight);
        const got = members.reduce((sum, { name }) => sum + (counts[name] ?? 0), 0);
        const share = 500 * weight * members.length / total;
        assertLess(Math.abs(got - share), 6, `weight ${weight} got ${got} of ${share}`);
      }
    }
  }));
