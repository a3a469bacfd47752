import type { Contender } from "./contender_process.ts";
import { type Load, runBulk, runWrk } from "./bulk_load.ts";
import { BULK_BESIDE, type Cell } from "./cells.ts";
import { cpuSecondsOf, memoryOf } from "./process_facts.ts";

/** What one cell with one server gave in one round. */
export interface Measured {
  /** Answers per second. */
  readonly perSecond: number;
  /** Bytes per second, in GB; in a mixed cell those of the downloads. */
  readonly gbPerSecond: number;
  /** Processor seconds of the server, user and system. */
  readonly cpuSeconds: number;
  /** Of these for each GB. */
  readonly cpuPerGb: number;
  /** Of these for each answer, in microseconds; no figure where no answer came to its end. */
  readonly cpuUsPerAnswer: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Memory of the server afterwards, in MiB. */
  readonly rssMiB: number;
}

/** What loads take. */
export interface LoadTools {
  /** load.c, built. */
  readonly bulkProgram: string;
  /** See `WorkFolder.opensslConf`. */
  readonly opensslConf: string;
}

/**
 * Load a server for some seconds.
 *
 * @throws {Error} When an answer is wrong, so that nobody is fast by failing.
 */
export async function measureCell(
  { port, pids }: Contender,
  cell: Cell,
  seconds: number,
  tools: LoadTools,
): Promise<Measured> {
  const before = cpuSecondsOf(pids());
  const [load, beside] = await loadOf(cell, port, seconds, tools);
  const cpuSeconds = cpuSecondsOf(pids()) - before;
  if ((load.errors ?? 0) > 0) throw new Error(`${load.errors} answers or connections failed`);
  if (load.bytes === 0) throw new Error("it sent nothing");
  const bytes = beside === undefined ? load.bytes : beside.bytes;
  return {
    perSecond: load.answers / load.seconds,
    gbPerSecond: bytes / 1e9 / (beside ?? load).seconds,
    cpuSeconds,
    cpuPerGb: cpuSeconds / (bytes / 1e9),
    cpuUsPerAnswer: cpuSeconds * 1e6 / load.answers,
    p50Ms: load.p50Ms,
    p99Ms: load.p99Ms,
    rssMiB: memoryOf(pids()).rssBytes / 2 ** 20,
  };
}

/** The load that counts, and the downloads beside it. */
async function loadOf(
  { kind, file, connections, tls }: Cell,
  port: number,
  seconds: number,
  { bulkProgram, opensslConf }: LoadTools,
): Promise<[Load, Load?]> {
  const url = `${tls ? "https" : "http"}://127.0.0.1:${port}/${file}`;
  if (tls) return [await runWrk(url, connections, seconds, { OPENSSL_CONF: opensslConf })];
  switch (kind) {
    case "requests":
      return [await runWrk(url, connections, seconds)];
    case "bulk":
      return [await runBulk(bulkProgram, port, `/${file}`, connections, seconds * 1000)];
    case "mixed":
      return await Promise.all([
        runWrk(url, connections, seconds),
        runBulk(bulkProgram, port, "/1g.bin", BULK_BESIDE, seconds * 1000),
      ]);
  }
}
