// 8,000 slow clients (1 KiB/s) beside 10 clients limited to 20 MB/s each: nginx, and the library's
// server in Deno, Bun and Node, one after the other, each in a process of its own.
//
//   deno task bench:slow                    all four; about two minutes
//   deno task bench:slow --quick            2,000 slow ones, shorter
//   deno task bench:slow --only deno,bun    nginx is always among them: it sets the measure
//   deno task bench:slow --gate             status 1 when a goal is missed
//
// The figures go to bench/results/ as JSON, too. Linux only: it reads /proc. The clients are a C
// program on a fifth of a core (slow.c); every client has an address of its own.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { readArguments, saveResults } from "../support/command.ts";
import { describeMachine, readMachine } from "../support/machine.ts";
import { spreadOf } from "../support/statistics.ts";
import type { ServeRuntime } from "./contenders.ts";
import { buildLoadClient, type LoadClass, type LoadReport, runLoad } from "./load_client.ts";
import { startNginx } from "./nginx.ts";
import type { OurFacts } from "./our_facts.ts";
import { cpuSecondsOf, descriptorsOf, type Memory, memoryOf, tcpBytes } from "./process_facts.ts";
import { BIG_PATH, makeServedFolder } from "./served_folder.ts";
import { type ServerProcess, startOurs } from "./server_process.ts";
import { SlowReaderBench } from "./slow_readers.ts";

/** What came of one server. */
interface SlowResult {
  readonly version: string;
  /** The memory after a load to warm up, with every connection open and idle, and in the load. */
  readonly before: Memory;
  readonly idle: Memory;
  readonly steady: Memory;
  /** The highest in the load. */
  readonly peak: Memory;
  /** RSS beyond `before`, in bytes for each slow client. */
  readonly idleGrowth: number;
  readonly growth: number;
  readonly anonGrowth: number;
  /** RSS of a bare program of Deno or Bun, in bytes for each idle connection. */
  readonly bareGrowth: number | undefined;
  /** The rates of the fast ones as parts of what they may take: alone, and beside the slow ones. */
  readonly fastAlone: readonly number[];
  readonly fast: readonly number[];
  /** The same for the worst second of each. */
  readonly fastWorstSecond: readonly number[];
  /** MB/s of all fast ones together in each second since the first request. */
  readonly fastSeconds: readonly number[];
  /** The rates of the slow ones as parts of theirs: the lowest, and the middle one. */
  readonly slowMin: number;
  readonly slowMedian: number;
  readonly errors: readonly LoadReport["classes"][number]["errors"][];
  /** Descriptors of the server in the load, and those of them that are on the file. */
  readonly descriptors: { readonly all: number; readonly onFile: number };
  /** Processor seconds per second: the server's, and the load's own. */
  readonly serverCpu: number;
  readonly loadCpu: number;
  /** Kernel memory of all sockets, the clients' too. */
  readonly tcpBytes: number;
  readonly facts: OurFacts | undefined;
}

const FAST = 10;
const FAST_RATE = 20_000_000;
const SLOW_RATE = 1024;
const FAST_GOAL = 0.95;
/** Above an idle connection of a bare program. */
const GROWTH_GOAL = 2 * 1024;
const DESCRIPTORS_GOAL = 20_000;

const { only, gate, quick } = readArguments(
  process.argv.slice(2),
  { rounds: 1, ms: 0 },
  { rounds: 1, ms: 0 },
);
const slowCount = quick ? 2000 : 8000;
const window = quick ? { from: 4, to: 10 } : { from: 5, to: 20 };
const fastClass: LoadClass = {
  name: "fast",
  path: BIG_PATH,
  clients: FAST,
  rate: FAST_RATE,
  address: "127.2.0.1",
};
const slowClass: LoadClass = {
  name: "slow",
  path: BIG_PATH,
  clients: slowCount,
  rate: SLOW_RATE,
  every: 500,
  receive: 4096,
  segment: 1460, // as over Ethernet
  address: "127.1.0.1",
};

