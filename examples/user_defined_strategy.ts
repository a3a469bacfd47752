// A strategy is a plain function: this one prefers the socket that was leased least often.
import { SocketPool, systemTransport } from "../mod.ts";

const listener = await systemTransport().listen({ port: 0 });
const pool = new SocketPool({
  target: listener.address,
  maxSize: 3,
  strategy: (candidates) =>
    candidates.reduce((best, candidate) => candidate.leases < best.leases ? candidate : best),
});

const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
for (const lease of leases) lease.release();

const counts = new Map<number, number>();
for (let task = 0; task < 30; task++) {
  await pool.use(({ socket }) => {
    const { port } = socket.localAddress;
    counts.set(port, (counts.get(port) ?? 0) + 1);
  });
}
console.log("tasks per socket:", [...counts.values()].join(", ")); // 10, 10, 10

await pool.close();
await listener.close();
