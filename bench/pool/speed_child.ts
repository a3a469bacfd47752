// Runs in each of the three runtimes: every load with every contender, one right after the other,
// round after round. The parent gives `{"rounds":15,"ms":30,"inContext":false}` as the only argument
// and gets a `SpeedReport` as the last line.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cell, cells, type Contender, contextCells, type Load, TASKS } from "./cells.ts";
import { checkSide } from "./check.ts";
import { runLoad } from "./load.ts";
import type { ContenderReport, SpeedReport } from "./report.ts";
import type { PoolSide } from "./side.ts";
import { version } from "./version.ts";

interface Lane {
  readonly report: ContenderReport;
  readonly load: Load;
  readonly side: PoolSide;
  /** How many operations take about `ms`. */
  count: number;
}

const { rounds, ms, inContext } = JSON.parse(process.argv[2] ?? "{}") as {
  rounds: number;
  ms: number;
  /** The loads that use the runtime's async context, or the others. */
  inContext: boolean;
};

const lanes: Lane[][] = [];
const measured: { name: string; contenders: ContenderReport[] }[] = [];
const list = inContext ? contextCells() : cells();
for (const cell of list) {
  const reports: ContenderReport[] = [];
  const row: Lane[] = [];
  for (const contender of cell.contenders) {
    const lane = await makeLane(cell, contender);
    reports.push(lane.report);
    row.push(lane);
  }
  lanes.push(row);
  measured.push({ name: cell.name, contenders: reports });
}
for (const row of lanes) for (const lane of row) await warmUp(lane);

for (let round = 0; round < rounds; round++) {
  for (const row of lanes) {
    for (let at = 0; at < row.length; at++) {
      // Each goes first in its turn, so that nobody always inherits another one's garbage.
      const lane = row[(at + round) % row.length]!;
      lane.report.ns.push(await time(lane) * 1e6 / lane.count);
      await sleep(1); // What was left for later is done before the next one's turn.
    }
  }
}
for (const { name, beside } of list) {
  if (beside === undefined) continue;
  const from = measured.find((cell) => cell.name === beside.cell)?.contenders ?? [];
  const guests = from.filter(({ name }) => beside.names.includes(name));
  const reports = measured.find((cell) => cell.name === name)!.contenders;
  reports.push(...guests.map(({ name, ns }) => ({ name: `${name}, ${beside.note}`, ns })));
}
const report: SpeedReport = { version: version(), cells: measured };
console.log(JSON.stringify(report));
process.exit(0);

async function makeLane({ load }: Cell, contender: Contender): Promise<Lane> {
  const side = await contender.make();
  await checkSide(contender.name, side, load);
  return { report: { name: contender.name, ns: [] }, load, side, count: 2 * TASKS };
}

/** Find how many take `ms`; the compilers have seen enough of it by then. */
async function warmUp(lane: Lane): Promise<void> {
  while (await time(lane) < ms / 4) lane.count *= 2;
  for (let i = 0; i < 3; i++) await time(lane);
  const count = Math.round(lane.count * ms / await time(lane));
  lane.count = Math.max(count, 2 * TASKS);
}

async function time({ load, side, count }: Lane): Promise<number> {
  const start = performance.now();
  await runLoad(side, load, count);
  return performance.now() - start;
}
