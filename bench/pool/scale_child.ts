// Runs in each of the three runtimes: what one acquire and release costs as sockets and waiters get
// more. The parent gives `{"rounds":3,"ms":15,"quick":false}` as the only argument and gets a
// `ScaleReport` as the last line.
import process from "node:process";
import { JACKFIELD, MAKERS } from "./cells.ts";
import { Curves } from "./curves.ts";
import type { ScaleReport } from "./report.ts";

const { rounds, ms, quick } = JSON.parse(process.argv[2] ?? "{}") as {
  rounds: number;
  ms: number;
  quick: boolean;
};

const curves = new Curves(MAKERS, JACKFIELD, { rounds, ms });
await curves.warmUp();
const report: ScaleReport = {
  sockets: await curves.sockets(quick ? [10, 1_000] : [10, 100, 1_000, 10_000]),
  waiters: await curves.waiters(quick ? [1_000, 10_000] : [1_000, 10_000, 50_000]),
};
console.log(JSON.stringify(report));
process.exit(0);
