// Our server (each engine, in Deno and Bun) against nginx (one worker, with and without
// open_file_cache), the runtimes' own servers, and Hono's serveStatic; interleaved rounds in a
// network namespace, once under the system's congestion control and once under reno. What hardly
// depends on it, TLS and slow readers, is measured under the first one only.
//
//   deno task bench:serve                       9 rounds of 1 s; it says beforehand how long it takes
//   deno task bench:serve --quick               2 rounds, 1,000 slow readers
//   deno task bench:serve --cells 1k,16x1m,tls-1x1g
//   deno task bench:serve --servers deno-copy,bun-serve    nginx is always among them
//   deno task bench:serve --congestion reno --rounds 21 --seconds 2
//   deno task bench:serve --gate                status 1 when a ratio is below "at least"
//
// Cells: 1k, 64k, 16x1m, 4x1g, 1x1g, mixed, tls-64k, tls-8x1m, tls-1x1g, slow. Files lie in memory.
// Requests and all of TLS come from wrk(1), downloads from load.c, which throws the bytes away in
// the kernel, slow readers from slow.c. Every server runs as users start it, ours by
// `jackfield serve`. The processor's time is that of the whole tree of a server's processes. The
// figures go to bench/results/ as JSON, too; docs/benchmarks.md says how to read them.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { saveResults } from "../support/command.ts";
import { describeMachine, readMachine } from "../support/machine.ts";
import { buildCProgram } from "./c_program.ts";
import { CELLS, secondsOf, SLOW_CELL, takesPart } from "./cells.ts";
import { type Competitor, competitors, MEASURE, versionOf } from "./contenders.ts";
import { goalsOf } from "./goals.ts";
import type { LoadTools } from "./measure_cell.ts";
import { congestionInside, runInNamespace } from "./own_namespace.ts";
import { readServeOptions, refuse } from "./serve_options.ts";
import { cellTables, goalLines, slowTable } from "./serve_report.ts";
import { ServeRounds } from "./serve_rounds.ts";
import { SlowReaderBench, type SlowReaders } from "./slow_readers.ts";
import { makeWorkFolder } from "./work_folder.ts";

