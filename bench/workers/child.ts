// Units per second with one thread and with several, in the runtime that runs this; the clients are in
// its main thread.
import process from "node:process";
import type { Listener, Socket, SocketAddress } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { WorkerGroup } from "../../src/workers/mod.ts";
import { frame, stepsFor } from "./work.ts";

/** What is asked for. */
export interface Order {
  readonly rounds: number;
  readonly ms: number;
  readonly unitMs: number;
  readonly threads: number;
}

/** How the work comes to the threads. */
export type Way = "assign" | "serveFramed" | "listen";

/** What came of it: units per second of each round. */
export interface WayReport {
  readonly way: Way;
  readonly one: readonly number[];
  readonly several: readonly number[];
}

const CLIENTS = 16;
const order: Order = JSON.parse(process.argv[2]!);
const transport = systemTransport();
const script = new URL("./thread.ts", import.meta.url);
const unit = new TextEncoder().encode(`${stepsFor(order.unitMs)}\n`);

/** A group that serves everybody who connects to an address. */
async function open(way: Way, threads: number): Promise<{
  readonly address: SocketAddress;
  close(): Promise<void>;
}> {
  const group = new WorkerGroup({ transport, script, threads });
  if (way === "listen") {
    const address = await group.listen({ port: 0 });
    return { address, close: () => group.abort() };
  }
  const listener = await transport.listen({ transferable: way === "assign" });
  void accept(listener, group, way);
  return {
    address: listener.address,
    async close(): Promise<void> {
      await listener.close();
      await group.abort();
    },
  };
}

async function accept(listener: Listener, group: WorkerGroup, way: Way): Promise<void> {
  for await (const socket of listener) {
    if (way === "assign") await group.assign(socket);
    else group.serveFramed(socket, { frame }).catch(() => {}); // The clients leave in the middle.
  }
}

/** Units per second. */
async function measure(way: Way, threads: number): Promise<number> {
  const { address, close } = await open(way, threads);
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => transport.connect(address)),
  );
  for (const client of clients) await ask(client); // Everything is warm, and in its thread.
  const began = performance.now();
  const until = began + order.ms;
  const counts = await Promise.all(clients.map(async (client) => {
    let count = 0;
    for (; performance.now() < until; count++) await ask(client);
    return count;
  }));
  const seconds = (performance.now() - began) / 1000;
  for (const client of clients) client.abort();
  await close();
  return counts.reduce((sum, count) => sum + count, 0) / seconds;
}

const buffer = new Uint8Array(64);

async function ask(client: Socket): Promise<void> {
  await client.write(unit);
  while (true) {
    const count = await client.read(buffer);
    if (count === null) throw new Error("a client was cut off");
    if (buffer[count - 1] === 10) return;
  }
}

const canMove = transport.host.checkDescriptors?.() === undefined;
const ways: readonly Way[] = canMove
  ? ["assign", "serveFramed", "listen"]
  : ["serveFramed", "listen"];
const reports = ways.map((way) => ({ way, one: [] as number[], several: [] as number[] }));
for (let round = 0; round < order.rounds; round++) {
  for (const report of reports) {
    report.one.push(await measure(report.way, 1));
    report.several.push(await measure(report.way, order.threads));
  }
}
console.log(JSON.stringify(reports satisfies WayReport[]));
process.exit(0);
