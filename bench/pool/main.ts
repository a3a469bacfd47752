import { fileURLToPath } from "node:url";
import { runChild, type Runtime } from "../support/child.ts";
import { ratiosOf, type Spread, spreadOf } from "../support/statistics.ts";
import { rateGoal, ratioGoal, verdict } from "./goals.ts";
import type { CellReport, MemoryReport, ScaleReport, SpeedReport, TripsReport } from "./report.ts";

/** How much is measured. */
export interface PoolBenchOptions {
  /** Rounds that count. */
  readonly rounds: number;
  /** Milliseconds for each contender of a cell in each round. */
  readonly ms: number;
  /** Fewer sizes. */
  readonly quick: boolean;
}

/** The outcome in one runtime. */
export interface PoolResult {
  /** Where. */
  readonly runtime: Runtime;
  /** The figures, round by round. */
  readonly speed: SpeedReport;
  /** Real round trips. */
  readonly trips: TripsReport;
  /** Costs by size. */
  readonly scale: ScaleReport;
  /** What is kept. */
  readonly memory: readonly MemoryReport[];
  /** The lines of the table of speeds. */
  readonly summary: readonly PoolSummary[];
}

/** One cell of the table of speeds. */
export interface PoolSummary {
  /** What was done. */
  readonly name: string;
  /** Who did it; the first one is ours. */
  readonly rows: readonly SummaryRow[];
}

/** A contender's line. */
export interface SummaryRow {
  /** Its name. */
  readonly name: string;
  /** Nanoseconds for each operation. */
  readonly ns: Spread;
  /** Our speed over its own, round by round; not in our own line. */
  readonly ratio?: Spread;
  /** Whether that is enough; empty where nothing is asked. */
  readonly verdict: string;
}

const LIMIT_MS = 150_000;

/** Measure the pools in one runtime. */
export async function benchPool(runtime: Runtime, options: PoolBenchOptions): Promise<PoolResult> {
  const { rounds, ms, quick } = options;
  const { version, cells } = await speedOf(runtime, { rounds, ms, inContext: false });
  const context = await speedOf(runtime, { rounds, ms, inContext: true });
  const speed = { version, cells: joined(cells, context.cells) };
  const trips = await runChild<TripsReport>(
    runtime,
    file("trips_child.ts"),
    { rounds: quick ? 3 : rounds, ms: quick ? 60 : 120 },
    LIMIT_MS,
  );
  const scale = await runChild<ScaleReport>(
    runtime,
    file("scale_child.ts"),
    { rounds: 3, ms: quick ? 5 : 15, quick },
    LIMIT_MS,
  );
  const memory = await runChild<MemoryReport[]>(
    runtime,
    file("memory_child.ts"),
    { count: quick ? 2_000 : 10_000 },
    LIMIT_MS,
  );
  const summary = speed.cells.map((cell) => summarize(runtime, cell));
  return { runtime, speed, trips, scale, memory, summary };
}

function speedOf(
  runtime: Runtime,
  options: { rounds: number; ms: number; inContext: boolean },
): Promise<SpeedReport> {
  return runChild<SpeedReport>(runtime, file("speed_child.ts"), options, LIMIT_MS);
}

/** The rows of cells with the same name one after the other, those in a context first. */
function joined(cells: readonly CellReport[], context: readonly CellReport[]): CellReport[] {
  return cells.map(({ name, contenders }) => {
    const first = context.find((cell) => cell.name === name)?.contenders ?? [];
    return { name, contenders: [...first, ...contenders] };
  });
}

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function summarize(runtime: Runtime, { name, contenders }: CellReport): PoolSummary {
  const ours = contenders[0]!;
  const rows = contenders.map((one): SummaryRow => {
    const ns = spreadOf(one.ns);
    if (one === ours) {
      return { name: one.name, ns, verdict: verdict(1e9 / ns.median, rateGoal(name)) };
    }
    const ratio = spreadOf(ratiosOf(one.ns, ours.ns));
    const goal = ratioGoal(runtime, name, one.name);
    return { name: one.name, ns, ratio, verdict: verdict(ratio.median, goal) };
  });
  return { name, rows };
}
