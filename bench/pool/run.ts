// The pool's bench: the library's pool against those that others have built and against no pool at
// all, in one interleaved run for each runtime.
//
//   deno task bench:pool              15 rounds in Deno, Bun and Node; under four minutes
//   deno task bench:pool --quick      3 short rounds; under 40 seconds
//   deno task bench:pool --rounds 21 --only deno,bun
//   deno task bench:pool --gate       status 1 when a ratio is too low
//
// The figures go to bench/results/ as JSON, too.
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import process from "node:process";
import { type Runtime, RUNTIMES } from "../support/child.ts";
import { describeMachine, readMachine } from "../support/machine.ts";
import { SHORT } from "./goals.ts";
import { benchPool, type PoolBenchOptions, type PoolResult } from "./main.ts";
import { POOL_LEGEND, poolTables } from "./table.ts";

interface Arguments extends PoolBenchOptions {
  only: readonly Runtime[];
  gate: boolean;
}

const { only, gate, ...options } = readArguments(process.argv.slice(2));
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
console.log(`\n${save()} after ${seconds} s; load average ${load()}`);
const short = results.some(({ summary }) =>
  summary.some(({ rows }) => rows.some(({ verdict }) => verdict === SHORT))
);
process.exit(failed || (gate && short) ? 1 : 0);

/** How busy the machine was in the last minute: with more than about 1 before, others disturb. */
function load(): string {
  return loadavg()[0]!.toFixed(1);
}

/** Write the figures down; returns where. */
function save(): string {
  const folder = new URL("../results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const name = `pool-${began.toISOString().slice(0, 19).replaceAll(":", "")}.json`;
  const content = { began: began.toISOString(), machine, ...options, results };
  writeFileSync(new URL(name, folder), `${JSON.stringify(content, null, 2)}\n`);
  return `bench/results/${name}`;
}

function readArguments(args: readonly string[]): Arguments {
  const found = { rounds: 15, ms: 30, quick: false, only: RUNTIMES, gate: false };
  for (let at = 0; at < args.length; at++) {
    const [arg, inline] = args[at]!.split("=", 2);
    const value = (): string => inline ?? args[++at] ?? "";
    if (arg === "--") continue; // `deno task bench:pool -- --quick` passes it on.
    else if (arg === "--quick") Object.assign(found, { rounds: 3, ms: 12, quick: true });
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
