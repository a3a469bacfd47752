import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { badPick, roundRobin, startStrategy, type Strategy } from "../../src/strategy/mod.ts";
import { test } from "../harness.ts";

test("startStrategy() takes a plain function (P4)", () => {
  const seen: unknown[] = [];
  const last: Strategy<string, { key: number }> = (candidates, request) => {
    seen.push(request);
    return candidates.at(-1);
  };
  assertEquals(startStrategy(last).pick(["a", "b"], { key: 7 }), "b");
  assertEquals(seen, [{ key: 7 }]);
});

test("startStrategy() gives each place a picker of its own (P4)", () => {
  const counting: Strategy<string, undefined> = {
    name: "counting",
    start() {
      let count = 0;
      return { pick: (candidates) => candidates[count++ % candidates.length] };
    },
  };
  const [one, other] = [startStrategy(counting), startStrategy(counting)];
  const words = ["a", "b", "c"];
  assertEquals(one.pick(words, undefined), "a");
  assertEquals(one.pick(words, undefined), "b");
  assertEquals(other.pick(words, undefined), "a");
});

test("startStrategy() keeps the picker an object: its methods may use this", () => {
  class Picky {
    count = 0;
    pick(candidates: readonly string[]): string | undefined {
      return candidates[this.count++];
    }
  }
  const picker = startStrategy<string, undefined>({ name: "picky", start: () => new Picky() });
  assertEquals(picker.pick(["a", "b"], undefined), "a");
  assertEquals(picker.pick(["a", "b"], undefined), "b");
});

test("startStrategy() refuses what is no strategy, and shows it", () => {
  for (const bad of [null, 7, "random", {}, { start: 1 }, []]) {
    const error = assertThrows(() => startStrategy(bad as never), TypeError);
    assertStringIncludes(error.message, `Cannot use strategy "${String(bad)}"`);
  }
});

test("startStrategy() refuses a start() that gives no picker", () => {
  for (const bad of [undefined, null, {}, { pick: 1 }]) {
    const strategy = { name: "broken", start: () => bad as never };
    assertThrows(() => startStrategy(strategy), TypeError, 'Cannot use strategy "broken"');
  }
});

test("startStrategy() refuses a window that is no whole number of at least 0", () => {
  const withWindow = (window: unknown) => ({
    name: "narrow",
    start: () => ({ pick: () => undefined, window: window as number }),
  });
  for (const good of [undefined, 0, 1, 7]) startStrategy(withWindow(good));
  for (const bad of [-1, 1.5, NaN, Infinity, "1", null]) {
    const message = `Cannot use strategy "narrow": its window is "${bad}"`;
    assertThrows(() => startStrategy(withWindow(bad)), RangeError, message);
  }
});

test("badPick() names the strategy and the choice", () => {
  const error = badPick({ name: "mine" }, "nobody");
  assertInstanceOf(error, TypeError);
  assertStringIncludes(error.message, 'strategy "mine"');
  assertStringIncludes(error.message, '"nobody"');
  const arrow: { readonly name: string } = (() => () => undefined)();
  assertStringIncludes(badPick(arrow, null).message, "choice of strategy:");
});

test("roundRobin() takes the first in rotation, and waits without one (P4)", () => {
  const { pick, window } = startStrategy(roundRobin<string>());
  assertEquals(window, 1); // It looks at no more than the first.
  assertEquals(pick(["a", "b", "c"], undefined), "a");
  assertEquals(pick(["b", "c", "a"], undefined), "b");
  assertEquals(pick([], undefined), undefined);
});
