// Who fetches what, in memory, in thousands of schedules.
import { test } from "../harness.ts";
import { runInterrupted, runSchedule } from "../parallel/model_tools.ts";
import { withSeeds } from "../support/seeds.ts";

const seeds = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

test("parallelGet() writes every byte exactly once in five thousand schedules", {
  timeoutMs: 1_800_000,
}, () => withSeeds(seeds(1_000_000, 5000), runSchedule));

test("parallelGet() that is given up and begun again fetches little twice, a thousand times", {
  timeoutMs: 1_800_000,
}, () => withSeeds(seeds(2_000_000, 1000), runInterrupted));
