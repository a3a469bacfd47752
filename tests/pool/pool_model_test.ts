// Random use of a pool over a network in memory with moody targets and virtual time. After each step
// the pool is compared with what its callers know. A failure names its seed and step:
// `JACKFIELD_SEED=<seed>` runs that one alone.
import { assert } from "@std/assert";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { runModel } from "./model/run.ts";

const STEPS = 2000;
const SEEDS = Array.from({ length: 100 }, (_, at) => 100 + at);

test(`SocketPool keeps its rules in ${SEEDS.length * STEPS} random steps (P2, P3)`, async () => {
  await withSeeds(SEEDS, async (dice, seed) => {
    const { leases, connects } = await runModel(dice, seed, STEPS);
    assert(leases > 20 && connects > 0, `only ${leases} leases, ${connects} connects`);
  });
});
