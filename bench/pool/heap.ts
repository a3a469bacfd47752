import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

interface BunCollector {
  gc(force: true): number;
}

const { Bun: bun } = globalThis as { Bun?: BunCollector };

const collect: () => void = bun === undefined ? exposed() : () => void bun.gc(true);

function exposed(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** What is alive on the heap, after everything else was collected. */
export function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
