import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { random, startStrategy } from "../../src/core.ts";
import { seededRandom } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";

test("random() picks by the injected number, from the first to the last (P4)", () => {
  const words = ["a", "b", "c", "d"];
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
    assertEquals(picker.pick(words, undefined), expected, `drew ${draw}`);
  }
});

test("random() picks nothing among none", () => {
  assertEquals(startStrategy(random<string>()).pick([], undefined), undefined);
});

test("random() draws once for each choice", () => {
  let draws = 0;
  const strategy = random<string>({ random: () => (draws++, 0) });
  const picker = startStrategy(strategy);
  for (let choice = 0; choice < 5; choice++) picker.pick(["a", "b"], undefined);
  assertEquals(draws, 5);
});

/** Pearson's statistic against equal shares. */
function chiSquared(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

test("random() gives every candidate the same share (P4)", () => {
  const counts = new Array<number>(10).fill(0);
  const candidates = counts.map((_, index) => index);
  const picker = startStrategy(random<number>({ random: seededRandom(7) }));
  for (let choice = 0; choice < 100_000; choice++) {
    counts[picker.pick(candidates, undefined)!]!++;
  }
  // 99.9 % of fair draws over ten candidates stay below 27.9 (9 degrees of freedom).
  assertLess(chiSquared(counts), 27.9);
  assertGreater(chiSquared(counts.map((count, index) => index === 3 ? count * 1.1 : count)), 27.9);
});

test("random() draws from Math.random() unless told otherwise", () => {
  const picker = startStrategy(random<number>());
  const seen = new Set<number | undefined>();
  for (let choice = 0; choice < 1000; choice++) seen.add(picker.pick([1, 2, 3], undefined));
  assertEquals([...seen].sort(), [1, 2, 3]);
});
