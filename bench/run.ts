// The benches: the library against what stands below it, in one interleaved run for each runtime.
//
//   deno task bench                   9 rounds in Deno, Bun and Node; under four minutes
//   deno task bench --quick           3 short rounds
//   deno task bench --rounds 21 --only deno,bun
//   deno task bench --gate            status 1 when a ratio is too low
//
// The figures go to bench/results/ as JSON, too.
import process from "node:process";
import { readArguments, saveResults } from "./support/command.ts";
import { describeMachine, readMachine } from "./support/machine.ts";
import {
  benchTransport,
  TRANSPORT_LEGEND,
  type TransportResult,
  transportTable,
} from "./transport/main.ts";

const { rounds, ms, only, gate } = readArguments(
  process.argv.slice(2),
  { rounds: 9, ms: 400 },
  { rounds: 3, ms: 150 },
);
const machine = readMachine();
const began = new Date();
console.log(`# Transport, ${rounds} rounds of ${ms} ms after one to warm up`);
console.log(`${describeMachine(machine)}\n${TRANSPORT_LEGEND}`);

const results: TransportResult[] = [];
let failed = false;
for (const runtime of only) {
  try {
    const result = await benchTransport(runtime, { rounds, ms });
    results.push(result);
    console.log(`\n${transportTable(result)}`);
  } catch (error) {
    failed = true;
    console.log(`\n## ${runtime}\n\n${(error as Error).message}`);
  }
}
console.log(`\n${saveResults("transport", began, { machine, rounds, ms, results })}`);
const short = results.some(({ summary }) => summary.some(({ ok }) => !ok));
process.exit(failed || (gate && short) ? 1 : 0);
