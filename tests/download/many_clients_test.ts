// Many clients at once (D4, D5, D7).
import { assert, assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { concat, sha256 } from "../transport/tools.ts";
import { type Client, expectErrors, expectStats, serving } from "./tools.ts";

const CLIENTS = 200;
const MAX_ACTIVE = 4;

test("serveDownloads() gives 200 clients at once the right bytes, 4 at a time (D5, D7)", () =>
  serving(async ({ folder, server, errors, connect }) => {
    const digests = Array.from({ length: CLIENTS }, (_, at) => {
      return sha256(folder.fill(`${at}.bin`, 40_000 + at * 97, at));
    });
    let most = 0;
    const ask = async (at: number) => {
      const client = await connect();
      await client.send(`GET /${at}.bin`);
      most = Math.max(most, server.stats().active);
      const { status, body } = await client.answer();
      assert(server.stats().active <= MAX_ACTIVE);
      return [status, sha256(body)];
    };
    const answers = await Promise.all(digests.map((_, at) => ask(at)));
    assertEquals(answers, digests.map((digest) => [200, digest]));
    assert(most <= MAX_ACTIVE, `at most ${MAX_ACTIVE} were to be active, saw ${most}`);
    await expectStats(server, { finished: CLIENTS, connections: CLIENTS, active: 0, queued: 0 });
    assertEquals(errors, []);
  }, { maxActive: MAX_ACTIVE }));

test("serveDownloads() sends queued downloads in the order in which they were asked for (D5)", () =>
  serving(async ({ folder, server, connect }) => {
    folder.fill("big", 24 * 2 ** 20);
    folder.write("a", "here");
    const first = await connect();
    await first.send("GET /big");
    await first.answerHead();
    const order: number[] = [];
    const waiting: Promise<unknown>[] = [];
    for (let at = 0; at < 8; at++) {
      const client = await connect();
      await client.send("GET /a");
      await expectStats(server, { queued: at + 1 });
      waiting.push(client.answer().then(() => order.push(at)));
    }
    await expectStats(server, { active: 1, queued: 8 });
    first.socket.abort();
    await Promise.all(waiting);
    assertEquals(order, [0, 1, 2, 3, 4, 5, 6, 7]);
    await expectStats(server, { active: 0, queued: 0 });
  }, { maxActive: 1 }));

test("serveDownloads() answers 503 to whom its queue has no place for, and serves them later", () =>
  serving(async ({ folder, server, errors, connect }) => {
    const bytes = folder.fill("big", 24 * 2 ** 20);
    folder.write("a", "here");
    const slow = await connect();
    await slow.send("GET /big");
    await slow.answerHead();
    const queued = await connect();
    await queued.send("GET /a");
    await expectStats(server, { queued: 1 });
    const refused = await connect();
    const { status, fields } = await refused.request("GET /a");
    assertEquals([status, fields.get("retry-after"), fields.get("connection")], [
      503,
      "1",
      "close",
    ]);
    await expectErrors(errors, 1);
    assertEquals(errors, ["DOWNLOAD_QUEUE_FULL"]);
    assertEquals(await slow.take(bytes.byteLength), bytes);
    assertEquals((await queued.answer()).status, 200);
    assertEquals((await (await connect()).request("GET /a")).status, 200);
  }, { maxActive: 1, maxQueued: 1 }));

test("serveDownloads() lets no slow reader hold up the fast ones (D4)", () =>
  serving(async ({ folder, server, connect }) => {
    const bytes = folder.fill("big", 24 * 2 ** 20);
    const small = folder.fill("small", 100_000);
    const slow: Client[] = [];
    for (let count = 0; count < 3; count++) {
      const client = await connect();
      await client.send("GET /big");
      await client.answerHead();
      slow.push(client); // and reads no more
    }
    await expectStats(server, { active: 3 });
    const fast = await connect();
    for (let round = 0; round < 50; round++) {
      assertEquals((await fast.request("GET /small")).body, small);
    }
    await expectStats(server, { active: 3, finished: 50 });
    for (const client of slow) {
      // Slow, but not forgotten: a few bytes now and then, and at last all of them.
      const parts = [await client.take(10), await client.take(100_000)];
      parts.push(await client.take(bytes.byteLength - 100_010));
      assertEquals(sha256(concat(parts)), sha256(bytes));
    }
    await expectStats(server, { active: 0, finished: 53 });
  }, { maxActive: 4 }));
