// A lease of a pool goes to another process and comes back: one connection, two tasks, two processes.
import { HandoffChannel, SocketPool, systemTransport } from "../mod.ts";

const transport = systemTransport();
const listener = await transport.listen({ port: 0 });
const service = (async () => {
  for await (const socket of listener) void socket.readable.pipeTo(socket.writable).catch(() => {});
})();
const pool = new SocketPool({ target: listener.address, maxSize: 1, transferable: true });
const url = new URL("scripts/lease_worker.ts", import.meta.url);
const worker = transport.host.processes!.start("lease worker", { url });
const answers: { heard: string; port: number }[] = [];
const channel = new HandoffChannel(worker, {
  onMessage: (message) => answers.push(message as { heard: string; port: number }),
});

await pool.use((lease) => lease.lend(channel, "hello")); // It is used there, and released there.
await pool.use(async ({ socket }) => { // Waits until it is here again.
  await socket.write(new TextEncoder().encode("and here"));
  const buffer = new Uint8Array(100);
  const count = await socket.read(buffer) ?? 0;
  console.log(new TextDecoder().decode(buffer.subarray(0, count))); // and here
  while (answers.length === 0) await new Promise((later) => setTimeout(later, 1));
  console.log(answers[0]!.heard, answers[0]!.port === socket.localAddress.port); // hello true
});
await pool.close();
await worker.terminate();
await listener.close();
await service;