const machine = readMachine();
const began = new Date();
console.log(`# ${slowCount} slow clients, ${SLOW_RATE} bytes/s, beside ${FAST} of 20 MB/s`);
console.log(`${describeMachine(machine)}\n`);
const program = buildLoadClient();
const folder = makeServedFolder();
const bareBench = new SlowReaderBench(program, slowCount);
const results: SlowResult[] = [];
let failed = false;
console.log(
  row("", "before", "idle", "steady", "per slow", "bare", "fast min", "median", "on file", "CPU"),
);
try {
  await measureAndShow("nginx", undefined, () => startNginx({ root: folder.root }));
  for (const runtime of only) {
    // There is no bare program for Node: its sockets are those of `node:net` in any case.
    await measureAndShow(
      runtime,
      runtime === "node" ? undefined : runtime,
      () =>
        startOurs(runtime, {
          options: {
            root: folder.root,
            maxConnections: slowCount + 1000,
            maxActive: slowCount + 1000,
          },
        }),
    );
  }
} finally {
  folder.remove();
  bareBench.remove();
}
console.log(
  `\nGoals: every fast client keeps ${FAST_GOAL} of its rate; each slow one costs at most`,
);
console.log(
  `${kib(GROWTH_GOAL)} more than "bare", an idle connection of a bare program; fewer than`,
);
console.log(`${DESCRIPTORS_GOAL} descriptors.`);
const short = results.filter(({ version }) => !version.startsWith("nginx")).flatMap(faultsOf);
for (const fault of short) console.log(`SHORT ${fault}`);
console.log(saveResults("slow", began, { machine, slowCount, window, results }));
process.exit(failed || (gate && short.length > 0) ? 1 : 0);

async function measureAndShow(
  name: string,
  runtime: ServeRuntime | undefined,
  start: () => Promise<ServerProcess | undefined>,
): Promise<void> {
  try {
    const server = await start();
    if (server === undefined) {
      console.log(`${name}: not installed`);
      return;
    }
    let measured: Omit<SlowResult, "bareGrowth">;
    try {
      measured = await measure(server);
    } finally {
      await server.end();
    }
    const bareGrowth = runtime === undefined ? undefined : await bareBench.bareOf(runtime);
    const result = { ...measured, bareGrowth };
    results.push(result);
    show(result);
  } catch (error) {
    failed = true;
    console.log(`${name}: ${(error as Error).message}`);
  }
}

async function measure(server: ServerProcess): Promise<Omit<SlowResult, "bareGrowth">> {
  const { port } = server;
  // Compilers and the buffers of the fast ones are none of the slow ones' business.
  const warmUp = [fastClass, { ...slowClass, clients: 200 }];
  const alone = await runLoad(program, { port, classes: warmUp, from: 2, to: 5 });
  await sleep(2000);
  const before = memoryOf(server.pids());

  let idle: Memory | undefined;
  let facts: OurFacts | undefined;
  let descriptors = { all: 0, onFile: 0 };
  let tcp = 0;
  let cpu = 0;
  const samples: Memory[] = [];
  const report = await runLoad(program, { port, classes: [slowClass, fastClass], ...window }, {
    connected: async () => {
      await sleep(2000);
      idle = memoryOf(server.pids());
    },
    counting: async () => {
      const start = performance.now();
      const used = cpuSecondsOf(server.pids());
      const seconds = window.to - window.from - 1;
      for (let times = 0; times < seconds; times++) {
        await sleep(1000);
        samples.push(memoryOf(server.pids()));
      }
      cpu = (cpuSecondsOf(server.pids()) - used) / ((performance.now() - start) / 1000);
      descriptors = await usualDescriptors(server);
      tcp = tcpBytes();
      facts = await server.facts();
    },
  });
  const [slow, fast] = report.classes;
  const parts = (bytes: readonly number[], rate: number, seconds: number): number[] =>
    bytes.map((count) => count / seconds / rate);
  const slowParts = spreadOf(parts(slow!.bytes, SLOW_RATE, report.seconds));
  const steady = middleOf(samples);
  return {
    version: server.version,
    before,
    idle: idle!,
    steady,
    peak: samples.reduce((most, each) => each.rssBytes > most.rssBytes ? each : most),
    idleGrowth: (idle!.rssBytes - before.rssBytes) / slowCount,
    growth: (steady.rssBytes - before.rssBytes) / slowCount,
    anonGrowth: (steady.anonBytes - before.anonBytes) / slowCount,
    fastAlone: parts(alone.classes[0]!.bytes, FAST_RATE, alone.seconds),
    fast: parts(fast!.bytes, FAST_RATE, report.seconds),
    fastWorstSecond: parts(fast!.worstSecondBytes, FAST_RATE, 1),
    fastSeconds: fast!.seconds.map((bytes) => Math.round(bytes / 1e6)),
    slowMin: slowParts.min,
    slowMedian: slowParts.median,
    errors: report.classes.map(({ errors }) => errors),
    descriptors,
    serverCpu: cpu,
    loadCpu: report.cpuSeconds / report.seconds,
    tcpBytes: tcp,
    facts,
  };
}

