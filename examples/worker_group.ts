// Two threads share the connections of one server. This file is the script of the threads, too.
import { systemTransport, WorkerGroup } from "../mod.ts";
import { serveRequests, serveSockets } from "../src/roots/worker.ts";

const transport = systemTransport();
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A line is a number; the answer is how many primes there are up to it. */
function answer(line: Uint8Array): Uint8Array {
  let primes = 0;
  for (let number = 2; number <= Number(decoder.decode(line)); number++) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor++;
    if (divisor * divisor > number) primes++;
  }
  return encoder.encode(`${primes}\n`);
}

async function main(): Promise<void> {
  const group = new WorkerGroup({ script: new URL(import.meta.url), threads: 2 });
  const listener = await transport.listen({ transferable: true });
  const clients = await Promise.all([1, 2, 3, 4].map(() => transport.connect(listener.address)));
  const canMove = transport.host.checkDescriptors?.() === undefined; // Node and Windows cannot.
  for (let count = 0; count < clients.length; count++) {
    const socket = await listener.accept();
    if (canMove) {
      await group.assign(socket);
    } else {
      const frame = (bytes: Uint8Array, seen: number) => bytes.indexOf(10, seen) + 1 || undefined;
      group.serveFramed(socket, { frame });
    }
  }
  const answers = await Promise.all(clients.map(async (client, index) => {
    await client.write(encoder.encode(`${(index + 1) * 1000}\n`));
    const buffer = new Uint8Array(16);
    return Number(decoder.decode(buffer.subarray(0, await client.read(buffer) ?? 0)));
  }));
  console.log("primes up to 1000, 2000, 3000 and 4000:", answers.join(", ")); // 168, 303, 430, 550
  await Promise.all([...clients.map((client) => client.close()), listener.close()]);
  await group.close();
}

if (transport.host.parent?.kind === "thread") {
  serveRequests(answer);
  serveSockets(async (socket, { ready }) => {
    const line = new Uint8Array(16);
    while (await ready()) {
      const count = await socket.read(line); // A whole line, for the clients here send no halves.
      if (count === null) return;
      await socket.write(answer(line.subarray(0, count)));
    }
    return socket;
  });
} else await main();
