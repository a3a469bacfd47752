import { type Spread, spreadOf } from "../support/statistics.ts";
import type { PoolResult, PoolSummary } from "./main.ts";
import type { CurveReport, MemoryReport, TripsReport } from "./report.ts";

/** What the columns mean. */
export const POOL_LEGEND: string =
  "ours/it: our speed over its own in the same round, the median of all rounds.\n" +
  "All lend the same sockets, which have no connection; each was checked before it was timed.\n" +
  "bare stack: two arrays, without limits, lookups or leases. no context: in a process where\n" +
  "nothing has run in an async context, which makes every await in Node dearer.";

/** The tables of one runtime, at most 80 columns wide. */
export function poolTables({ speed, trips, scale, memory, summary }: PoolResult): string {
  return [
    `## ${speed.version}`,
    ...summary.map(cellTable),
    tripsTable(trips),
    curveTable("acquire + release, awaited, ns, half of the sockets leased", scale.sockets),
    curveTable("so many tasks on 10 sockets, ns for each acquire + release", scale.waiters),
    memoryTable(memory),
  ].join("\n\n");
}

function cellTable({ name, rows }: PoolSummary): string {
  return [
    row(name, "k ops/s", "ns", "ours/it", "quartiles", ""),
    rule(),
    ...rows.map(({ name, ns, ratio, verdict }) =>
      row(name, kilo(1e6 / ns.median), ns.median.toFixed(1), times(ratio), range(ratio), verdict)
    ),
  ].join("\n");
}

function tripsTable({ pool, generic, single }: TripsReport): string {
  const line = (name: string, figures: readonly number[]) => {
    const ratio = figures === pool
      ? undefined
      : spreadOf(figures.map((rate, round) => pool[round]! / rate));
    const { median } = spreadOf(figures);
    return row(name, kilo(median), "", times(ratio), range(ratio), "");
  };
  return [
    row("64 B there and back, 64 tasks", "k ops/s", "", "ours/it", "quartiles", ""),
    rule(),
    line("Jackfield, 10 sockets", pool),
    line("generic-pool, 10 sockets", generic),
    line("a socket for each request", single),
  ].join("\n");
}

function curveTable(title: string, curves: readonly CurveReport[]): string {
  const sizes = curves[0]!.points.map(({ size }) => size.toLocaleString("en"));
  const line = (name: string, figures: readonly string[]) =>
    name.padEnd(30) + figures.map((figure) => figure.padStart(10)).join("");
  return [
    title,
    line("", sizes),
    line("-".repeat(30), sizes.map(() => "-".repeat(8))),
    ...curves.map(({ name, points }) =>
      line(name, points.map(({ ns }) => ns === null ? "too slow" : ns.toFixed(0)))
    ),
  ].join("\n");
}

function memoryTable(memory: readonly MemoryReport[]): string {
  const line = (name: string, waiter: string, idle: string) =>
    `${name.padEnd(30)}${waiter.padStart(10)}${idle.padStart(14)}`;
  return [
    line("bytes on the heap", "waiter", "idle socket"),
    line("-".repeat(30), "-".repeat(8), "-".repeat(12)),
    ...memory.map(({ name, waiterBytes, idleBytes }) =>
      line(name, waiterBytes.toFixed(0), idleBytes.toFixed(0))
    ),
    "A waiter: its promise included. An idle socket: beyond the socket itself.",
  ].join("\n");
}

function kilo(rate: number): string {
  return rate >= 100 ? Math.round(rate).toLocaleString("en") : rate.toFixed(rate >= 10 ? 1 : 2);
}

function times(ratio: Spread | undefined): string {
  return ratio === undefined ? "" : short(ratio.median);
}

function range(ratio: Spread | undefined): string {
  return ratio === undefined ? "" : `${short(ratio.lower)}-${short(ratio.upper)}`;
}

/** Three digits say enough. */
function short(figure: number): string {
  return figure.toFixed(figure >= 100 ? 0 : figure >= 10 ? 1 : 2);
}

function rule(): string {
  return row("-".repeat(30), "-".repeat(8), "-".repeat(8), "-".repeat(7), "-".repeat(11), "");
}

function row(...[name, rate, ns, ratio, quartiles, verdict]: string[]): string {
  return `${name!.padEnd(30)} ${rate!.padStart(8)} ${ns!.padStart(8)} ${ratio!.padStart(7)}  ` +
    `${quartiles!.padEnd(11)} ${verdict}`.trimEnd();
}
