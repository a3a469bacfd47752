// What is left of a server, in a process of its own, after 100,000 requests of clients good and bad:
// keep-alive and not, pipelined, HEAD, ranges, 404, malformed ones, resets in the middle of a body,
// clients that stall and leave. `JACKFIELD_REQUESTS` asks for another number.
import process from "node:process";
import { assert, assertEquals, assertLess } from "@std/assert";
import type { OurFacts } from "../../bench/serve/our_facts.ts";
import { descriptorsOf } from "../../bench/serve/process_facts.ts";
import { type ServerProcess, startOurs } from "../../bench/serve/server_process.ts";
import { Folder } from "../download/tools.ts";
import { sendRequestMix } from "../download/request_mix.ts";
import { runtime, test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { countDescriptors, sleep } from "../transport/tools.ts";

const REQUESTS = Number(process.env.JACKFIELD_REQUESTS ?? 100_000);
/** Compilers, caches and the allocators' first helpings are no leak. */
const WARM_UP = Math.min(40_000, REQUESTS);
/** Half of the smallest object for each request would be more. */
const HEAP_GROWTH_BYTES = 1.5 * 2 ** 20;
/** Allocators keep pages, and a runtime's own buffers come and go. */
const RSS_GROWTH_BYTES = 24 * 2 ** 20;

const skip = countDescriptors() === undefined && "no /proc";

test(`serveDownloads() has nothing left after ${REQUESTS} requests`, {
  skip,
  timeoutMs: 600_000,
}, () =>
  withSeeds([6], async (dice) => {
    const folder = new Folder();
    const files = {
      small: folder.write("small.txt", "a few bytes"),
      medium: folder.fill("medium.bin", 40_000),
      big: folder.fill("big.bin", 8 * 2 ** 20),
    };
    const server = await startOurs(runtime, { options: { root: folder.path }, collect: true });
    try {
      const { port } = server;
      await sendRequestMix({ port, files, dice, requests: WARM_UP });
      const before = await settled(server);
      const startMs = performance.now();
      const report = await sendRequestMix({ port, files, dice, requests: REQUESTS });
      const seconds = (performance.now() - startMs) / 1000;
      const after = await settled(server);
      tell(`${report.requests} requests, ${report.connections} connections in`, seconds, "s");
      tell("answers", report.statuses, "clients", report.kinds);
      tell("before", before);
      tell("after", after);
      assert(report.requests >= REQUESTS);
      assertEquals(after.descriptors, before.descriptors);
      assertEquals(after.facts.resources, before.facts.resources);
      const grown = (name: "rss" | "heapUsed"): number =>
        after.facts.memory[name] - before.facts.memory[name];
      assertLess(grown("heapUsed"), HEAP_GROWTH_BYTES, "the heap grew");
      assertLess(grown("rss"), RSS_GROWTH_BYTES, "RSS grew");
    } finally {
      await server.end();
      folder.remove();
    }
  }));

/** What the server says when nobody is left. */
async function settled(
  server: ServerProcess,
): Promise<{ readonly facts: OurFacts; readonly descriptors: number }> {
  for (let times = 0; times < 100; times++) {
    const facts = (await server.facts())!;
    const { active, queued, connections } = facts.stats;
    if (active === 0 && queued === 0 && connections === 0) {
      const descriptors = descriptorsOf(server.pids(), "").all;
      return { facts, descriptors };
    }
    await sleep(100);
  }
  throw new Error(`somebody stays: ${JSON.stringify(await server.facts())}`);
}

function tell(...what: unknown[]): void {
  console.log("#", ...what.map((each) => typeof each === "string" ? each : JSON.stringify(each)));
}
