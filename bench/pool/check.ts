import { type Load, SOCKETS } from "./cells.ts";
import { runLoad } from "./load.ts";
import type { Held, PoolSide } from "./side.ts";

const TASKS = 50;
const TURNS = 20;

/**
 * What every contender has to be equal in before it is timed: tasks all get a live socket, none is in
 * two hands, no more than ten exist, and the load loses none.
 */
export async function checkSide(name: string, side: PoolSide, load: Load): Promise<void> {
  const inHand = new Set<unknown>();
  const seen = new Set<unknown>();
  let lent = 0;
  let most = 0;
  const task = async () => {
    for (let turn = 0; turn < TURNS; turn++) {
      const held: Held = await side.lend();
      if (held.socket.state !== "open") throw fault(name, `a socket is ${held.socket.state}`);
      if (inHand.has(held.socket)) throw fault(name, "a socket is in two hands");
      inHand.add(held.socket);
      seen.add(held.socket);
      most = Math.max(most, inHand.size);
      lent++;
      await null;
      inHand.delete(held.socket);
      held.giveBack();
    }
  };
  await Promise.all(Array.from({ length: TASKS }, task));
  if (lent !== TASKS * TURNS) throw fault(name, `${lent} of ${TASKS * TURNS} were lent`);
  if (most !== SOCKETS) throw fault(name, `${most} of ${SOCKETS} were lent at once`);
  if (seen.size !== SOCKETS) throw fault(name, `${seen.size} sockets were made, not ${SOCKETS}`);
  // Only this one: one task in an async context makes every later await in Node dearer.
  await runLoad(side, load, 2_000);
  // Whoever lost one on the way has fewer than ten now, and this would never end.
  const all = await Promise.all(Array.from({ length: SOCKETS }, () => side.lend()));
  for (const held of all) held.giveBack();
}

function fault(name: string, what: string): Error {
  return new Error(`Cannot compare ${name}: ${what}`);
}
