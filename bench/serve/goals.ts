import { ratiosOf, type Spread, spreadOf } from "../support/statistics.ts";
import type { Cell } from "./cells.ts";
import { type Competitor, MEASURE, type ServeRuntime } from "./contenders.ts";
import type { Measured } from "./measure_cell.ts";
import type { SlowReaders } from "./slow_readers.ts";

/** All rounds of one cell with one server. */
export interface CellRuns {
  readonly cell: Cell;
  readonly server: Competitor;
  /** By round. */
  readonly rounds: readonly Measured[];
}

/** A ratio that should be reached, or an amount that should not be passed. */
export interface Goal {
  /** In words. */
  readonly name: string;
  readonly figure: Spread;
  /** Which way is better. */
  readonly better: "more" | "less";
  readonly atLeast: number;
  readonly aim: number;
  readonly verdict: "aim" | "ok" | "SHORT";
}

/** The most that a slow reader may cost above an idle connection of a bare program, in KiB. */
const SLOW_KIB = 2;

/** Two numbers: what is asked for, and what would be fine. */
type Wanted = readonly [atLeast: number, aim: number];

const REQUESTS: Readonly<Record<ServeRuntime, Wanted>> = { deno: [0.8, 0.9], bun: [1, 1.3] };
const REQUESTS_OF_OWN: Readonly<Record<ServeRuntime, Wanted>> = { deno: [3, 3.5], bun: [1.4, 2] };
const TLS: Readonly<Record<ServeRuntime, Readonly<Record<string, Wanted>>>> = {
  deno: { "tls-8x1m": [0.6, 1], "tls-1x1g": [1.3, 1.8] },
  bun: { "tls-8x1m": [1.5, 1.9], "tls-1x1g": [1.5, 1.9] },
};

/** All goals, as far as both sides were measured: the table of ratios in the design. */
export function goalsOf(runs: readonly CellRuns[], slow: readonly SlowReaders[]): Goal[] {
  const goals: Goal[] = [];
  for (const { cell, server, rounds } of runs) {
    if (server.ours === undefined || rounds.length === 0) continue;
    const { runtime } = server.ours;
    const against = (
      other: string,
      what: "perSecond" | "gbPerSecond" | "cpuPerGb",
      [atLeast, aim]: Wanted,
    ): void => {
      const theirs = runs.find((run) => run.cell === cell && run.server.name === other)?.rounds;
      if (theirs === undefined || theirs.length !== rounds.length) return;
      const of = (measured: readonly Measured[]): number[] => measured.map((each) => each[what]);
      const figure = spreadOf(ratiosOf(of(rounds), of(theirs)));
      const [better, label] = what === "cpuPerGb"
        ? ["less", ", CPU per GB"] as const
        : ["more", ""] as const;
      const name = `${cell.name}: ${server.name} against ${other}${label}`;
      goals.push({
        name,
        figure,
        better,
        atLeast,
        aim,
        verdict: judge(figure, better, atLeast, aim),
      });
    };
    if (cell.tls) {
      const wanted = TLS[runtime][cell.name];
      if (wanted !== undefined) against(MEASURE, "gbPerSecond", wanted);
    } else if (cell.kind === "bulk") {
      against(MEASURE, "gbPerSecond", [0.9, cell.name === "16x1m" ? 1.3 : 1.1]);
      against(MEASURE, "cpuPerGb", [1, 0.75]);
      against("deno-serve", "cpuPerGb", [0.5, 0.4]);
    } else if (cell.kind === "mixed") against(MEASURE, "perSecond", [2, 3]);
    else if (cell.name === "1k") {
      against(MEASURE, "perSecond", REQUESTS[runtime]);
      against(`${runtime}-serve`, "perSecond", REQUESTS_OF_OWN[runtime]);
    }
  }
  for (const { name, growthBytes, bareBytes } of slow) {
    if (bareBytes === undefined) continue;
    const figure = spreadOf([(growthBytes - bareBytes) / 1024]);
    goals.push({
      name: `slow: ${name}, KiB for each reader above idle`,
      figure,
      better: "less",
      atLeast: SLOW_KIB,
      aim: SLOW_KIB,
      verdict: judge(figure, "less", SLOW_KIB, SLOW_KIB),
    });
  }
  return goals;
}

function judge(
  { median }: Spread,
  better: Goal["better"],
  atLeast: number,
  aim: number,
): Goal["verdict"] {
  const reaches = (wanted: number): boolean =>
    better === "more" ? median >= wanted : median <= wanted;
  return reaches(aim) ? "aim" : reaches(atLeast) ? "ok" : "SHORT";
}
