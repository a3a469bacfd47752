// A quick look at the pool with `deno bench -A`: each group against its baseline. `deno task
// bench:pool` measures all three runtimes and more loads, with more care.
import { SocketPool } from "../src/core.ts";
import { genericPoolSide } from "./pool/generic_pool_side.ts";
import { checkSide } from "./pool/check.ts";
import { SOCKETS, TASKS } from "./pool/cells.ts";
import { idleTransport, newSocket, TARGET } from "./pool/idle_sockets.ts";
import { jackfieldSide } from "./pool/jackfield_side.ts";
import type { PoolSide } from "./pool/side.ts";
import { stackSide } from "./pool/stack_side.ts";

const connect = () => Promise.resolve(newSocket());
const sides: Record<string, PoolSide> = {
  "bare stack": await stackSide({ sockets: SOCKETS, connect }),
  "generic-pool": await genericPoolSide({ sockets: SOCKETS, connect }),
  SocketPool: await jackfieldSide({ sockets: SOCKETS, connect }),
};
for (const [name, side] of Object.entries(sides)) await checkSide(name, side, "contended");

// What is awaited here is an async function in each case: Deno does not await any other.
for (const [name, side] of Object.entries(sides)) {
  const options = { group: "acquire + release, 1,000 times", baseline: name === "generic-pool" };
  Deno.bench(name, options, async () => await side.awaited(1000));
}

for (const [name, side] of Object.entries(sides)) {
  const options = { group: "1,000 tasks on 10 sockets", baseline: name === "generic-pool" };
  Deno.bench(name, options, async () => await side.contended(TASKS, 2 * TASKS));
}

const pool = new SocketPool({ transport: idleTransport(connect), target: TARGET });
(await pool.acquire()).release();
Deno.bench("acquire, await", { group: "one at a time", baseline: true }, async () => {
  (await pool.acquire()).release();
});
Deno.bench("tryAcquire", { group: "one at a time" }, () => {
  pool.tryAcquire()!.release();
});
