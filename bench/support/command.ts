import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { type Runtime, RUNTIMES } from "./child.ts";

/** What the command line of a bench may say. */
export interface BenchArguments {
  rounds: number;
  ms: number;
  quick: boolean;
  only: readonly Runtime[];
  gate: boolean;
}

/** Read the words of a bench's command line; `quick` is what --quick makes of the defaults. */
export function readArguments(
  args: readonly string[],
  defaults: { readonly rounds: number; readonly ms: number },
  quick: { readonly rounds: number; readonly ms: number },
): BenchArguments {
  const found = { ...defaults, quick: false, only: RUNTIMES, gate: false };
  for (let at = 0; at < args.length; at++) {
    const [arg, inline] = args[at]!.split("=", 2);
    const value = (): string => inline ?? args[++at] ?? "";
    if (arg === "--") continue; // `deno task bench -- --quick` passes it on.
    else if (arg === "--quick") Object.assign(found, quick, { quick: true });
    else if (arg === "--gate") found.gate = true;
    else if (arg === "--rounds") found.rounds = readRounds(value());
    else if (arg === "--only") found.only = readRuntimes(value());
    else refuse(`Unknown option ${arg}`);
  }
  return found;
}

/** Write figures down as JSON, under the time at which they began; returns where. */
export function saveResults(name: string, began: Date, content: object): string {
  const folder = new URL("../results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = `${name}-${began.toISOString().slice(0, 19).replaceAll(":", "")}.json`;
  const text = JSON.stringify({ began: began.toISOString(), ...content }, null, 2);
  writeFileSync(new URL(file, folder), `${text}\n`);
  return `bench/results/${file}`;
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
