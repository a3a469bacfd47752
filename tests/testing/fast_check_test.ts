// The kit beside another property runner: what docs/testing.md shows, with its words.
import * as fc from "fast-check";
import { SocketPool } from "../../src/core.ts";
import { memoryTransport, seededFaults, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";

test("a pool under fast-check, with the network and the clock of the kit", () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(fc.integer({ min: 1, max: 50 })),
      async (seed, waits) => {
        const clock = new VirtualClock();
        const faults = seededFaults({ seed, delay: 0.5 });
        const network = memoryTransport({ clock, faults });
        const listener = await network.listen();
        const pool = new SocketPool({
          transport: network,
          target: listener.address,
          clock,
          maxSize: 2,
        });
        for (const ms of waits) {
          void pool.use(() => {}).catch(() => {});
          await clock.advance(ms);
          if (network.openEnds > 4) throw new Error("more than two sockets");
        }
        await Promise.all([pool.close(), listener.close(), clock.advance(1000)]);
      },
    ),
    { numRuns: 30 },
  ));
