import process from "node:process";
import { CELLS, SLOW_CELL } from "./cells.ts";

/** What the command line may say. */
export interface ServeBenchOptions {
  readonly rounds: number;
  /** Of one cell with one server in one round; wrk knows whole seconds only. */
  readonly seconds: number;
  /** Names of cells; all without one. */
  readonly cells: readonly string[];
  /** Names of servers; all without one. */
  readonly servers: readonly string[];
  /** TCP's congestion controls, one run for each; `default` is the system's. */
  readonly congestion: readonly string[];
  /** How many slow readers. */
  readonly readers: number;
  /** Whether a missed ratio is status 1. */
  readonly gate: boolean;
}

const KNOWN_CELLS = [...CELLS.map(({ name }) => name), SLOW_CELL];

/** Read the words of the command line; ends the program when it cannot. */
export function readServeOptions(args: readonly string[]): ServeBenchOptions {
  const found = {
    rounds: 9,
    seconds: 1,
    cells: KNOWN_CELLS,
    servers: [] as string[],
    congestion: ["default", "reno"],
    readers: 8000,
    gate: false,
  };
  for (let at = 0; at < args.length; at++) {
    const [arg, inline] = args[at]!.split("=", 2);
    const value = (): string => inline ?? args[++at] ?? "";
    if (arg === "--") continue; // `deno task bench:serve -- --quick` passes it on.
    else if (arg === "--quick") Object.assign(found, { rounds: 2, readers: 1000 });
    else if (arg === "--gate") found.gate = true;
    else if (arg === "--rounds") found.rounds = readNumber("rounds", value(), 100);
    else if (arg === "--seconds") found.seconds = readNumber("seconds", value(), 60);
    else if (arg === "--readers") found.readers = readNumber("readers", value(), 9000);
    else if (arg === "--cells") found.cells = readCells(value());
    else if (arg === "--servers") found.servers = value().split(",");
    else if (arg === "--congestion") found.congestion = readCongestion(value());
    else refuse(`Unknown option ${arg}`);
  }
  return found;
}

/** Say what is wrong with the command line, and end. */
export function refuse(message: string): never {
  console.log(message);
  process.exit(1);
}

function readCells(text: string): string[] {
  const names = text.split(",");
  const unknown = names.find((name) => !KNOWN_CELLS.includes(name));
  if (unknown === undefined) return names;
  refuse(`--cells takes some of ${KNOWN_CELLS.join(",")}, not "${unknown}"`);
}

function readCongestion(text: string): string[] {
  if (/^[a-z0-9_]+(,[a-z0-9_]+)*$/.test(text)) return text.split(",");
  refuse(`--congestion takes names such as default,reno, not "${text}"`);
}

function readNumber(name: string, text: string, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  refuse(`--${name} takes 1 to ${most}, not "${text}"`);
}