/** A request may open the file again before it finds that it has it open: the middle of some looks. */
async function usualDescriptors(server: ServerProcess): Promise<SlowResult["descriptors"]> {
  const looks: SlowResult["descriptors"][] = [];
  while (looks.length < 5) {
    looks.push(descriptorsOf(server.pids(), folder.bigFile));
    await sleep(20);
  }
  return looks.sort((a, b) => a.onFile - b.onFile)[2]!;
}

function middleOf(samples: readonly Memory[]): Memory {
  const sorted = [...samples].sort((a, b) => a.rssBytes - b.rssBytes);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function show(result: SlowResult): void {
  const { version, before, idle, steady, growth, bareGrowth, fast, descriptors, serverCpu } =
    result;
  const { min, median } = spreadOf(fast);
  console.log(row(
    version,
    ...[before, idle, steady].map(({ rssBytes }) => `${(rssBytes / 2 ** 20).toFixed(0)} MiB`),
    kib(growth),
    bareGrowth === undefined ? "" : kib(bareGrowth),
    ...[min, median].map((part) => part.toFixed(3)),
    String(descriptors.onFile),
    serverCpu.toFixed(2),
  ));
}

/** What a server misses of the goals. */
function faultsOf(result: SlowResult): string[] {
  const { version, fast, growth, bareGrowth, slowMin, descriptors, errors } = result;
  const faults: string[] = [];
  const { min } = spreadOf(fast);
  if (min < FAST_GOAL) faults.push(`${version}: a fast client has only ${min.toFixed(3)}`);
  const above = growth - (bareGrowth ?? growth);
  if (above > GROWTH_GOAL) faults.push(`${version}: ${kib(above)} above bare for each slow client`);
  if (descriptors.all >= DESCRIPTORS_GOAL) {
    faults.push(`${version}: ${descriptors.all} descriptors`);
  }
  // Who is not served costs nothing: the figures above are worth nothing then.
  if (slowMin < 0.9) faults.push(`${version}: a slow client has only ${slowMin.toFixed(3)}`);
  if (descriptors.onFile !== 1) faults.push(`${version}: ${descriptors.onFile} descriptors on it`);
  const wrong = errors.flatMap((each) => Object.entries(each)).filter(([, count]) => count > 0);
  if (wrong.length > 0) faults.push(`${version}: errors ${JSON.stringify(wrong)}`);
  return faults;
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

function row(...[name, ...columns]: string[]): string {
  return [name!.padEnd(14), ...columns.map((column) => column.padStart(10))].join("").trimEnd();
}
