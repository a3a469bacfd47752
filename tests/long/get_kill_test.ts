// `jackfield get`, killed a hundred times at random.
import { assert } from "@std/assert";
import { test } from "../harness.ts";
import { killAndResume } from "../parallel/kill_tools.ts";
import { withSeeds } from "../support/seeds.ts";

test("jackfield get survives a hundred kills, always with the right file", {
  timeoutMs: 1_800_000,
}, async () => {
  let died = 0;
  for (let seed = 1; died < 100; seed++) {
    await withSeeds([seed], async (dice) => {
      died += await killAndResume(dice, 10);
    });
    assert(seed < 200, `only ${died} kills in ${seed} files`);
  }
});
