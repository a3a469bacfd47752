import { assert, assertEquals } from "@std/assert";
import { shrink } from "../../src/testing/shrink.ts";
import { test } from "../harness.ts";

/** Make a list of so many numbers short that fails whenever these are in it; counts the tries. */
async function shortest(length: number, needed: readonly number[], maxTries = Infinity) {
  let tries = 0;
  const list = await shrink(
    Array.from({ length }, (_, at) => at),
    (list) => {
      tries++;
      const fails = needed.every((number) => list.includes(number));
      return Promise.resolve(fails ? list : undefined);
    },
    maxTries,
  );
  return { list, tries };
}

test("shrink() finds what is needed, wherever it stands, in far fewer tries than there are items", async () => {
  for (const needed of [[], [0], [999], [0, 999], [17, 18, 500], [1, 250, 500, 750]]) {
    const { list, tries } = await shortest(1000, needed);
    assertEquals(list, needed);
    assert(tries < 120, `${tries} tries for ${needed}`);
  }
});

test("shrink() takes out what another one has held back", async () => {
  // 0 may go only when 9 has gone, and 9 goes as the last one.
  const list = await shrink([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], (list) => {
    const isWhole = [2, 4, 6, 8].every((needed) => list.includes(needed));
    const fails = isWhole && (list.includes(0) || !list.includes(9));
    return Promise.resolve(fails ? list : undefined);
  }, Infinity);
  assertEquals(list, [2, 4, 6, 8]);
});

test("shrink() takes what is left of a list that fails before its end", async () => {
  const list = await shrink([1, 2, 3, 4, 5, 6], (list) => {
    const at = list.indexOf(3);
    return Promise.resolve(at < 0 ? undefined : list.slice(0, at + 1));
  }, Infinity);
  assertEquals(list, [3]);
});

test("shrink() stops after so many tries with what it has", async () => {
  const { list, tries } = await shortest(1000, [17, 500], 4);
  assertEquals(tries, 4);
  assert(list.length < 1000 && list.includes(17) && list.includes(500));
  assertEquals((await shortest(10, [], 0)).list.length, 10);
});
