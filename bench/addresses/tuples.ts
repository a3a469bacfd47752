// A million connections at once on 16 addresses, over the network in memory: each has its own tuple of
// local address, local port and destination, and every thousandth one echoes.
//   deno run -A --v8-flags=--max-old-space-size=16000 bench/addresses/tuples.ts
//   bun bench/addresses/tuples.ts 200000
import process from "node:process";
import { AddressTable, hostAddresses } from "../../src/core.ts";
import type { Socket } from "../../src/core.ts";
import { memoryTransport } from "../../src/testing/mod.ts";

const COUNT = Number(process.argv[2] ?? 1_000_000);
const ADDRESSES = 16;
const DESTINATIONS = 4;

const transport = memoryTransport();
const listeners = await Promise.all(
  Array.from({ length: DESTINATIONS }, () => transport.listen({ maxPending: Infinity })),
);
const accepted: Socket[] = [];
for (const listener of listeners) {
  void (async () => {
    for await (const socket of listener) accepted.push(socket);
  })();
}
const addresses = new AddressTable({
  transport,
  source: hostAddresses([`127.0.1.1-127.0.1.${ADDRESSES}`]),
  ports: { from: 1024, to: 65_535 },
  maxDescriptors: COUNT,
});

const began = performance.now();
const sockets: Socket[] = [];
const tuples = new Set<string>();
while (sockets.length < COUNT) {
  const batch = Math.min(1000, COUNT - sockets.length);
  const opened = await Promise.all(
    Array.from(
      { length: batch },
      (_, at) => addresses.connect(listeners[at % DESTINATIONS]!.address),
    ),
  );
  for (const socket of opened) {
    const { localAddress, remoteAddress } = socket;
    tuples.add(`${localAddress.hostname} ${localAddress.port} ${remoteAddress.port}`);
    sockets.push(socket);
  }
}
const seconds = (performance.now() - began) / 1000;
while (accepted.length < COUNT) await new Promise((resolve) => setTimeout(resolve, 1));
const byEnd = new Map(accepted.map((socket) => [
  `${socket.remoteAddress.hostname} ${socket.remoteAddress.port} ${socket.localAddress.port}`,
  socket,
]));
let echoed = 0;
for (let at = 0; at < COUNT; at += 1000) {
  const near = sockets[at]!;
  const { localAddress, remoteAddress } = near;
  const far = byEnd.get(`${localAddress.hostname} ${localAddress.port} ${remoteAddress.port}`)!;
  await near.write(new Uint8Array([at & 255]));
  const into = new Uint8Array(1);
  await far.read(into);
  await far.write(into);
  if (await near.read(into) === 1 && into[0] === (at & 255)) echoed++;
}
const { rss } = process.memoryUsage();
console.log(
  `${sockets.length} connections at once on ${ADDRESSES} addresses to ${DESTINATIONS} destinations`,
);
console.log(`${tuples.size} different tuples, ${echoed} of ${Math.ceil(COUNT / 1000)} echoed`);
console.log(
  `${seconds.toFixed(1)} s, ${(rss / COUNT / 1024).toFixed(1)} KiB resident each, both ends`,
);
if (tuples.size !== COUNT || echoed !== Math.ceil(COUNT / 1000)) process.exitCode = 1;
process.exit();
