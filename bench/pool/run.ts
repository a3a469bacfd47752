// The pool's bench: the library's pool against those that others have built and against no pool at
// all, in one interleaved run for each runtime.
//
//   deno task bench:pool              15 rounds in Deno, Bun and Node; under four minutes
//   deno task bench:pool --quick      3 short rounds; under 40 seconds
//   deno task bench:pool --rounds 21 --only deno,bun
//   deno task bench:pool --gate       status 1 when a ratio is too low
//
// The figures go to bench/results/ as JSON, too.
import { loadavg } from "node:os";
import process from "node:process";
import { readArguments, saveResults } from "../support/command.ts";
import { describeMachine, readMachine } from "../support/machine.ts";
import { SHORT } from "./goals.ts";
import { benchPool, type PoolResult } from "./main.ts";
import { POOL_LEGEND, poolTables } from "./table.ts";

const { only, gate, ...options } = readArguments(
  process.argv.slice(2),
  { rounds: 15, ms: 30 },
  { rounds: 3, ms: 12 },
);
const machine = readMachine();
const began = new Date();
console.log(`# Pools, ${options.rounds} rounds of ${options.ms} ms after those to warm up`);
console.log(`${describeMachine(machine)}; load average ${load()}\n${POOL_LEGEND}`);

const results: PoolResult[] = [];
let failed = false;
for (const runtime of only) {
  try {
    const result = await benchPool(runtime, options);
    results.push(result);
    console.log(`\n${poolTables(result)}`);
  } catch (error) {
    failed = true;
    console.log(`\n## ${runtime}\n\n${(error as Error).message}`);
  }
}
const seconds = Math.round((Date.now() - began.getTime()) / 1000);
console.log(
  `\n${
    saveResults("pool", began, { machine, ...options, results })
  } after ${seconds} s; load average ${load()}`,
);
const short = results.some(({ summary }) =>
  summary.some(({ rows }) => rows.some(({ verdict }) => verdict === SHORT))
);
process.exit(failed || (gate && short) ? 1 : 0);

/** How busy the machine was in the last minute: with more than about 1 before, others disturb. */
function load(): string {
  return loadavg()[0]!.toFixed(1);
}
