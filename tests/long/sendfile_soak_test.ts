// A million requests to a server with the sendfile engine, in a process of its own: on connections that
// stay and on new ones, for files of each size that goes another way. `JACKFIELD_REQUESTS` asks for
// another number.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { assert, assertEquals, assertLess } from "@std/assert";
import { runWrk } from "../../bench/serve/bulk_load.ts";
import { descriptorsOf } from "../../bench/serve/process_facts.ts";
import { type ServerProcess, startOurs } from "../../bench/serve/server_process.ts";
import { Folder } from "../download/tools.ts";
import { runtime, test } from "../harness.ts";
import { sleep } from "../transport/tools.ts";

const REQUESTS = Number(process.env.JACKFIELD_REQUESTS ?? 1_000_000);
const SECONDS = 3;
/** Allocators keep pages: what a million requests leave may not be a byte for each twenty of them. */
const RSS_GROWTH_BYTES = 48 * 2 ** 20;

/** What is asked for in turn, and over how many connections. */
const LOADS = [
  { file: "1k", connections: 32, fields: [] },
  { file: "1k", connections: 32, fields: ["Connection: close"] },
  { file: "48k", connections: 32, fields: [] },
  { file: "1m", connections: 16, fields: [] },
  { file: "3m", connections: 8, fields: [] },
  { file: "3m", connections: 8, fields: ["Connection: close"] },
] as const;

const skip = runtime === "node"
  ? "Node has no foreign functions"
  : spawnSync("wrk", ["-v"]).error !== undefined && "no wrk";

test(`sendfileEngine() leaves nothing behind after ${REQUESTS} requests`, {
  skip,
  timeoutMs: 1_500_000,
}, async () => {
  const folder = new Folder();
  for (const [name, bytes] of Object.entries({ "1k": 1024, "48k": 48 * 1024 })) {
    folder.fill(name, bytes);
  }
  folder.fill("1m", 2 ** 20);
  folder.fill("3m", 3 * 2 ** 20);
  await sleep(2500); // Files that are younger go the long way only.
  const server = await startOurs(runtime, {
    options: { root: folder.path },
    collect: true,
    engine: "sendfile",
  });
  const load = async (requests: number): Promise<number> => {
    let answers = 0;
    let before = 0;
    for (let round = 0; answers < requests; round++) {
      // Short answers make up the number: every other load is one of them.
      const { file, connections, fields } =
        LOADS[round % 2 === 0 ? 0 : (round >> 1) % LOADS.length]!;
      const url = `http://127.0.0.1:${server.port}/${file}`;
      const report = await runWrk(url, connections, SECONDS, {}, fields);
      assertEquals(report.errors ?? 0, 0, file);
      answers += report.answers;
      assert(answers > before, `no answer with ${file}`);
      before = answers;
    }
    return answers;
  };
  try {
    await load(REQUESTS / 5);
    const before = await settled(server);
    const answers = await load(REQUESTS);
    const after = await settled(server);
    for (
      const [when, { descriptors, memory, engine, errors }] of Object.entries({ before, after })
    ) {
      const rssMiB = (memory.rss / 2 ** 20).toFixed(1);
      console.log(`# ${runtime} ${when}: ${descriptors} descriptors, ${rssMiB} MiB RSS, ${engine}`);
      console.log(`# told: ${JSON.stringify(errors)}`);
    }
    console.log(`# ${answers} requests in between`);
    assertEquals(after.descriptors, before.descriptors);
    assertLess(after.memory.rss - before.memory.rss, RSS_GROWTH_BYTES, "RSS grew");
    // wrk leaves at the end of its time; a descriptor that is used too late would be told here, too.
    const codes = Object.keys(after.errors).filter((code) => !LEFT.includes(code));
    assertEquals(codes, []);
  } finally {
    await server.end();
    folder.remove();
  }
});

/** What clients cause by leaving in the middle of an answer. */
const LEFT: readonly string[] = ["SOCKET_RESET", "SOCKET_CLOSED"];

interface Settled {
  readonly descriptors: number;
  readonly memory: { readonly rss: number };
  readonly engine: string;
  readonly errors: Readonly<Record<string, number>>;
}

/** What there is when nobody is left, and what is kept for ten seconds was let go. */
async function settled(server: ServerProcess): Promise<Settled> {
  await sleep(21_000);
  for (let times = 0; times < 50; times++) {
    const { stats, memory, errors } = (await server.facts())!;
    if (stats.active === 0 && stats.connections === 0) {
      const descriptors = descriptorsOf(server.pids(), "").all;
      return { descriptors, memory, engine: `${stats.finished} finished`, errors };
    }
    await sleep(100);
  }
  throw new Error(`somebody stays: ${JSON.stringify(await server.facts())}`);
}
