// Random use of a pool over a network in memory with moody targets and virtual time. After each step
// the pool is compared with what its callers know. A failure names its seed and the fewest moves that
// show it; `JACKFIELD_SEED=<seed>` runs that one alone, `JACKFIELD_SCHEDULES=100` so many. The same at
// length is in tests/long/.
import { assert } from "@std/assert";
import process from "node:process";
import { property } from "../../src/testing/mod.ts";
import { runtime, test } from "../harness.ts";
import { runModel } from "./model/run.ts";

const STEPS = 2000;
/** Each runtime takes other seeds, for a seed gives the same run in all of them. */
const FIRST_SEED = { deno: 100, bun: 200, node: 300 }[runtime];
const COUNT = Number(process.env.JACKFIELD_SCHEDULES ?? 12);

test(`SocketPool keeps its rules in ${COUNT * STEPS} random steps (P2, P3)`, async () => {
  let most = 0;
  await property("SocketPool keeps its rules", async (run) => {
    const { leases } = await runModel(run, STEPS);
    most = Math.max(most, leases);
  }, { seed: FIRST_SEED, runs: COUNT, runTimeLimitMs: 60_000 });
  assert(most > STEPS / 10, `at most ${most} leases in ${STEPS} steps`);
});