/** What a cell costs beside its seconds, and what slow readers of one server take. */
const BESIDE_S = 0.25;
const SLOW_S = 20;
/** Longer than files count as young. */
const SETTLED_MS = 2500;
/** The status of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

const args = process.argv.slice(2);
const options = readServeOptions(args);
const inside = congestionInside();
if (inside === undefined) {
  needTools();
  for (const runtime of ["deno", "bun"] as const) versionOf(runtime); // npx may have to fetch it.
  let worst = 0;
  for (const congestion of options.congestion) {
    worst = Math.max(worst, await runInNamespace("run.ts", args, congestion));
    if (worst === INTERRUPTED) break;
  }
  process.exit(worst);
}

const servers = chooseServers();
const isFirst = inside === options.congestion[0];
const cells = CELLS.filter(({ name, tls }) => options.cells.includes(name) && (isFirst || !tls));
const withSlow = isFirst && options.cells.includes(SLOW_CELL);
const machine = readMachine();
const versions = [nginxVersion(), versionOf("deno"), versionOf("bun")];
const began = new Date();
console.log(
  `\n# Serving files, ${options.rounds} rounds of ${options.seconds} s, ${began.toISOString()}`,
);
console.log(`${describeMachine(machine)}\n${versions.join(", ")}; ${aboutMinutes()}`);
const bulkProgram = buildCProgram("load");
const folder = makeWorkFolder();
// Answers with files that are younger take the long way: that is not the steady state.
await sleep(SETTLED_MS);
const tools: LoadTools = { bulkProgram, opensslConf: folder.opensslConf };
const failures: string[] = [];
const onFailure = (server: string, cell: string, error: Error): void => {
  failures.push(`${server}, ${cell}: ${error.message}`);
};
const onRound = (round: number): void => {
  if (process.stderr.isTTY) process.stderr.write(`\rround ${round} of ${options.rounds} \r`);
};
const plan = { ...options, servers, cells, folder, tools, onRound, onFailure };
const rounds = new ServeRounds(plan);
let slowBench: SlowReaderBench | undefined;
let missed = false;
let interrupted: Promise<void> | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => { // It may come twice: to the group, and from the run outside.
    interrupted ??= cleanUp().finally(() => process.exit(INTERRUPTED));
  });
}
try {
  const runs = await rounds.measure();
  if (interrupted !== undefined) await interrupted;
  const slow = withSlow ? await measureSlow() : [];
  const goals = goalsOf(runs, slow);
  console.log(`${cellTables(runs)}\n${slowTable(slow)}\n\n${goalLines(goals)}`);
  for (const line of rounds.engines) console.log(line);
  for (const failure of failures) console.log(`FAILED ${failure}`);
  const figures = runs.map(({ cell, server, rounds }) => ({
    cell: cell.name,
    server: server.name,
    rounds,
  }));
  const { engines } = rounds;
  const content = { machine, versions, engines, options, runs: figures, slow, goals, failures };
  console.log(`\n${saveResults("serve", began, content)}`);
  missed = goals.some(({ verdict }) => verdict === "SHORT");
} finally {
  await cleanUp();
}
process.exit(failures.length > 0 || (options.gate && missed) ? 1 : 0);

async function measureSlow(): Promise<readonly SlowReaders[]> {
  slowBench = new SlowReaderBench(buildCProgram("slow"), options.readers);
  const slow: SlowReaders[] = [];
  for (const server of servers) {
    try {
      const found = await slowBench.measure(server);
      if (found !== undefined) slow.push(found);
    } catch (error) {
      onFailure(server.name, SLOW_CELL, error as Error);
    }
  }
  return slow;
}

async function cleanUp(): Promise<void> {
  await rounds.end();
  folder.remove();
  slowBench?.remove();
}

function chooseServers(): readonly Competitor[] {
  const all = competitors();
  const { servers: names } = options;
  const unknown = names.find((name) => !all.some((each) => each.name === name));
  if (unknown !== undefined) {
    refuse(`--servers takes some of ${all.map(({ name }) => name).join(",")}, not "${unknown}"`);
  }
  return all.filter(({ name }) => names.length === 0 || name === MEASURE || names.includes(name));
}

/** Said beforehand, so that nobody has to wonder. */
function aboutMinutes(): string {
  const { rounds, seconds } = options;
  const inRounds = cells.reduce((sum, cell) => {
    const all = servers.filter((server) => takesPart(server, cell)).length;
    const each = secondsOf(cell, 1) + rounds * secondsOf(cell, seconds);
    return sum + all * (each + (rounds + 1) * BESIDE_S);
  }, 0);
  const isSlow = ({ name, ours }: Competitor): boolean =>
    name === MEASURE || (ours !== undefined && ours.engine !== "accept");
  const all = inRounds + (withSlow ? servers.filter(isSlow).length + 2 : 0) * SLOW_S;
  return `about ${Math.ceil(all / 60)} minutes`;
}

function nginxVersion(): string {
  const { stderr } = spawnSync("nginx", ["-v"], { encoding: "utf8" });
  return stderr.trim().replace(/^.*nginx\//, "nginx ");
}

function needTools(): void {
  const words = { wrk: "-v", nginx: "-v", openssl: "version", ip: "-V", unshare: "-V" };
  const missing = Object.entries(words).filter(([command, word]) =>
    spawnSync(command, [word], { stdio: "ignore" }).error !== undefined
  ).map(([command]) => command);
  if (missing.length > 0) {
    refuse(`Cannot measure without ${missing.join(", ")} (Debian: wrk nginx openssl iproute2)`);
  }
  try {
    buildCProgram("load");
  } catch (error) {
    refuse((error as Error).message);
  }
}
