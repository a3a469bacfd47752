// Parallel get against curl, aria2c and axel: one file from nginx, as fast as it goes and with
// `limit_rate 2m` for each connection; over 1, 4, 8 and 16 connections; interleaved rounds.
//
//   deno task bench:get                     5 rounds, 30 s for each limited cell: about 35 minutes
//   deno task bench:get --quick             2 rounds, 5 s
//   deno task bench:get --cells unlimited   cells whose name begins so
//   deno task bench:get --programs deno,curl --rounds 9
//   deno task bench:get --gate              status 1 when a ratio is too low
//
// Time counts from the first request to the end of the process; what starting takes is said beside
// it. Files lie in memory (/dev/shm). The other programs compute no digest, so ours do not either,
// except in the rows that say so. nginx counts `limit_rate` for each request and gives the first
// second's worth at once: who asks for smaller parts gets more of it, and ours are 4 MiB.
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { randomFillSync } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { saveResults } from "../support/command.ts";
import { describeMachine, readMachine } from "../support/machine.ts";
import { spreadOf } from "../support/statistics.ts";
import { measure } from "./measure.ts";
import { startNginx } from "./nginx.ts";
import { type Program, programs } from "./programs.ts";
import { type CellRuns, getTable, goalLines, goalsOf } from "./report.ts";

interface Cell {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  readonly sockets: number;
  readonly isLimited: boolean;
}

const MIB = 2 ** 20;
const RATE_BYTES = 2 * MIB;
const SOCKETS = [1, 4, 8, 16];

const options = readOptions(process.argv.slice(2));
const machine = readMachine();
const began = new Date();
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "jackfield-get-"));
chmodSync(folder, 0o755); // nginx reads as another user.
const nginx = await startNginx(folder, "2m");
try {
  const list = programs(options.programs);
  const cells = makeCells();
  for (const { file, bytes } of cells) fillFile(join(nginx.root, file), bytes);
  console.log(`# Parallel get, ${options.rounds} rounds`);
  console.log(describeMachine(machine));
  console.log(`Programs: ${list.map(({ name }) => name).join(", ")}`);
  const runs = await runAll(cells, list);
  console.log(getTable(runs));
  const goals = goalsOf(runs);
  console.log(`\n${goalLines(goals)}`);
  console.log(`\n${saveResults("get", began, { machine, ...options, runs, goals })}`);
  if (options.gate && goals.some(({ ok }) => !ok)) process.exitCode = 1;
} finally {
  await nginx.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function runAll(cells: readonly Cell[], list: readonly Program[]): Promise<CellRuns[]> {
  const starts = new Map<string, number>();
  for (const program of list) {
    const command = program.startOnly?.();
    if (command === undefined) continue;
    const taken: number[] = [];
    for (let round = 0; round < 5; round++) {
      taken.push((await measure(command, folder, 60_000)).cpuS);
    }
    starts.set(program.name, spreadOf(taken).median);
    console.log(`${program.name}: starting takes ${starts.get(program.name)!.toFixed(2)} CPU s`);
  }
  const runs = cells.flatMap((cell) =>
    list.filter(({ isParallel }) => isParallel || cell.sockets === 1).map((program) => ({
      cell,
      program,
      report: {
        cell: cell.name,
        program: program.name,
        bytes: cell.bytes,
        fetchS: [] as number[],
        wallS: [] as number[],
        cpuS: [] as number[],
      },
    }))
  );
  for (let round = 0; round < options.rounds; round++) {
    // Each cell of a round in another order, so that nobody always comes after the same one.
    const order = round % 2 === 0 ? runs : [...runs].reverse();
    for (const { cell, program, report } of order) {
      const url = nginx.url(cell.file, cell.isLimited);
      const command = program.command(url, folder, "out.bin", cell.sockets);
      const { wallS, endedMs, cpuS } = await measure(command, folder, 600_000);
      const { size } = statSync(join(folder, "out.bin"));
      if (size !== cell.bytes) throw new Error(`${program.name} has fetched ${size} bytes`);
      rmSync(join(folder, "out.bin"));
      report.fetchS.push((endedMs - await nginx.firstRequestMs()) / 1000);
      report.wallS.push(wallS);
      report.cpuS.push(Math.max(0, cpuS - (starts.get(program.name) ?? 0)));
    }
  }
  return runs.map(({ report }) => report);
}

function makeCells(): Cell[] {
  const name = (kind: string, sockets: number) =>
    `${kind}, ${sockets} ${sockets === 1 ? "socket" : "sockets"}`;
  const cells = SOCKETS.flatMap((sockets): Cell[] => {
    const limitedBytes = Math.round(options.seconds * sockets * RATE_BYTES);
    const file = `limited-${sockets}.bin`;
    return [
      {
        name: name("unlimited", sockets),
        file: "big.bin",
        bytes: options.unlimitedBytes,
        sockets,
        isLimited: false,
      },
      { name: name("limited", sockets), file, bytes: limitedBytes, sockets, isLimited: true },
    ];
  });
  return cells.sort((a, b) => Number(a.isLimited) - Number(b.isLimited))
    .filter(({ name }) => name.startsWith(options.cells));
}

function fillFile(path: string, bytes: number): void {
  if (existsSync(path)) return;
  const block = randomFillSync(new Uint8Array(Math.min(bytes, 16 * MIB)));
  writeFileSync(path, "");
  for (let at = 0; at < bytes; at += block.byteLength) {
    writeFileSync(path, block.subarray(0, Math.min(block.byteLength, bytes - at)), { flag: "a" });
  }
}

function readOptions(args: readonly string[]): {
  rounds: number;
  seconds: number;
  unlimitedBytes: number;
  cells: string;
  programs: readonly string[];
  gate: boolean;
} {
  const found = {
    rounds: 5,
    seconds: 30,
    unlimitedBytes: 1024 * MIB,
    cells: "",
    programs: [] as readonly string[],
    gate: false,
  };
  for (let at = 0; at < args.length; at++) {
    const [arg, inline] = args[at]!.split("=", 2);
    const value = (): string => inline ?? args[++at] ?? "";
    if (arg === "--") continue;
    else if (arg === "--quick") Object.assign(found, { rounds: 2, seconds: 5 });
    else if (arg === "--gate") found.gate = true;
    else if (arg === "--rounds") found.rounds = readNumber("rounds", value());
    else if (arg === "--seconds") found.seconds = readNumber("seconds", value());
    else if (arg === "--cells") found.cells = value();
    else if (arg === "--programs") found.programs = value().split(",");
    else {
      console.log(`Unknown option ${arg}`);
      process.exit(1);
    }
  }
  return found;
}

function readNumber(name: string, text: string): number {
  const number = Number(text);
  if (number >= 1 && number <= 100) return number;
  console.log(`--${name} takes 1 to 100, not "${text}"`);
  process.exit(1);
}
