import { fileURLToPath } from "node:url";
import { runChild, type Runtime } from "../support/child.ts";
import { ratiosOf, type Spread, spreadOf } from "../support/statistics.ts";
import type { CellReport, Report } from "./report.ts";

/** The ratio to reach, and the one to aim at. */
const AT_LEAST = 0.85;
const AIM = 0.95;

/** How much is measured. */
export interface TransportBenchOptions {
  /** Rounds that count; one more comes before them. */
  readonly rounds: number;
  /** Milliseconds for each load. */
  readonly ms: number;
}

/** The outcome in one runtime. */
export interface TransportResult extends Report {
  /** One for each cell of the report. */
  readonly summary: readonly Summary[];
}

/** One line of the table. */
export interface Summary {
  /** The cell. */
  readonly name: string;
  /** What the medians count. */
  readonly unit: string;
  /** The library. */
  readonly ours: Spread;
  /** The runtime's own API. */
  readonly theirs: Spread;
  /** Ours over theirs, round by round. */
  readonly ratio: Spread;
  /** Whether the median of the ratios is enough. */
  readonly ok: boolean;
}

/** Measure the transport in one runtime against the API that its adapter stands on. */
export async function benchTransport(
  runtime: Runtime,
  { rounds, ms }: TransportBenchOptions,
): Promise<TransportResult> {
  const file = fileURLToPath(new URL("./child.ts", import.meta.url));
  const expectedMs = (rounds + 1) * 12 * (ms + 100);
  const limitMs = 30_000 + 3 * expectedMs;
  const warmUpMs = Math.max(ms, 1000); // The compilers need some thousand connections.
  const report = await runChild<Report>(runtime, file, { rounds, ms, warmUpMs }, limitMs);
  return { ...report, summary: report.cells.map(summarize) };
}

function summarize({ name, unit, ours, theirs }: CellReport): Summary {
  const ratio = spreadOf(ratiosOf(ours, theirs));
  const ok = ratio.median >= AT_LEAST;
  return { name, unit, ours: spreadOf(ours), theirs: spreadOf(theirs), ratio, ok };
}

/** The table of one runtime, at most 80 columns wide. */
export function transportTable({ version, ours, theirs, summary }: TransportResult): string {
  const lines = [
    `## ${version}: ${ours} / ${theirs}`,
    "",
    row("median per second", "ours", "theirs", "ratio", "quartiles", ""),
    row("-".repeat(27), "-".repeat(8), "-".repeat(8), "-----", "---------", ""),
    ...summary.map(({ name, unit, ours, theirs, ratio, ok }) =>
      row(
        name,
        figure(ours.median, unit),
        figure(theirs.median, unit),
        ratio.median.toFixed(2),
        `${ratio.lower.toFixed(2)}-${ratio.upper.toFixed(2)}`,
        ratio.median >= AIM ? "ok" : ok ? "ok, below aim" : "SHORT",
      )
    ),
  ];
  return lines.join("\n");
}

/** What the table's last column means. */
export const TRANSPORT_LEGEND: string =
  `Ratio: ours over theirs in the same round, the median of all rounds.\n` +
  `ok: at least ${AT_LEAST}; the aim is ${AIM}. Client and server run in one process.`;

function figure(value: number, unit: string): string {
  return unit === "GB/s" ? `${value.toFixed(2)} GB` : `${value.toFixed(1)} k`;
}

function row(...[name, ours, theirs, ratio, quartiles, verdict]: string[]): string {
  return `${name!.padEnd(27)} ${ours!.padStart(8)} ${theirs!.padStart(8)} ` +
    `${ratio!.padStart(5)}  ${quartiles!.padEnd(9)}  ${verdict}`.trimEnd();
}
