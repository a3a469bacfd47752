import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  powerOfTwoChoices,
  random,
  startStrategy,
  type StatefulStrategy,
} from "../../src/strategy/mod.ts";
import { property, seededRandom, strategyModel } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { chiSquared, Item, itemMaker } from "./tools.ts";

test("powerOfTwoChoices() takes the less busy one of the two that it draws (P4)", () => {
  const items = [4, 1, 3, 0].map((load, at) => new Item(String(at), { load }));
  const cases: [number, number, string][] = [
    [0, 0, "1"], // The second draw skips the first one's place: 0 and 1,
    [0, 0.9, "3"], // 0 and 3,
    [0.5, 0, "2"], // 2 and 0,
    [0.5, 0.4, "1"], // 2 and 1,
    [0.99, 0.99, "3"], // 3 and 2.
  ];
  for (const [first, second, expected] of cases) {
    const draws = [first, second];
    const strategy = powerOfTwoChoices<Item>({ random: () => draws.shift()! });
    const picker = startStrategy(strategy);
    for (const item of items) picker.added!(item);
    assertEquals(picker.pick([], undefined)?.name, expected, `drew ${first}, ${second}`);
    assertEquals(draws, []);
  }
});

test("powerOfTwoChoices() takes the one drawn first at the same load (P4)", () => {
  const draws = [0.7, 0];
  const picker = startStrategy(powerOfTwoChoices<Item>({ random: () => draws.shift()! }));
  for (const name of ["a", "b", "c"]) picker.added!(new Item(name, { load: 2 }));
  assertEquals(picker.pick([], undefined)?.name, "c");
});

test("powerOfTwoChoices() reads the load at the moment of the choice (P4)", () => {
  const [one, other] = [new Item("one", { load: 1 }), new Item("other", { load: 2 })];
  const picker = startStrategy(powerOfTwoChoices<Item>());
  for (const item of [one, other]) picker.added!(item);
  assertEquals(picker.pick([], undefined), one);
  one.load = 3; // Nobody tells.
  assertEquals(picker.pick([], undefined), other);
});

test("powerOfTwoChoices() takes the only one, and none without a candidate (P4)", () => {
  const never = () => {
    throw new Error("there is nothing to draw");
  };
  const picker = startStrategy(powerOfTwoChoices<Item>({ random: never }));
  assertEquals(picker.window, 0);
  assertEquals(picker.pick([], undefined), undefined);
  const item = new Item("only");
  picker.added!(item);
  assertEquals(picker.pick([], undefined), item);
  picker.removed!(item);
  assertEquals(picker.pick([], undefined), undefined);
});

test("powerOfTwoChoices() refuses a load that is no number of at least 0", () => {
  for (const bad of [-1, NaN, undefined as unknown as number]) {
    const picker = startStrategy(powerOfTwoChoices<Item>());
    for (const load of [0, bad]) {
      picker.added!(Object.defineProperty(new Item("x"), "load", { value: load }));
    }
    assertThrows(() => picker.pick([], undefined), RangeError, `Cannot use load "${bad}"`);
  }
});

test("powerOfTwoChoices() looks at two different ones, at each as often (P4)", () => {
  const reads = new Array<number>(10).fill(0);
  const picker = startStrategy(powerOfTwoChoices<{ load: number }>({ random: seededRandom(5) }));
  let seen: number[] = [];
  for (const at of reads.keys()) {
    picker.added!({
      get load() {
        seen.push(at);
        return 0;
      },
    });
  }
  for (let choice = 0; choice < 50_000; choice++) {
    seen = [];
    picker.pick([], undefined);
    const [one, other] = [...new Set(seen)];
    assert(one !== undefined && other !== undefined, `looked at ${seen}`);
    reads[one]!++;
    reads[other]!++;
  }
  assertLess(chiSquared(reads), 27.9); // As for random(): 99.9 % of fair draws.
});

test("powerOfTwoChoices() avoids the pile-ups of random() (P4)", () => {
  const highest = [powerOfTwoChoices, random].map((make) => {
    const items = Array.from({ length: 1000 }, (_, at) => new Item(String(at)));
    const picker = startStrategy(make<Item>({ random: seededRandom(3) }));
    for (const item of items) picker.added!(item);
    for (let task = 0; task < 10_000; task++) picker.pick([], undefined)!.load++;
    return Math.max(...items.map(({ load }) => load));
  });
  // Ten tasks each: two choices end within 3 of that, one choice some 10 above it.
  assertLess(highest[0]!, 14);
  assert(highest[1]! > 18, `random() came to ${highest[1]}`);
});

test("powerOfTwoChoices() does what a plain list does, in 20,000 random steps (P4)", async () => {
  let seed = 0;
  const besideList: StatefulStrategy<Item, undefined> = {
    name: "two choices beside a list",
    start() {
      const drawn = seededRandom(++seed);
      const picker = startStrategy(powerOfTwoChoices<Item>({ random: seededRandom(seed) }));
      const list: Item[] = [];
      const expected = (): Item | undefined => {
        if (list.length < 2) return list[0];
        const one = list[Math.floor(drawn() * list.length)]!;
        const others = list.filter((item) => item !== one);
        const other = others[Math.floor(drawn() * others.length)]!;
        return other.load < one.load ? other : one;
      };
      return {
        window: 0,
        pick() {
          const picked = picker.pick([], undefined);
          assertEquals(picked, expected());
          return picked;
        },
        added(item) {
          picker.added!(item);
          list.push(item);
        },
        removed(item) {
          picker.removed!(item);
          const last = list.pop()!; // It fills the gap.
          if (last !== item) list[list.indexOf(item)] = last;
        },
      };
    },
  };
  const options = { candidates: 30, steps: 5_000, ...itemMaker(() => undefined) };
  await property("two choices beside a list", strategyModel(() => besideList, options), {
    runs: 4,
  });
});
