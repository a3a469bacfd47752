// The thread of an engine: what happens before it is there, and after its end.
import { assertEquals, assertThrows } from "@std/assert";
import {
  COLD,
  JobGiver,
  type JobResult,
  JobTaker,
  newRing,
  NO_DESCRIPTOR,
} from "../../src/native/send_ring.ts";
import { sendfileEngine } from "../../src/native/mod.ts";
import { serveDownloads } from "../../mod.ts";
import { test } from "../harness.ts";
import { rejection } from "../transport/tools.ts";
import { Folder, serving } from "../download/tools.ts";

const { name, reason } = sendfileEngine();
const skip = name === "copy" && reason!;

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
  const message = 'Cannot use mode "x": expected "main" or "hybrid"';
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
