// The thread of an engine: what happens before it is there, and after its end.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import type { DownloadEngine } from "../../src/core.ts";
import type { Owners, StartedOwner } from "../../src/transport/mod.ts";
import { systemWorkers } from "../../src/adapters/shared/system_workers.ts";
import { HybridSender } from "../../src/native/hybrid_sender.ts";
import type { Libc } from "../../src/native/libc.ts";
import { MainSender } from "../../src/native/main_sender.ts";
import { PageCache } from "../../src/native/page_cache.ts";
import {
  COLD,
  JobGiver,
  type JobResult,
  JobTaker,
  newRing,
  NO_DESCRIPTOR,
} from "../../src/native/send_ring.ts";
import { sendfileEngine } from "../../src/native/mod.ts";
import { libcOrReason } from "../../src/native/supported.ts";
import { serveDownloads } from "../../mod.ts";
import { test } from "../harness.ts";
import { eventually, rejection, sleep } from "../transport/tools.ts";
import { Folder, serving } from "../download/tools.ts";

const { name, reason } = sendfileEngine();
const skip = name === "copy" && reason!;
const found = libcOrReason() as Libc;
/** More than kernels hold for a connection. */
const SIZE = 12 * 2 ** 20;

test("JobGiver and JobTaker pass every job and result on once, as often as the ring goes round", async () => {
  const words = newRing();
  const results: (readonly [slot: number, sent: number, errno: number])[] = [];
  const giver = new JobGiver(words, (slot, { sent, errno }) => results.push([slot, sent, errno]));
  const taker = new JobTaker(words);
  const expected: (readonly [slot: number, sent: number, errno: number])[] = [];
  const seen: number[] = [];
  // The last job of each round ends the taker, so that both ends can be in one thread.
  for (let round = 0; round < 50; round++) {
    for (let slot = 0; slot < 5; slot++) {
      const offset = round * 2 ** 33 + slot;
      giver.give(slot, { to: slot, from: 7, offset, length: 1000 + slot });
      expected.push([slot, 1000 + slot, round % 2 === 0 ? 0 : COLD]);
    }
    giver.give(5, { to: NO_DESCRIPTOR, from: 0, offset: 0, length: 0 });
    expected.push([5, 0, 0]);
    const result: JobResult = { sent: 0, errno: 0 };
    taker.run((job) => {
      seen.push(job.offset);
      result.sent = job.length;
      result.errno = round % 2 === 0 ? 0 : COLD;
      return result;
    });
    giver.take();
  }
  await Promise.resolve();
  assertEquals(results, expected);
  assertEquals(seen.slice(5, 10), [0, 1, 2, 3, 4].map((slot) => 2 ** 33 + slot));
});

test("JobGiver.withdraw() takes back what was not begun, and the other end leaves it out", async () => {
  const words = newRing();
  const told: number[] = [];
  const giver = new JobGiver(words, (slot) => told.push(slot));
  const job = { to: 1, from: 2, offset: 3, length: 4 };
  for (const slot of [0, 1, 2]) giver.give(slot, job);
  assertEquals([1, 1].map((slot) => giver.withdraw(slot)), [true, false]);
  giver.give(3, { ...job, to: NO_DESCRIPTOR });
  const begun: boolean[] = [];
  new JobTaker(words).run(() => {
    begun.push(giver.withdraw(begun.length * 2));
    return { sent: 4, errno: 0 };
  });
  assertEquals(begun, [false, false]);
  giver.end();
  assertEquals(told, [0, 2, 3]);
  await Promise.resolve();
  giver.take();
  assertEquals(told.length, 3);
});

test("HybridSender goes on without its thread, and with the next one; nobody gets wrong bytes", {
  skip,
  sanitize: false,
}, async () => {
  const threads: StartedOwner[] = [];
  const open = new Set<number>();
  const libc: Libc = {
    ...found,
    fcntl(...words) {
      const copy = found.fcntl(...words);
      open.add(copy);
      return copy;
    },
    close(number) {
      assert(open.delete(number), "closed twice");
      return found.close(number);
    },
  };
  const start = systemWorkers.start;
  const workers = systemWorkers as { start: Owners["start"] };
  workers.start = (...words) => threads[threads.push(start(...words)) - 1]!;
  try {
    const cache = new PageCache(libc);
    const senders: HybridSender[] = [];
    const engine: DownloadEngine = {
      name: "sendfile",
      start() {
        const sender = new HybridSender(libc, new MainSender(libc, cache), {}, 20);
        senders.push(sender);
        const report = () => sender.report;
        return { sender, report, quantumBytes: 2 ** 20, close: () => sender.close() };
      },
    };
    await serving(async ({ folder, server, connect }) => {
      const bytes = folder.fill("a", SIZE);
      for (let round = 0; round < 2; round++) {
        await eventually(() => senders[0]!.turnBytes === Infinity, () => "a thread is ready");
        const clients = await Promise.all([1, 2].map(connect));
        for (const client of clients) await client.send("GET /a");
        for (const client of clients) await client.answerHead();
        await clients[0]!.take(SIZE / 2);
        void threads[round]!.terminate();
        for (const client of clients) {
          const rest = SIZE - (client === clients[0] ? SIZE / 2 : 0);
          const got = await client.take(rest).catch(() => undefined);
          if (got === undefined) continue; // The thread had begun a piece of it.
          assert(Buffer.compare(got, bytes.subarray(SIZE - rest)) === 0);
        }
        for (const client of clients) client.socket.abort();
        const { engine } = server.stats();
        assertEquals(engine.reason === undefined, engine.mode === "hybrid");
        const part = await (await connect()).request("GET /a", { Range: "bytes=0-2000000" });
        assertEquals(part.body.byteLength, 2_000_001);
      }
      await eventually(() => server.stats().engine.mode === "hybrid", () => "it is back");
      assertEquals(threads.length, 3);
      assertEquals([...open], []);
    }, { engine });
  } finally {
    workers.start = start;
  }
});

test(
  "HybridSender starts no thread again that has never worked",
  { skip, sanitize: false },
  async () => {
    const start = systemWorkers.start;
    const workers = systemWorkers as { start: Owners["start"] };
    let started = 0;
    workers.start = () => {
      started++;
      return start("missing_script");
    };
    try {
      const sender = new HybridSender(found, new MainSender(found, new PageCache(found)), {}, 1);
      await eventually(() => sender.report.reason !== undefined, () => "it has ended");
      await sleep(20);
      assertEquals([started, sender.report.mode], [1, "main"]);
      sender.close();
    } finally {
      workers.start = start;
    }
  },
);

test("a server with a thread of its engine starts and ends again and again", {
  skip,
  sanitize: false,
}, async () => {
  for (let round = 0; round < 3; round++) {
    await serving(async ({ folder, connect }) => {
      const bytes = folder.fill("a", 2_000_000);
      const client = await connect();
      assertEquals((await client.request("GET /a")).body.byteLength, bytes.byteLength);
    }, { engine: sendfileEngine({ mode: "hybrid" }) });
  }
});

test("sendfileEngine() refuses a mode that it does not know, and a placement elsewhere", {
  skip,
  sanitize: false,
}, async () => {
  const message = 'Cannot use mode "x": expected "main", "hybrid" or "accept"';
  assertThrows(() => sendfileEngine({ mode: "x" as "main" }), TypeError, message);
  const folder = new Folder();
  const engine = sendfileEngine();
  const refused = await rejection(
    serveDownloads({ root: folder.path, placement: "thread", engine }),
  );
  folder.remove();
  assertEquals(
    refused.message,
    'Cannot use placement "thread" with engine "sendfile": expected placement "inline"',
  );
});
