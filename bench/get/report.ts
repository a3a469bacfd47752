import { ratiosOf, type Spread, spreadOf } from "../support/statistics.ts";

/** One program at one number of connections: a figure for each round. */
export interface CellRuns {
  /** Such as `limited, 8 sockets`. */
  readonly cell: string;
  /** Which program. */
  readonly program: string;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Seconds from the first request to the end. */
  readonly fetchS: number[];
  /** Seconds from the start of the process to its end. */
  readonly wallS: number[];
  /** Seconds of the processor, without what starting takes. */
  readonly cpuS: number[];
}

/** A ratio that should be reached. */
export interface Goal {
  /** In words. */
  readonly name: string;
  /** What it is now, round by round; more is better. */
  readonly ratio: Spread;
  /** The least. */
  readonly atLeast: number;
  /** Whether the median reaches it. */
  readonly ok: boolean;
}

/** The table of all cells, at most 80 columns wide. */
export function getTable(runs: readonly CellRuns[]): string {
  const lines: string[] = [];
  let last = "";
  for (const { cell, program, bytes, fetchS, wallS, cpuS } of runs) {
    if (cell !== last) {
      lines.push(
        "",
        `## ${cell}`,
        "",
        row("program", "seconds", "quartiles", "MB/s", "with start", "CPU s/GB"),
      );
      last = cell;
    }
    const fetched = spreadOf(fetchS);
    lines.push(row(
      program,
      fetched.median.toFixed(2),
      `${fetched.lower.toFixed(2)}-${fetched.upper.toFixed(2)}`,
      (bytes / 1e6 / fetched.median).toFixed(0),
      spreadOf(wallS).median.toFixed(2),
      (spreadOf(cpuS).median / (bytes / 1e9)).toFixed(2),
    ));
  }
  return lines.join("\n");
}

function row(...[program, seconds, quartiles, rate, wall, cpu]: string[]): string {
  return `${program!.padEnd(16)} ${seconds!.padStart(8)} ${quartiles!.padStart(13)} ` +
    `${rate!.padStart(7)} ${wall!.padStart(11)} ${cpu!.padStart(10)}`;
}

/** The ratios to reach: those of the table in the design, and to be ahead of axel everywhere. */
export function goalsOf(runs: readonly CellRuns[]): Goal[] {
  const goals: Goal[] = [];
  const find = (cell: string, program: string) =>
    runs.find((run) => run.cell === cell && run.program === program);
  const add = (
    name: string,
    theirs: readonly number[] | undefined,
    ours: readonly number[],
    atLeast: number,
  ) => {
    if (theirs === undefined || theirs.length === 0) return;
    const ratio = spreadOf(ratiosOf(theirs, ours));
    goals.push({ name, ratio, atLeast, ok: ratio.median >= atLeast });
  };
  for (const run of runs) {
    const { cell, program, fetchS, cpuS } = run;
    if (program !== "deno" && program !== "bun") continue;
    const name = (other: string) => `${program} against ${other}, ${cell}`;
    if (cell === "unlimited, 4 sockets") {
      const curl = find("unlimited, 1 socket", "curl");
      add(name("curl (1 socket)"), curl?.fetchS, fetchS, 1.1);
      add(name("aria2c"), find(cell, "aria2c")?.fetchS, fetchS, 1.4);
      add(name("curl, CPU per GB"), curl?.cpuS, cpuS, 1 / 0.9);
    } else if (cell.startsWith("limited") && cell !== "limited, 1 socket") {
      add(name("aria2c"), find(cell, "aria2c")?.fetchS, fetchS, 1);
    }
    add(name("axel"), find(cell, "axel")?.fetchS, fetchS, 1);
  }
  return goals;
}

/** The goals in lines. */
export function goalLines(goals: readonly Goal[]): string {
  return goals.map(({ name, ratio, atLeast, ok }) =>
    `${name.padEnd(52)} ${ratio.median.toFixed(2)} (${ratio.lower.toFixed(2)}-${
      ratio.upper.toFixed(2)
    }), at least ${atLeast.toFixed(2)}: ${ok ? "ok" : "SHORT"}`
  ).join("\n");
}
