// Shares: 100 equal clients, each with an address of its own and with 1 to 40 sockets, 2,002 in all.
// First the most that the server can send, then, with an overall limit of half of it, the bytes that
// every client gets from second 5 to 20. Jain's index of these is 1 when all are equal.
//
//   deno task bench:fair                    nginx, Deno, Bun and Node; about two minutes
//   deno task bench:fair --quick            shorter
//   deno task bench:fair --only deno,bun
//   deno task bench:fair --gate             status 1 when a goal is missed
//
// nginx knows no overall limit and no clients: each connection is limited to its part of the half.
// The figures go to bench/results/ as JSON, too.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { readArguments, saveResults } from "../support/command.ts";
import { describeMachine, readMachine } from "../support/machine.ts";
import { spreadOf } from "../support/statistics.ts";
import { jainsIndex } from "./fairness.ts";
import { buildLoadClient, type ClassReport, type LoadClass, runLoad } from "./load_client.ts";
import { startNginx } from "./nginx.ts";
import { cpuSecondsOf, memoryOf, tcpBytes } from "./process_facts.ts";
import { BIG_PATH, makeServedFolder } from "./served_folder.ts";
import { type ServerProcess, startOurs } from "./server_process.ts";

/** A server, with an overall limit or with none. */
type Start = (bytesPerSecond: number | undefined) => Promise<ServerProcess | undefined>;

/** What came of one load. */
interface Shares {
  readonly bytesPerSecond: number;
  readonly jain: number;
  /** Bytes of each client; the first one has one socket, the last one has forty. */
  readonly bytes: readonly number[];
  readonly errors: ClassReport["errors"];
  readonly serverCpu: number;
  readonly loadCpu: number;
  readonly rssBytes: number;
  readonly tcpBytes: number;
}

/** What came of one server. */
interface FairResult {
  readonly version: string;
  /** Without a limit. */
  readonly most: Shares;
  /** Bytes per second. */
  readonly limit: number;
  readonly limited: Shares;
}

const JAIN_GOAL = 0.99;
/** Of the limit: less would be no proof, as whoever sends little can be fair to all. */
const RATE_GOAL = 0.95;

const { only, gate, quick } = readArguments(
  process.argv.slice(2),
  { rounds: 1, ms: 0 },
  { rounds: 1, ms: 0 },
);
const CLIENTS: LoadClass = {
  name: "equal",
  path: BIG_PATH,
  clients: 100,
  sockets: "1-40",
  address: "127.0.1.1",
};
/** Of all clients; see `sockets_of` in slow.c. */
const SOCKETS = 2002;
const mostWindow = quick ? { from: 2, to: 4 } : { from: 3, to: 9 };
const window = quick ? { from: 3, to: 8 } : { from: 5, to: 20 };

const machine = readMachine();
const began = new Date();
console.log(`# ${CLIENTS.clients} equal clients with ${CLIENTS.sockets} sockets`);
console.log(`${describeMachine(machine)}\n`);
const program = buildLoadClient();
const folder = makeServedFolder();
const results: FairResult[] = [];
let failed = false;
console.log(row("", "free", "limit", "sent", "Jain", "least", "most", "CPU"));
try {
  await measureAndShow("nginx", (bytesPerSecond) =>
    startNginx({
      root: folder.root,
      bytesPerSecond: bytesPerSecond === undefined ? undefined : bytesPerSecond / SOCKETS,
    }));
  for (const runtime of only) {
    await measureAndShow(runtime, (maxBytesPerSecond) =>
      startOurs(runtime, {
        options: {
          root: folder.root,
          maxConnections: 4000,
          maxActive: 4000,
          maxBytesPerSecond,
        },
      }));
  }
} finally {
  folder.remove();
}
console.log(
  "\nmost, limit, sent: MB/s; least, most: of a client, as parts of the mean; CPU: of the",
);
console.log(`server, in cores. Goals: Jain ${JAIN_GOAL}, and ${RATE_GOAL} of the limit sent.`);
const short = results.filter(({ version }) => !version.startsWith("nginx")).flatMap(faultsOf);
for (const fault of short) console.log(`SHORT ${fault}`);
console.log(saveResults("fair", began, { machine, mostWindow, window, results }));
process.exit(failed || (gate && short.length > 0) ? 1 : 0);

async function measureAndShow(name: string, start: Start): Promise<void> {
  try {
    const most = await measure(await start(undefined), mostWindow);
    if (most === undefined) {
      console.log(`${name}: not installed`);
      return;
    }
    const limit = Math.floor(most.bytesPerSecond / 2);
    const limited = (await measure(await start(limit), window))!;
    const result: FairResult = { version: most.version, most, limit, limited };
    results.push(result);
    show(result);
  } catch (error) {
    failed = true;
    console.log(`${name}: ${(error as Error).message}`);
  }
}

async function measure(
  server: ServerProcess | undefined,
  time: { readonly from: number; readonly to: number },
): Promise<Shares & { readonly version: string } | undefined> {
  if (server === undefined) return undefined;
  try {
    let serverCpu = 0;
    let rssBytes = 0;
    let tcp = 0;
    const plan = { port: server.port, classes: [CLIENTS], ...time };
    const report = await runLoad(program, plan, {
      counting: async () => {
        const start = performance.now();
        const used = cpuSecondsOf(server.pids());
        await sleep(1000 * (time.to - time.from) - 500);
        serverCpu = (cpuSecondsOf(server.pids()) - used) / ((performance.now() - start) / 1000);
        rssBytes = memoryOf(server.pids()).rssBytes;
        tcp = tcpBytes();
      },
    });
    const { bytes, errors } = report.classes[0]!;
    return {
      version: server.version,
      bytesPerSecond: bytes.reduce((sum, count) => sum + count, 0) / report.seconds,
      jain: jainsIndex(bytes),
      bytes,
      errors,
      serverCpu,
      loadCpu: report.cpuSeconds / report.seconds,
      rssBytes,
      tcpBytes: tcp,
    };
  } finally {
    await server.end();
  }
}

function show({ version, most, limit, limited }: FairResult): void {
  const { min, max } = spreadOf(limited.bytes);
  const mean = limited.bytes.reduce((sum, count) => sum + count, 0) / limited.bytes.length;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  console.log(row(
    version,
    ...[most.bytesPerSecond, limit, limited.bytesPerSecond].map(megabytes),
    limited.jain.toFixed(4),
    ...[min, max].map((bytes) => (bytes / mean).toFixed(3)),
    limited.serverCpu.toFixed(2),
  ));
}

function faultsOf({ version, limit, limited: { jain, bytesPerSecond, errors } }: FairResult) {
  const faults: string[] = [];
  if (jain < JAIN_GOAL) faults.push(`${version}: Jain's index is ${jain.toFixed(4)}`);
  const part = bytesPerSecond / limit;
  if (part < RATE_GOAL || part > 1.02) {
    faults.push(`${version}: sent ${part.toFixed(3)} of the limit`);
  }
  const wrong = Object.entries(errors).filter(([, count]) => count > 0);
  if (wrong.length > 0) faults.push(`${version}: errors ${JSON.stringify(wrong)}`);
  return faults;
}

function row(...[name, ...columns]: string[]): string {
  return [name!.padEnd(14), ...columns.map((column) => column.padStart(9))].join("").trimEnd();
}
