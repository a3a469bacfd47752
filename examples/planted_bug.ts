// A strategy with a planted bug, and the test kit that finds it: which seed, which steps, which rule.
import { type PoolCandidate, SocketPool, type StatefulStrategy } from "../mod.ts";
import { poolModel, property, PropertyError, strategyModel } from "../src/testing/mod.ts";

/** Chooses the socket that was given back last. */
function newest(hasBug: boolean): StatefulStrategy<PoolCandidate, unknown> {
  return {
    name: "newest",
    start() {
      const idle: PoolCandidate[] = [];
      return {
        pick: () => idle.at(-1),
        added: (socket) => void idle.push(socket),
        removed(socket) {
          // The bug: a socket that ends in the middle is not forgotten.
          if (!hasBug || idle.at(-1) === socket) idle.splice(idle.lastIndexOf(socket), 1);
        },
      };
    },
  };
}

/** What the kit finds within a thousand runs, or within a minute; it takes a second. */
async function find(body: Parameters<typeof property>[1]): Promise<PropertyError | undefined> {
  try {
    await property("newest keeps the rules", body, { runs: 1000, timeLimitMs: 60_000 });
  } catch (error) {
    if (error instanceof PropertyError) return error;
    throw error;
  }
}

// In a place that is made of nothing but dice:
const found = await find(strategyModel(() => newest(true)));
console.log("seed:", found?.seed); // 1
console.log("steps:", found?.steps.map(({ what }) => what).join(", ")); // b0 comes, b2 comes, b0 goes, b2 is chosen, b0 is chosen
console.log("rule:", (found?.cause as Error).message); // Strategy "newest": it chose b0, which is not available

// In a pool, with callers, a server that closes connections, and virtual time:
const pool = poolModel((materials) => new SocketPool({ ...materials, maxSize: 3 }), {
  strategy: () => newest(true),
});
console.log((await find(pool))?.message.split("\n").at(-1)); // Run it again with JACKFIELD_SEED=…

// And without the bug:
console.log("found:", await find(strategyModel(() => newest(false)))); // undefined
