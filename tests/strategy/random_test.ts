import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { random, startStrategy, type StatefulStrategy } from "../../src/strategy/mod.ts";
import { property, seededRandom, strategyModel } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { chiSquared, type Item, itemMaker } from "./tools.ts";

const NAMES = ["a", "b", "c", "d"];

test("random() picks by the injected number, from the first to the last (P4)", () => {
  const cases: [number, string][] = [
    [0, "a"],
    [0.2499, "a"],
    [0.25, "b"],
    [0.5, "c"],
    [0.7499, "c"],
    [1 - Number.EPSILON, "d"],
  ];
  for (const [draw, expected] of cases) {
    const picker = startStrategy(random<string>({ random: () => draw }));
    for (const name of NAMES) picker.added!(name);
    assertEquals(picker.pick([], undefined), expected, `drew ${draw}`);
  }
});

test("random() chooses from its own notes, and nothing without a candidate (P4)", () => {
  const picker = startStrategy(random<string>());
  assertEquals(picker.window, 0);
  assertEquals(picker.pick(["never told of"], undefined), undefined);
  picker.added!("a");
  picker.added!("a"); // Said twice, it is there once.
  picker.removed!("b");
  assertEquals(picker.pick([], undefined), "a");
  picker.removed!("a");
  assertEquals(picker.pick([], undefined), undefined);
  const [one, other] = [{}, {}];
  const objects = startStrategy(random<object>());
  for (const candidate of [one, other]) objects.added!(candidate);
  for (let times = 0; times < 2; times++) objects.removed!(one);
  assertEquals(objects.pick([], undefined), other);
});

test("random() gives every candidate the same share (P4)", () => {
  const counts = new Array<number>(10).fill(0);
  const picker = startStrategy(random<number>({ random: seededRandom(7) }));
  for (const candidate of counts.keys()) picker.added!(candidate);
  for (let choice = 0; choice < 100_000; choice++) {
    const picked = picker.pick([], undefined)!;
    counts[picked]!++;
    picker.removed!(picked);
    picker.added!(picked);
  }
  // 99.9 % of fair draws over ten candidates stay below 27.9 (9 degrees of freedom).
  assertLess(chiSquared(counts), 27.9);
  assertGreater(chiSquared(counts.map((count, index) => index === 3 ? count * 1.1 : count)), 27.9);
});

test("random() draws from Math.random() unless told otherwise", () => {
  const picker = startStrategy(random<number>());
  for (const candidate of [1, 2, 3]) picker.added!(candidate);
  const seen = new Set<number | undefined>();
  for (let choice = 0; choice < 1000; choice++) seen.add(picker.pick([], undefined));
  assertEquals([...seen].sort(), [1, 2, 3]);
});

test("random() refuses a number that is not from 0 to below 1", () => {
  for (const bad of [1, -0.1, NaN, Infinity, undefined as unknown as number]) {
    const picker = startStrategy(random<string>({ random: () => bad }));
    picker.added!("a");
    const message = `Cannot use random number "${bad}"`;
    assertThrows(() => picker.pick([], undefined), RangeError, message);
  }
});

test("random() does what a plain list does, in 20,000 random steps (P4)", async () => {
  let seed = 0;
  const besideList: StatefulStrategy<Item, undefined> = {
    name: "random beside a list",
    start() {
      const drawn = seededRandom(++seed);
      const picker = startStrategy(random<Item>({ random: seededRandom(seed) }));
      const list: Item[] = [];
      return {
        window: 0,
        pick() {
          const picked = picker.pick([], undefined);
          assertEquals(picked, list[Math.floor((list.length && drawn()) * list.length)]);
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
  await property("random beside a list", strategyModel(() => besideList, options), { runs: 4 });
});
