// The benches: the library against what stands below it, in one interleaved run for each runtime.
//
//   deno task bench                   9 rounds in Deno, Bun and Node; under four minutes
//   deno task bench --quick           3 short rounds
//   deno task bench --rounds 21 --only deno,bun
//   deno task bench --gate            status 1 when a ratio is too low
//
// The figures go to bench/results/ as JSON, too.
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { type Runtime, RUNTIMES } from "./support/child.ts";
import { describeMachine, readMachine } from "./support/machine.ts";
import {
  benchTransport,
  TRANSPORT_LEGEND,
  type TransportResult,
  transportTable,
} from "./transport/main.ts";

interface Arguments {
  rounds: number;
  ms: number;
  only: readonly Runtime[];
  gate: boolean;
}

const { rounds, ms, only, gate } = readArguments(process.argv.slice(2));
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
console.log(`\n${save()}`);
const short = results.some(({ summary }) => summary.some(({ ok }) => !ok));
process.exit(failed || (gate && short) ? 1 : 0);

/** Write the figures down; returns where. */
function save(): string {
  const folder = new URL("./results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const name = `transport-${began.toISOString().slice(0, 19).replaceAll(":", "")}.json`;
  const content = { began: began.toISOString(), machine, rounds, ms, results };
  writeFileSync(new URL(name, folder), `${JSON.stringify(content, null, 2)}\n`);
  return `bench/results/${name}`;
}

function readArguments(args: readonly string[]): Arguments {
  const found: Arguments = { rounds: 9, ms: 400, only: RUNTIMES, gate: false };
  for (let at = 0; at < args.length; at++) {
    const [arg, inline] = args[at]!.split("=", 2);
    const value = (): string => inline ?? args[++at] ?? "";
    if (arg === "--") continue; // `deno task bench -- --quick` passes it on.
    else if (arg === "--quick") Object.assign(found, { rounds: 3, ms: 150 });
    else if (arg === "--gate") found.gate = true;
    else if (arg === "--rounds") found.rounds = readRounds(value());
    else if (arg === "--only") found.only = readRuntimes(value());
    else refuse(`Unknown option ${arg}`);
  }
  return found;
}

function readRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 100) return rounds;
  refuse(`--rounds takes 1 to 100, not "${text}"`);
}

function readRuntimes(list: string): Runtime[] {
  const names = list.split(",");
  const known = RUNTIMES.filter((runtime) => names.includes(runtime));
  if (known.length === names.length) return known;
  refuse(`--only takes some of ${RUNTIMES.join(",")}, not "${list}"`);
}

function refuse(message: string): never {
  console.log(message);
  process.exit(1);
}
