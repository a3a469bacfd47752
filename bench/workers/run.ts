// Units of work per second with two threads against one, in the three ways of a WorkerGroup.
//
//   deno task bench:workers              15 rounds in Deno, Bun and Node; about four minutes
//   deno task bench:workers --quick      5 short rounds
//   deno task bench:workers --gate       status 1 when a way's best rounds are below 1.7
//
// Each unit computes for 2 ms; 16 clients in the main thread have one on its way each. On two cores the
// clients and the main thread's share of each unit come out of the same two, so that 2 is out of reach.
// Where the kernel spreads the connections (listen), chance decides how evenly. On a machine that has
// other work the ratio of the best rounds tells more than the median of the ratios: two threads lose
// more than one does when a core is taken away.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runChild } from "../support/child.ts";
import { readArguments, saveResults } from "../support/command.ts";
import { describeMachine, readMachine } from "../support/machine.ts";
import { ratiosOf, spreadOf } from "../support/statistics.ts";
import type { Order, WayReport } from "./child.ts";

const GOAL = 1.7;
const { only, gate, rounds, ms } = readArguments(
  process.argv.slice(2),
  { rounds: 15, ms: 700 },
  { rounds: 5, ms: 400 },
);
const order: Order = { rounds, ms, unitMs: 2, threads: 2 };
const machine = readMachine();
const began = new Date();
console.log(`# Worker groups, units of ${order.unitMs} ms\n${describeMachine(machine)}`);
const kept: object[] = [];
let isShort = false;
for (const runtime of only) {
  const file = fileURLToPath(new URL("child.ts", import.meta.url));
  const reports = await runChild<WayReport[]>(runtime, file, order, 600_000);
  console.log(
    `\n## ${runtime}\n\n| way | one thread /s | two /s | ratio: median | least | most | best rounds |`,
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const { way, one, several } of reports) {
    const ratio = spreadOf(ratiosOf(several, one));
    const whole = (figures: readonly number[]) => Math.round(spreadOf(figures).median);
    const best = Math.max(...several) / Math.max(...one);
    const cells = [ratio.median, ratio.min, ratio.max, best].map((value) => value.toFixed(2));
    console.log(`| ${way} | ${whole(one)} | ${whole(several)} | ${cells.join(" | ")} |`);
    isShort ||= best < GOAL;
  }
  kept.push({ runtime, reports });
}
console.log(`\n${saveResults("workers", began, { machine, order, kept })}`);
process.exit(gate && isShort ? 1 : 0);
