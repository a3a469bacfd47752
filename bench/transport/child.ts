// Runs in each of the three runtimes: every cell on both sides, one right after the other, round
// after round. The parent gives `{"rounds":9,"ms":400,"warmUpMs":1000}` as the only argument and gets a `Report` as
// the last line.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { isBun } from "../../src/adapters/bun/runtime.ts";
import { isDeno } from "../../src/adapters/deno/runtime.ts";
import { bunSide } from "./bun_side.ts";
import { type Cell, cells } from "./cells.ts";
import { denoSide } from "./deno_side.ts";
import { nodeSide } from "./node_side.ts";
import { ours } from "./ours.ts";
import type { Report } from "./report.ts";
import type { Side } from "./side.ts";

const { rounds, ms, warmUpMs, only } = JSON.parse(process.argv[2] ?? "{}") as {
  rounds: number;
  ms: number;
  warmUpMs: number;
  only?: string;
};
const us = ours();
const them = bare();
const wanted = ({ name }: Cell): boolean => only === undefined || name.includes(only);
const list = cells(ms).filter(wanted);
const warmUp = cells(warmUpMs).filter(wanted);
const report: Report = {
  version: version(),
  ours: us.name,
  theirs: them.name,
  cells: list.map(({ name, unit }) => ({ name, unit, ours: [], theirs: [] })),
};

for (let round = 0; round <= rounds; round++) {
  for (const [index, cell] of (round === 0 ? warmUp : list).entries()) {
    const figures = { ours: 0, theirs: 0 };
    const order = [["ours", us], ["theirs", them]] as [keyof typeof figures, Side][];
    if (round % 2 === 1) order.reverse();
    for (const [key, side] of order) {
      figures[key] = await cell.run(side);
      await sleep(10); // What was closed goes away.
    }
    if (round === 0) continue; // The compilers were still at work.
    report.cells[index]!.ours.push(figures.ours);
    report.cells[index]!.theirs.push(figures.theirs);
  }
}
console.log(JSON.stringify(report));
process.exit(0);

function bare(): Side {
  if (isBun()) return bunSide();
  if (isDeno()) return denoSide();
  return nodeSide();
}

function version(): string {
  const { bun, deno } = process.versions;
  return bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${process.versions.node}`;
}
