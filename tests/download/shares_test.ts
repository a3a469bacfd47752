// Limits and fair shares, measured by the clients.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DownloadManager } from "../../mod.ts";
import { test } from "../harness.ts";
import { eventually, sleep } from "../transport/tools.ts";
import { type Client, expectStats, type Served, serving } from "./tools.ts";

const BIG = 64 * 2 ** 20;
const MB = 1_000_000;

/** Download on `sockets` connections as `name`, and count the bytes that come. */
async function download(
  { connect }: Served,
  name: string,
  sockets: number,
): Promise<{ readonly name: string; bytes: number; readonly clients: readonly Client[] }> {
  const one = { name, bytes: 0, clients: [] as Client[] };
  for (let index = 0; index < sockets; index++) {
    const client = await connect();
    one.clients.push(client);
    await client.send(`GET /big?${name}`);
    void (async () => {
      const buffer = new Uint8Array(65_536);
      for (;;) {
        const count = await client.socket.read(buffer).catch(() => null);
        if (count === null) break;
        one.bytes += count;
      }
    })();
  }
  return one;
}

/** How many bytes each got in a while, once everybody has begun. */
async function during(ms: number, all: readonly { bytes: number }[]): Promise<number[]> {
  await eventually(() => all.every(({ bytes }) => bytes > 0), () => "everybody got something");
  await sleep(400);
  const before = all.map(({ bytes }) => bytes);
  const beganMs = performance.now();
  await sleep(ms);
  const seconds = (performance.now() - beganMs) / 1000;
  return all.map(({ bytes }, index) => (bytes - before[index]!) / seconds);
}

const near = (actual: number, expected: number, tolerance: number, what: string) =>
  assert(
    Math.abs(actual / expected - 1) <= tolerance,
    `${what}: ${Math.round(actual)}, expected ${expected}`,
  );

const byQuery = { clientOf: ({ target }: { target: string }) => target.split("?")[1] ?? "" };

test("clients share the overall limit by weight, whatever number of sockets each has (D5)", () =>
  serving(async (served) => {
    served.folder.fill("big", BIG);
    const all = [
      await download(served, "one", 1),
      await download(served, "many", 12),
      await download(served, "heavy", 2),
    ];
    const [one, many, heavy] = await during(1500, all) as [number, number, number];
    near(one + many + heavy, 8 * MB, 0.1, "the overall limit");
    near(one, 2 * MB, 0.15, "one socket");
    near(many, 2 * MB, 0.15, "twelve sockets");
    near(heavy, 4 * MB, 0.15, "weight 2");
    served.server.maxBytesPerSecond = 2 * MB;
    assertEquals(served.server.maxBytesPerSecond, 2 * MB);
    await sleep(600); // What the kernels hold is on its way.
    const slower = await during(1000, all);
    near(slower.reduce((sum, rate) => sum + rate, 0), 2 * MB, 0.2, "the changed limit");
  }, {
    ...byQuery,
    maxBytesPerSecond: 8 * MB,
    weightOf: (client) => client === "heavy" ? 2 : 1,
  }));

test("a client's limit binds all of its sockets together, and nobody else", () =>
  serving(async (served) => {
    served.folder.fill("big", BIG);
    const limited = await download(served, "limited", 4);
    const other = await download(served, "other", 1);
    const [rate, free] = await during(1000, [limited, other]) as [number, number];
    near(rate, 3 * MB, 0.1, "the limited client");
    assert(free > 10 * MB || other.bytes >= BIG, `the other one: ${free}`);
  }, {
    ...byQuery,
    maxClientBytesPerSecond: (client) => client === "limited" ? 3 * MB : Infinity,
  }));

test("a higher priority goes first among the downloads of one client", () =>
  serving(async (served) => {
    const { folder, server, connect } = served;
    folder.fill("big", BIG);
    folder.write("a", "here");
    const first = await connect();
    await first.send("GET /big?x");
    await first.answerHead();
    const order: string[] = [];
    const waiting: Promise<unknown>[] = [];
    for (const name of ["low", "normal", "high"]) {
      const client = await connect();
      await client.send(`GET /a?x&${name}`);
      await expectStats(server, { queued: waiting.length + 1 });
      waiting.push(client.answer().then(() => order.push(name)));
    }
    await first.take(BIG);
    await Promise.all(waiting);
    assertEquals(order, ["high", "normal", "low"]);
  }, {
    clientOf: () => "x",
    priorityOf: ({ target }) => target.endsWith("high") ? 8 : target.endsWith("low") ? -8 : 0,
    maxActive: 1,
  }));

test("DownloadManager() refuses limits that are none, and shows them", () => {
  const make = (options: object) => () => new DownloadManager({ root: ".", ...options });
  assertThrows(make({ maxBytesPerSecond: 0 }), RangeError, 'maxBytesPerSecond "0"');
  assertThrows(make({ maxClientBytesPerSecond: NaN }), RangeError, '"NaN"');
  assertThrows(make({ stallTimeoutMs: 0 }), RangeError, 'stallTimeoutMs "0"');
  assertThrows(make({ maxDigestBytes: -1 }), RangeError, 'maxDigestBytes "-1"');
  assertThrows(make({ maxRanges: -1 }), RangeError, 'maxRanges "-1"');
  assertThrows(make({ disposition: "save" }), TypeError, '"save"');
  const manager = new DownloadManager({ root: "." });
  assertThrows(() => manager.maxBytesPerSecond = 0, RangeError, '"0"');
  assertEquals(manager.maxBytesPerSecond, Infinity);
});
