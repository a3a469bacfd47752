// Runs in each of the three runtimes: what each contender keeps for one that waits, and for an idle
// socket. It has a process of its own, and forgets nothing: what is let go is collected some time
// later, and would be missing from somebody else's figure. The parent gives `{"count":10000}` as the
// only argument and gets a list of `MemoryReport` as the last line.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Socket } from "../../src/core.ts";
import { type Maker, MAKERS, SOCKETS } from "./cells.ts";
import { heapBytes } from "./heap.ts";
import { newSocket } from "./idle_sockets.ts";
import type { MemoryReport } from "./report.ts";

const { count } = JSON.parse(process.argv[2] ?? "{}") as { count: number };
const kept: unknown[] = [];
const reports: MemoryReport[] = [];
for (const [name, make] of MAKERS) {
  await once(make);
  reports.push({
    name,
    idleBytes: await idleBytes(make, count / 5),
    waiterBytes: await waiterBytes(make, count),
  });
}
console.log(JSON.stringify(reports));
process.exit(0);

/** What a contender needs only once is not counted. */
async function once(make: Maker): Promise<void> {
  const side = await make({ sockets: SOCKETS, connect: () => Promise.resolve(newSocket()) });
  kept.push(side, Array.from({ length: 2 * SOCKETS }, () => side.ask()));
}

/** Beyond the socket itself, which exists before. */
async function idleBytes(make: Maker, count: number): Promise<number> {
  const sockets: Socket[] = Array.from({ length: count }, newSocket);
  let next = 0;
  const connect = () => Promise.resolve(sockets[next++]!);
  const before = await settledBytes();
  kept.push(sockets, await make({ sockets: count, connect }));
  return (await settledBytes() - before) / count;
}

/** The promise that the caller got included. */
async function waiterBytes(make: Maker, count: number): Promise<number> {
  const connect = () => Promise.resolve(newSocket());
  const side = await make({ sockets: SOCKETS, connect });
  const asked: Promise<unknown>[] = new Array(SOCKETS + count).fill(undefined);
  kept.push(side, asked);
  const before = await settledBytes();
  for (let i = 0; i < asked.length; i++) asked[i] = side.ask();
  return (await settledBytes() - before) / count;
}

/** What is alive, once what is only used for a moment has been forgotten. */
async function settledBytes(): Promise<number> {
  heapBytes();
  await sleep(5);
  return heapBytes();
}
