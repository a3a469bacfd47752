import { type Spread, spreadOf } from "../support/statistics.ts";

/** The figures of one side in one cell. */
export interface SideReport {
  /** Handoffs per second, round by round. */
  readonly rates: readonly number[];
  /** Microseconds of single handoffs, over all rounds. */
  readonly latencies: readonly number[];
}

/** What is measured: ours, the bare primitive, and that with an answer. */
export type SideName = "ours" | "bare" | "answered";

/** One cell: a way, and how many handoffs are on their way at once. */
export interface CellReport extends Readonly<Record<SideName, SideReport>> {
  readonly way: "process" | "thread";
  readonly atOnce: number;
}

/** What a child prints. */
export interface Report {
  readonly version: string;
  readonly cells: readonly CellReport[];
}

/** What our rate has to be of the bare primitive's. */
export const LEAST_RATIO = 0.7;

/** One line of the table. */
export interface Line {
  readonly way: string;
  readonly atOnce: number;
  readonly ratio: Spread;
  readonly isShort: boolean;
  readonly text: string;
}

/** The lines of a report; only the ratio to the bare primitive is judged. */
export function linesOf({ cells }: Report): Line[] {
  return cells.map(({ way, atOnce, ours, bare, answered }) => {
    const ratio = ratioOf(ours, bare);
    const isShort = ratio.median < LEAST_RATIO;
    const figures = [ours, bare, answered].map(wordsOfSide).join(" | ");
    const ratios = `${wordsOfRatio(ratio)} | ${wordsOfRatio(ratioOf(ours, answered))}`;
    const text = `| ${way} | ${atOnce} | ${figures} | ${ratios} | ${isShort ? "SHORT" : "ok"} |`;
    return { way, atOnce, ratio, isShort, text };
  });
}

function ratioOf(ours: SideReport, other: SideReport): Spread {
  return spreadOf(ours.rates.map((rate, round) => rate / other.rates[round]!));
}

function wordsOfSide({ rates, latencies }: SideReport): string {
  const sorted = [...latencies].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, sorted.length * part | 0)]!;
  return `${Math.round(spreadOf(rates).median)}, ${at(0.5).toFixed(0)} / ${at(0.99).toFixed(0)}`;
}

function wordsOfRatio({ median, lower, upper }: Spread): string {
  return `${median.toFixed(2)} (${lower.toFixed(2)}-${upper.toFixed(2)})`;
}

/** The head of the table; of each side handoffs per second, and microseconds, median and 99th percentile. */
export const HEAD: string = [
  "| way | at once | ours, µs | bare, µs | bare with an answer, µs | ratio to bare | to bare with an answer | |",
  "| --- | --- | --- | --- | --- | --- | --- | --- |",
].join("\n");
