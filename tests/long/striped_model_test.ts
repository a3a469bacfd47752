// The model-based test of a bundle at length: three thousand schedules, or as many as JACKFIELD_RUNS
// says. `JACKFIELD_SEED=<seed>` runs one seed alone.
import { assert } from "@std/assert";
import process from "node:process";
import { test } from "../harness.ts";
import { runBundle } from "../parallel/striped/model_tools.ts";
import { withSeeds } from "../support/seeds.ts";

const RUNS = Number(process.env.JACKFIELD_RUNS ?? 3000);
const FIRST_SEED = 100_000;

test(`connectStriped() brings every byte once and in order in ${RUNS} schedules (P5)`, {
  timeoutMs: 3_000_000,
}, async () => {
  const sum = { kills: 0, holds: 0, resizes: 0, resentBytes: 0 };
  const seeds = Array.from({ length: RUNS }, (_, index) => FIRST_SEED + index);
  await withSeeds(seeds, async (dice) => {
    const facts = await runBundle(dice);
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += facts[name];
  });
  console.log(`# ${JSON.stringify(sum)}`);
  assert(sum.kills > RUNS / 2 && sum.holds > RUNS / 3, JSON.stringify(sum));
});
