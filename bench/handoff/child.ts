// Runs in each of the three runtimes: every cell on all sides, one right after the other, round
// after round. The parent gives `{"rounds":9,"count":300}` as the only argument and gets a `Report` as
// the last line.
import process from "node:process";
import type { CellReport, Report, SideName } from "./report.ts";
import { bareSide, ourSide, type Side } from "./sides.ts";

const { rounds, count } = JSON.parse(process.argv[2] ?? "{}") as { rounds: number; count: number };
const { bun, deno } = process.versions;
const ways = bun || deno ? ["process", "thread"] as const : ["process"] as const;
const cells: CellReport[] = [];

for (const way of ways) {
  const sides: Record<SideName, Side> = {
    ours: await ourSide(way),
    bare: await bareSide(way, false),
    answered: await bareSide(way, true),
  };
  for (const atOnce of [1, 16]) {
    const figures = (): { rates: number[]; latencies: number[] } => ({ rates: [], latencies: [] });
    const cell = { way, atOnce, ours: figures(), bare: figures(), answered: figures() };
    for (let round = 0; round <= rounds; round++) {
      const order: SideName[] = ["ours", "bare", "answered"];
      for (const key of round % 2 === 0 ? order : order.reverse()) {
        const { rate, latencies } = await measure(sides[key], atOnce);
        if (round === 0) continue; // The compilers were still at work.
        cell[key].rates.push(rate);
        cell[key].latencies.push(...latencies);
      }
    }
    cells.push(cell);
  }
  await Promise.all(Object.values(sides).map((side) => side.end()));
}
console.log(JSON.stringify({ version: version(), cells } satisfies Report));
process.exit(0);

/** Hand over `count` connections, so many at a time; each counts when its client has its answer. */
async function measure(
  side: Side,
  atOnce: number,
): Promise<{ rate: number; latencies: number[] }> {
  const connections = await side.connect(count);
  const latencies: number[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    const buffer = new Uint8Array(1);
    while (next < connections.length) {
      const { client, handOver } = connections[next++]!;
      const began = performance.now();
      const [got] = await Promise.all([client.read(buffer), handOver()]);
      latencies.push((performance.now() - began) * 1000);
      if (got !== 1) throw new Error("the answer is missing");
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: atOnce }, work));
  const rate = count / ((performance.now() - began) / 1000);
  await Promise.all(connections.map(({ client }) => client.close()));
  await new Promise((done) => setTimeout(done, 30)); // What was closed goes away.
  return { rate, latencies };
}

function version(): string {
  return bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${process.versions.node}`;
}
