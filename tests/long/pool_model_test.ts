// The model-based test of the pool at length: ten million random steps, or as many as JACKFIELD_STEPS
// says. `JACKFIELD_SEED=<seed>` runs one seed alone.
import { assert } from "@std/assert";
import process from "node:process";
import { property } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { runModel } from "../pool/model/run.ts";

const STEPS = Number(process.env.JACKFIELD_STEPS ?? 10_000_000);
const FIRST_SEED = 1_000_000;
/** How often the speed is told. */
const REPORT_STEPS = 1_000_000;

/** Most runs are short, for each has other options; some are long, for what grows with time. */
function stepsOf(seed: number): number {
  return seed % 20 === 0 ? 20_000 : 2000;
}

/** So many seeds that their steps are enough. */
function runsFor(steps: number): number {
  let seed = FIRST_SEED;
  for (let done = 0; done < steps; seed++) done += stepsOf(seed);
  return seed - FIRST_SEED;
}

test(`SocketPool keeps its rules in ${STEPS} random steps (P2, P3)`, {
  timeoutMs: 3_000_000,
}, async () => {
  let done = 0;
  let leases = 0;
  let reportAt = REPORT_STEPS;
  const startMs = performance.now();
  const report = () => {
    const perSecond = Math.round(done / (performance.now() - startMs) * 1000);
    console.log(`# ${done} steps, ${leases} leases, ${perSecond} steps/s`);
  };
  await property("SocketPool keeps its rules", async (run) => {
    const facts = await runModel(run, stepsOf(run.seed));
    done += stepsOf(run.seed);
    leases += facts.leases;
    if (done < reportAt || done >= STEPS) return;
    report();
    reportAt += REPORT_STEPS;
  }, { seed: FIRST_SEED, runs: runsFor(STEPS), runTimeLimitMs: 600_000 });
  report();
  assert(leases > done / 20, `only ${leases} leases in ${done} steps`);
});
