import { type Spread, spreadOf } from "../support/statistics.ts";

/** The figures of one side in one cell. */
export interface SideReport {
  /** Handoffs per second, round by round. */
  readonly rates: readonly number[];
  /** Microseconds of single handoffs, over all rounds. */
  readonly latencies: readonly number[];
}

/** One cell: a way, and how many handoffs are on their way at once. */
export interface CellReport {
  readonly way: "process" | "thread";
  readonly atOnce: number;
  readonly ours: SideReport;
  readonly bare: SideReport;
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

/** The lines of a report. */
export function linesOf({ cells }: Report): Line[] {
  return cells.map(({ way, atOnce, ours, bare }) => {
    const ratio = spreadOf(ours.rates.map((rate, round) => rate / bare.rates[round]!));
    const isShort = ratio.median < LEAST_RATIO;
    const side = ({ rates, latencies }: SideReport) => {
      const sorted = [...latencies].sort((a, b) => a - b);
      const at = (part: number) => sorted[Math.min(sorted.length - 1, sorted.length * part | 0)]!;
      const rate = Math.round(spreadOf(rates).median);
      return `${rate} | ${at(0.5).toFixed(0)} / ${at(0.99).toFixed(0)}`;
    };
    const figures = `${side(ours)} | ${side(bare)}`;
    const words = `${ratio.median.toFixed(2)} (${ratio.lower.toFixed(2)}-${
      ratio.upper.toFixed(2)
    })`;
    const text = `| ${way} | ${atOnce} | ${figures} | ${words} | ${isShort ? "SHORT" : "ok"} |`;
    return { way, atOnce, ratio, isShort, text };
  });
}

/** The head of the table. */
export const HEAD: string = [
  "| way | at once | ours, per second | ours, µs median / p99 | bare, per second | bare, µs median / p99 | ratio (quartiles) | |",
  "| --- | --- | --- | --- | --- | --- | --- | --- |",
].join("\n");
