// Runs the one test suite in Deno, Bun and Node, one after the other, and prints one plain total.
//
//   deno task test                              everything, in all three
//   deno task test --only deno,bun              in these only
//   deno task test tests/pool tests/queue/x_test.ts    these folders and files only
//   deno task test --long                       the long tests instead
//   deno task test --only deno --coverage       leaves profiles in coverage/
//
// Needs nothing but node: modules, so that Deno, Bun and Node can all start it.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Outcome, type Runner, type Tally, tally } from "./support/summary.ts";
import { bunCommand, denoCommand, nodeCommand } from "./support/tools.ts";

type Environment = Readonly<Record<string, string>>;

const RUNNERS: readonly Runner[] = ["deno", "bun", "node"];
const ELSEWHERE = ["tests/clients/", "tests/long/", "tests/support/", "tests/workerd/"];
/** So many processes run at a time: most of them wait more than they work. */
const TOGETHER = 3;
/** So many files of a folder share a process: to begin one costs more than most files' tests do. */
const JOINED = 12;
/** Files that set something for the whole process, and have one for themselves. */
const ALONE: ReadonlySet<string> = new Set([
  "tests/download/placement/process_test.ts",
  "tests/download/placement/thread_test.ts",
]);
const OWN_CONFIG = ".deno.test.json"; // ignored by git, and gone afterwards

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));

const { only, long, coverage, paths } = readArguments(process.argv.slice(2));
const limitMs = long ? 3_600_000 : 300_000;
const files = findTests(long, paths);
if (files.length === 0) {
  console.log(`Cannot run tests: no test file matches ${paths.join(" ") || "tests/"}`);
  finish([]);
}

const totals: [Runner, Tally][] = [];
for (const runner of only) {
  const outcomes = await start(runner);
  totals.push([runner, sumOf(outcomes.map((outcome) => tally(runner, outcome)))]);
}
if (coverage) dropTornProfiles("coverage");
finish(totals);

