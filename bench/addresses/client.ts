// Holds very many connections at once to one destination, from a few addresses of one table, and has
// every one of them carry bytes there and back.
import process from "node:process";
import { AddressTable, hostAddresses, type Socket, systemTransport } from "../../mod.ts";
import type { Plan, Report } from "./plan.ts";

const plan: Plan = JSON.parse(process.argv[2]!);
const target = { hostname: "127.0.0.1", port: plan.port };
const transport = systemTransport();
const table = new AddressTable({
  transport,
  source: hostAddresses(plan.addresses),
  ports: plan.ports,
});

// The compilers and their memory are none of the connections' business.
const first = await connectAll(500);
await echoAll(first);
await closeAll(first);
const rssBefore = await settledRss();

const start = performance.now();
const sockets = await connectAll(plan.connections);
const connectMs = performance.now() - start;
const rssIdle = await settledRss();
const echoStart = performance.now();
const echoed = await echoAll(sockets);
const echoMs = performance.now() - echoStart;
const rssEchoed = await settledRss();

const tuples = new Set(
  sockets.map(({ localAddress: { hostname, port } }) => `${hostname}:${port}`),
);
const perAddress: Record<string, number> = {};
for (const { localAddress: { hostname } } of sockets) {
  perAddress[hostname] = (perAddress[hostname] ?? 0) + 1;
}
const open = sockets.filter(({ state }) => state === "open").length;
console.log(JSON.stringify({ held: open })); // The parent asks the server now.
await new Promise((resolve) => process.stdin.once("data", resolve));
const closeStart = performance.now();
await closeAll(sockets);
const closeMs = performance.now() - closeStart;

const report: Report = {
  version: versionOf(),
  held: open,
  tuples: tuples.size,
  perAddress,
  echoed,
  connectMs,
  echoMs,
  closeMs,
  bytesPerConnection: (rssIdle - rssBefore) / sockets.length,
  bytesPerConnectionUsed: (rssEchoed - rssBefore) / sockets.length,
};
console.log(JSON.stringify(report));
process.exit(0);

async function connectAll(count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  await inParallel(count, 128, async () => void sockets.push(await table.connect(target)));
  return sockets;
}

/** Each connection carries bytes of its own; resolves to how many came back. */
async function echoAll(sockets: readonly Socket[]): Promise<number> {
  let echoed = 0;
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  await inParallel(sockets.length, 128, async (index) => {
    const socket = sockets[index]!;
    const text = `connection ${index} of ${sockets.length}`;
    await socket.write(encoder.encode(text));
    const buffer = new Uint8Array(64);
    let got = 0;
    while (got < text.length) {
      const count = await socket.read(buffer.subarray(got));
      if (count === null) return;
      got += count;
    }
    if (decoder.decode(buffer.subarray(0, got)) === text) echoed++;
  });
  return echoed;
}

async function closeAll(sockets: readonly Socket[]): Promise<void> {
  await inParallel(sockets.length, 128, (index) => sockets[index]!.close());
}

/** Run with each index, so many at a time. */
async function inParallel(
  count: number,
  width: number,
  run: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < count) await run(next++);
  }));
}

/** What the process has in memory, after what is garbage had the time to go. */
async function settledRss(): Promise<number> {
  const { gc, Bun } = globalThis as unknown as {
    readonly gc?: () => void;
    readonly Bun?: { gc(force: boolean): void };
  };
  for (let times = 0; times < 4; times++) {
    gc?.();
    Bun?.gc(true);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return process.memoryUsage().rss;
}

function versionOf(): string {
  const { deno, bun, node } = process.versions as Readonly<Record<string, string>>;
  return deno !== undefined ? `Deno ${deno}` : bun !== undefined ? `Bun ${bun}` : `Node ${node}`;
}
