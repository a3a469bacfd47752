import { ratiosOf, spreadOf } from "../support/statistics.ts";
import { MEASURE } from "./contenders.ts";
import type { CellRuns, Goal } from "./goals.ts";
import type { Measured } from "./measure_cell.ts";
import type { SlowReaders } from "./slow_readers.ts";

/** The tables of all cells, at most 92 columns wide. */
export function cellTables(runs: readonly CellRuns[]): string {
  const lines: string[] = [];
  for (const cell of new Set(runs.map((run) => run.cell))) {
    const ofCell = runs.filter((run) => run.cell === cell && run.rounds.length > 0);
    const isBulk = cell.kind === "bulk";
    const what = isBulk ? "gbPerSecond" : "perSecond";
    const [rate, cpu] = isBulk ? ["GB/s", "CPU s/GB"] : ["answers/s", "CPU us"];
    lines.push("", `## ${cell.title}`, "");
    lines.push(
      row("server", rate, "quartiles", "x nginx", "quartiles", cpu, "p50 ms", "p99 ms", "MiB"),
    );
    const measure = ofCell.find(({ server }) => server.name === MEASURE)?.rounds;
    for (const { server, rounds } of ofCell) {
      const of = (name: keyof Measured, from = rounds): number[] => from.map((each) => each[name]);
      const figure = spreadOf(of(what));
      const ratio = measure === undefined
        ? undefined
        : spreadOf(ratiosOf(of(what), of(what, measure)));
      const show = isBulk
        ? (value: number) => value.toFixed(2)
        : (value: number) => value.toFixed(0);
      const spent = cell.kind === "bulk" ? "cpuPerGb" : "cpuUsPerAnswer";
      lines.push(row(
        server.name,
        show(figure.median),
        `${show(figure.lower)}-${show(figure.upper)}`,
        ratio?.median.toFixed(2) ?? "",
        ratio === undefined ? "" : `${ratio.lower.toFixed(2)}-${ratio.upper.toFixed(2)}`,
        // Beside downloads most of the processor's time is theirs.
        cell.kind === "mixed" ? "" : spreadOf(of(spent)).median.toFixed(isBulk ? 3 : 1),
        time(spreadOf(of("p50Ms")).median),
        time(spreadOf(of("p99Ms")).median),
        spreadOf(of("rssMiB")).median.toFixed(0),
      ));
    }
    if (cell.kind === "mixed") lines.push("", besideLine(ofCell));
  }
  return lines.join("\n");
}

/** The table of slow readers. */
export function slowTable(slow: readonly SlowReaders[]): string {
  if (slow.length === 0) return "";
  const lines = ["", `## ${slow[0]!.readers} slow readers, KiB of RSS for each`, ""];
  const kib = (bytes: number): string => (bytes / 1024).toFixed(1);
  lines.push(slowRow("server", "before, MiB", "each", "bare, idle", "above"));
  for (const { name, beforeMiB, growthBytes, bareBytes } of slow) {
    const bare = bareBytes === undefined
      ? ["", ""]
      : [kib(bareBytes), kib(growthBytes - bareBytes)];
    lines.push(slowRow(name, beforeMiB.toFixed(0), kib(growthBytes), ...bare));
  }
  return lines.join("\n");
}

/** The goals in lines. */
export function goalLines(goals: readonly Goal[]): string {
  return goals.map(({ name, figure, better, atLeast, aim, verdict }) => {
    const { lower, median, upper } = figure;
    const spread = `(${lower.toFixed(2)}-${upper.toFixed(2)})`;
    const wanted = `${better === "more" ? "at least" : "at most"} ${atLeast}, aim ${aim}`;
    return `${name.padEnd(51)} ${median.toFixed(2).padStart(5)} ${
      spread.padEnd(14)
    } ${wanted}: ${verdict}`;
  }).join("\n");
}

/** What the downloads of a mixed cell got meanwhile: requests must not live at their cost. */
function besideLine(runs: readonly CellRuns[]): string {
  const rates = runs.map(({ server, rounds }) =>
    `${server.name} ${spreadOf(rounds.map((each) => each.gbPerSecond)).median.toFixed(2)}`
  );
  const lines = ["The downloads meanwhile, GB/s:"];
  for (const rate of rates) {
    if (lines.at(-1)!.length + rate.length > 88) lines.push(" ");
    lines[lines.length - 1] += ` ${rate};`;
  }
  return lines.join("\n");
}

function time(ms: number): string {
  return ms <= 0 ? "" : ms < 1 ? ms.toFixed(3) : ms.toFixed(1);
}

function row(...[server, rate, spread, ratio, ratioSpread, cpu, p50, p99, rss]: string[]): string {
  return `${server!.padEnd(14)} ${rate!.padStart(9)} ${spread!.padStart(13)} ${
    ratio!.padStart(8)
  } ` +
    `${ratioSpread!.padStart(10)} ${cpu!.padStart(9)} ${p50!.padStart(8)} ${p99!.padStart(8)} ` +
    rss!.padStart(5);
}

function slowRow(...[server, before, each, bare, above]: string[]): string {
  return `${server!.padEnd(14)} ${before!.padStart(12)} ${each!.padStart(8)} ${
    bare!.padStart(11)
  } ` +
    above!.padStart(7);
}