/** Split the command line into flags and paths. */
function readArguments(
  args: string[],
): { only: Runner[]; long: boolean; coverage: boolean; paths: string[] } {
  const found = { only: [...RUNNERS], long: false, coverage: false, paths: [] as string[] };
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") continue;
    else if (arg === "--long") found.long = true;
    else if (arg === "--coverage") found.coverage = true;
    else if (arg === "--only") found.only = readRunners(args[++at] ?? "");
    else if (arg.startsWith("--only=")) found.only = readRunners(arg.slice("--only=".length));
    else if (arg.startsWith("-")) refuse(`Unknown option ${arg}`);
    else found.paths.push(arg.replace(/^\.\//, ""));
  }
  return found;
}

function readRunners(list: string): Runner[] {
  const names = list.split(",").filter((name) => name !== "");
  const known = RUNNERS.filter((runner) => names.includes(runner));
  if (known.length === 0 || known.length !== names.length) {
    refuse(`--only takes some of ${RUNNERS.join(",")}, not "${list}"`);
  }
  return known;
}

function refuse(message: string): never {
  console.log(message);
  finish([]);
}

/** The test files, in a stable order. */
function findTests(long: boolean, wanted: string[]): string[] {
  return readdirSync("tests", { recursive: true, encoding: "utf8" })
    .map((name) => `tests/${name.replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith("_test.ts") && !file.includes("/node_modules/"))
    .filter((file) =>
      long ? file.startsWith("tests/long/") : !ELSEWHERE.some((folder) => file.startsWith(folder))
    )
    .filter((file) =>
      wanted.length === 0 ||
      wanted.some((path) => file === path || file.startsWith(`${path.replace(/\/$/, "")}/`))
    )
    .sort();
}

/** Run the suite in one runtime. */
async function start(runner: Runner): Promise<Outcome[]> {
  if (!existsSync("node_modules/@std/assert/mod.ts")) await run([...denoCommand(), "install"]);
  const parts = partsOf(files);
  const folder = mkdtempSync(join(tmpdir(), "jackfield-tests-"));
  try {
    if (runner === "node") {
      const command = [...direct(nodeCommand()), "tests/support/run_in_node.ts"];
      return await runAll(parts.map((part) => [...command, ...part]), stripOnce(folder));
    }
    const command = runner === "bun" ? [...direct(bunCommand()), "test"] : denoTest();
    return await runAll(parts.map((part, index) => [...command, joinFiles(part, folder, index)]));
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(OWN_CONFIG, { force: true });
  }
}

/** A test may kill a process while it writes its profile; what is left cannot be read. */
function dropTornProfiles(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!readFileSync(path, "utf8").trimEnd().endsWith("}")) rmSync(path);
  }
}

/** The files that share a process: all of a folder, or some where they are many. */
function partsOf(files: string[]): string[][] {
  const rooms = Map.groupBy(files, (file) => ALONE.has(file) ? file : dirname(file));
  const most = long ? 1 : JOINED;
  return [...rooms.values()].flatMap((room) => {
    const count = Math.ceil(room.length / most);
    return Array.from(
      { length: count },
      (_, part) => room.filter((_, index) => index % count === part),
    );
  });
}

/** A file that imports these, as Deno and Bun would begin anew for each; one alone stays itself. */
function joinFiles(part: string[], folder: string, index: number): string {
  if (part.length === 1) return `./${part[0]}`; // without "./" Bun takes it as a pattern
  const room = dirname(part[0]!).replaceAll("/", "_");
  const path = join(folder, `${room}_${index}_test.mts`);
  const text = part.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`);
  writeFileSync(path, text.join(""));
  return path;
}

/** The program behind npx, which would look it up again for each part. */
function direct(command: string[]): string[] {
  const [npx, ...args] = command;
  if (npx !== "npx") return command;
  const ask = [...args, "-p", "process.execPath"];
  const { stdout, status } = spawnSync(npx, ask, { encoding: "utf8" });
  return status === 0 ? [stdout.trim()] : command;
}

/** The command that runs tests in Deno. */
function denoTest(): string[] {
  const { path, fromJsr } = pickConfig();
  const source = fromJsr ? "from JSR" : "stand-ins in tests/support/ (JSR not reached)";
  console.log(`# @std/assert, @std/net: ${source}`);
  // Types are checked by `deno task check`; here every thread that a test starts would check its own.
  const command = [...denoCommand(), "test", "-A", "--no-check", `--config=${path}`];
  if (coverage) command.push("--coverage", "--coverage-raw-data-only");
  return command;
}

/** What makes Node, and each Node that a test starts, keep stripped files in a folder. */
function stripOnce(folder: string): Environment {
  const preload = `--import=${pathToFileURL("tests/support/strip_once.mjs").href}`;
  // The functions that it needs are experimental yet, and warn.
  const options = `${
    process.env.NODE_OPTIONS ?? ""
  } ${preload} --disable-warning=ExperimentalWarning`;
  return { NODE_OPTIONS: options, JACKFIELD_STRIPPED: folder };
}

/** A config without the stand-ins if JSR answers; otherwise the checked-in one. */
function pickConfig(): { path: string; fromJsr: boolean } {
  const config = JSON.parse(readFileSync("deno.json", "utf8"));
  if (long) delete config.test; // it leaves the long tests out, even when they are named
  const real = {
    ...config,
    links: undefined,
    lock: false,
    nodeModulesDir: "none", // otherwise Deno takes packages away that Bun and Node need
  };
  if (process.env.STD !== "local") {
    writeFileSync(OWN_CONFIG, JSON.stringify(real));
    const [command, ...args] = denoCommand();
    const probe = [...args, "cache", "--quiet", `--config=${OWN_CONFIG}`, ...files];
    const { status } = spawnSync(command!, probe, { timeout: 30_000, stdio: "ignore" });
    if (status === 0) return { path: OWN_CONFIG, fromJsr: true };
  }
  if (!long) return { path: "deno.json", fromJsr: false };
  // Under another name Deno would take the rest of the packages out of the lock file.
  writeFileSync(OWN_CONFIG, JSON.stringify({ ...config, lock: false }));
  return { path: OWN_CONFIG, fromJsr: false };
}

/** Run commands, some at a time; the output of each is shown when it has ended. */
async function runAll(commands: string[][], env?: Environment): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const rest = commands.values();
  const lane = async (): Promise<void> => {
    for (const command of rest) {
      const outcome = await run(command, env);
      console.log(`$ ${command.join(" ")}`);
      process.stdout.write(outcome.stdout);
      process.stderr.write(outcome.stderr);
      outcomes.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, lane));
  return outcomes;
}

/** Run a command to its end or to the time limit. */
function run(command: string[], env: Environment = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, ...env },
      detached: process.platform !== "win32", // a group of its own, so that npx's child dies too
    });
    const kill = (): void => {
      try {
        if (process.platform === "win32") child.kill("SIGKILL");
        else process.kill(-child.pid!, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(() => {
      console.log(`# killed after ${limitMs / 1000} s`);
      kill();
    }, limitMs);
    const interrupt = (): never => {
      kill();
      process.exit(130);
    };
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    const outcome: Outcome = { stdout: "", stderr: "", ok: false };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        outcome[name] += chunk;
      });
    }
    const end = (ok: boolean): void => {
      clearTimeout(timer);
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
      resolve({ ...outcome, ok });
    };
    child.on("error", (error) => {
      console.log(`# cannot start ${command[0]}: ${error.message}`);
      end(false);
    });
    child.on("close", (code) => end(code === 0));
  });
}

function sumOf(tallies: Tally[]): Tally {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of tallies) {
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
  }
  return sum;
}

/** Print the totals, the grand total last, and leave. */
function finish(totals: [Runner, Tally][]): never {
  let passed = 0;
  let failed = totals.length === 0 ? 1 : 0; // nothing ran
  for (const [runner, { skipped, ...tally }] of totals) {
    const aside = skipped === 0 ? "" : ` (${skipped} skipped)`;
    console.log(`${runner}: ${tally.passed} passed, ${tally.failed} failed${aside}`);
    passed += tally.passed;
    failed += tally.failed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
