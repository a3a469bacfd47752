// What every engine does, whatever its way to send: one suite, run for each.
import { assert, assertEquals } from "@std/assert";
import { renameSync, truncateSync, writeFileSync } from "node:fs";
import { DownloadManager, systemTransport } from "../../../mod.ts";
import { copyEngine, type DownloadEngine } from "../../../src/core.ts";
import { test } from "../../harness.ts";
import { withSeeds } from "../../support/seeds.ts";
import { countDescriptors, descriptorsBack, eventually, sleep } from "../../transport/tools.ts";
import { Client, expectErrors, expectStats, Folder, type Served, serving } from "../tools.ts";

/** More than kernels hold for a connection. */
const BIG = 24 * 2 ** 20;
const MB = 1_000_000;

/** What is said about an engine. */
export interface EngineCase {
  /** A new value for each server. */
  make(): DownloadEngine;
  /** What `stats()` says. */
  readonly report: { readonly name: string; readonly mode?: string };
  /** Why it cannot be tested here. */
  readonly skip?: string | false;
  /** Whether the server is in another thread: it has no hooks then, and its downloads are not seen. */
  readonly isElsewhere?: boolean;
}

/** Register the tests of an engine. */
export function testEngine(
  called: string,
  { make, report, skip = false, isElsewhere = false }: EngineCase,
): void {
  if (!isElsewhere) testHandover(called, { make, report, skip });
  // A thread of the engine lives as long as its server; node:timers may close a turn later.
  const options = { skip, sanitize: false };
  const inside = { ...options, skip: skip || isElsewhere && "nobody can look into its thread" };
  const served = (
    run: (served: Served) => Promise<void>,
    more: Parameters<typeof serving>[1] = {},
  ) => serving(run, { engine: make(), ...more });

  test(`${called}: stats() say which engine works`, options, () =>
    served(({ server }) => {
      const { name, mode } = server.stats().engine;
      assertEquals({ name, mode }, { mode: undefined, ...report });
      return Promise.resolve();
    }));

  test(
    `${called} sends whole files and ranges to the byte`,
    options,
    () =>
      served(async ({ folder, server, errors, connect }) => {
        const bytes = folder.fill("big", 3 * 2 ** 20 + 17);
        const small = folder.fill("small", 1024, 2);
        folder.write("empty", "");
        const client = await connect();
        for (let round = 0; round < 3; round++) {
          assertSame((await client.request("GET /big")).body, bytes, "whole");
          assertSame((await client.request("GET /small")).body, small, "small");
          assertEquals((await client.request("GET /empty")).body.byteLength, 0);
          assertEquals((await client.request("HEAD /big")).status, 200);
        }
        for (
          const [from, to] of [[0, 0], [1, 200_000], [99_999, 2_500_000], [3_145_744, 3_145_744]]
        ) {
          const { status, body } = await client.request("GET /big", {
            Range: `bytes=${from}-${to}`,
          });
          assertEquals(status, 206);
          assertSame(body, bytes.subarray(from, to! + 1), `${from}-${to}`);
        }
        const two = await client.request("GET /big", { Range: "bytes=10-300010,1000000-2000000" });
        assertEquals(two.status, 206);
        const text = new TextDecoder("latin1").decode(two.body);
        for (const [from, to] of [[10, 300_010], [1_000_000, 2_000_000]]) {
          const mark = `Content-Range: bytes ${from}-${to}/${bytes.byteLength}\r\n\r\n`;
          const begin = text.indexOf(mark) + mark.length;
          assertSame(
            two.body.subarray(begin, begin + to! - from! + 1),
            bytes.subarray(from, to! + 1),
          );
        }
        await expectStats(server, { active: 0, queued: 0 });
        assertEquals(errors, []);
      }),
  );

  test(
    `${called} serves many pipelined requests in their order`,
    options,
    () =>
      served(async ({ folder, connect }) => {
        const all = [1000, 70_000, 400_000].map((size, seed) => folder.fill(`${size}`, size, seed));
        const client = await connect();
        const order = [0, 2, 1, 1, 0, 2, 2, 0, 0, 1];
        for (const index of order) await client.send(`GET /${all[index]!.byteLength}`);
        for (const index of order) assertSame((await client.answer()).body, all[index]!);
      }),
  );

  test(
    `${called} keeps to limits, and to shares by weight`,
    inside,
    () =>
      served(async ({ folder, connect }) => {
        folder.fill("big", BIG);
        const names = ["one", "one", "one", "heavy"];
        const got: Record<string, number> = { one: 0, heavy: 0 };
        for (const name of names) {
          const client = await connect();
          await client.send(`GET /big?${name}`);
          void drain(client, (count) => got[name]! += count);
        }
        await eventually(() => Object.values(got).every((count) => count > 0), () => "all begin");
        await sleep(200);
        const before = { ...got };
        const beganMs = performance.now();
        await sleep(600);
        const seconds = (performance.now() - beganMs) / 1000;
        const [one, heavy] = ["one", "heavy"].map((name) => (got[name]! - before[name]!) / seconds);
        // A machine that does something else may not reach the limit; none may pass it.
        const part = (one! + heavy!) / (6 * MB);
        assert(part > 0.4 && part < 1.15, `${one! + heavy!} in a second`);
        assert(Math.abs(heavy! / one! - 2) < 0.6, `${heavy} to ${one}`);
      }, {
        maxBytesPerSecond: 6 * MB,
        clientOf: ({ target }) => target.split("?")[1] ?? "",
        weightOf: (client) => client === "heavy" ? 2 : 1,
      }),
  );

  test(
    `${called} pauses, resumes and cancels a download that is being sent`,
    inside,
    () =>
      served(async ({ folder, server, errors, connect }) => {
        const bytes = folder.fill("big", BIG);
        const [client, other] = [await connect(), await connect()];
        await client.send("GET /big");
        await client.answerHead();
        const [download] = server.downloads();
        download!.pause();
        let got = 0;
        const reading = (async () => {
          while (got < BIG) got += (await client.take(Math.min(65_536, BIG - got))).byteLength;
        })();
        for (let before = -1; before !== got; await sleep(60)) before = got;
        assert(got < BIG, "it went on");
        download!.resume();
        await eventually(() => got === BIG, () => `${got} of ${bytes.byteLength}`);
        client.socket.abort();
        await reading;
        await other.send("GET /big");
        await other.answerHead();
        await eventually(() => server.downloads().length > 0, () => "it began");
        server.downloads()[0]!.cancel(new Error("not wanted"));
        assert(await other.countUntilEnd() < BIG);
        await expectStats(server, { active: 0, finished: 2 });
        assertEquals(errors, ["Error: not wanted"]);
      }),
  );

  test(
    `${called} breaks off when the file shrinks, and sends a replaced one to its old end`,
    options,
    () =>
      served(async ({ folder, server, errors, connect }) => {
        const bytes = folder.fill("big", BIG);
        const client = await connect();
        await client.send("GET /big");
        await client.answerHead();
        await client.take(100_000);
        writeFileSync(folder.at("new"), "another");
        renameSync(folder.at("new"), folder.at("big"));
        assertSame(await client.take(BIG - 100_000), bytes.subarray(100_000), "the old one");
        folder.fill("shrinking", BIG);
        const second = await connect();
        await second.send("GET /shrinking");
        await second.answerHead();
        await second.take(100_000);
        truncateSync(folder.at("shrinking"), 300_000);
        assert(await second.countUntilEnd() < BIG - 100_000);
        await expectErrors(errors, 1);
        assertEquals(errors, ["FILE_CHANGED"]);
        await expectStats(server, { active: 0, finished: 2 });
      }),
  );

  test(
    `${called} survives clients that vanish at any byte, each told of once`,
    options,
    () =>
      served(async ({ folder, server, errors, connect }) => {
        folder.fill("big", BIG);
        folder.write("a", "here");
        const lasting = await connect();
        assertEquals((await lasting.request("GET /a")).status, 200);
        await sleep(50);
        const before = countDescriptors();
        await withSeeds([9], async ({ below }) => {
          for (let round = 0; round < 12; round++) {
            const client = await connect();
            await client.send("GET /big");
            await client.answerHead();
            await client.take(below(2 ** (10 + round)));
            client.socket.abort();
            assertEquals((await lasting.request("GET /a")).status, 200);
          }
        });
        await expectStats(server, { active: 0, connections: 1, finished: 25 });
        assertEquals(errors.length, 12);
        await descriptorsBack(before);
      }),
  );

  test(
    `${called} lets 16 slow readers hold up nobody`,
    options,
    () =>
      served(async ({ folder, server, connect }) => {
        folder.fill("big", BIG);
        const bytes = folder.fill("medium", 5 * 2 ** 20);
        const slow: Client[] = [];
        for (let index = 0; index < 16; index++) {
          const client = await connect();
          await client.send("GET /big");
          await client.answerHead();
          slow.push(client);
        }
        await expectStats(server, { active: 16 });
        const fast = await connect();
        const beganMs = performance.now();
        for (let round = 0; round < 3; round++) {
          assertSame((await fast.request("GET /medium")).body, bytes, "the fast one");
        }
        assert(performance.now() - beganMs < 10_000);
        await Promise.all(slow.slice(0, 2).map((client) => client.take(BIG)));
        await expectStats(server, { active: 14, finished: 5 });
      }),
  );
}

/** Register the contract row of a download that is half sent: it goes on elsewhere at the very byte. */
function testHandover(called: string, { make, skip = false }: EngineCase): void {
  test(
    `${called} gives a half-sent body to another manager, and takes it back`,
    { skip, sanitize: false },
    async () => {
      const folder = new Folder();
      const bytes = folder.fill("big", BIG);
      const managers = [make(), copyEngine(), make()].map((engine) =>
        new DownloadManager({ root: folder.path, engine, maxBytesPerSecond: 80 * MB })
      );
      const transport = systemTransport();
      const listener = await transport.listen();
      const [client, accepted] = await Promise.all([
        Client.connect(listener.address),
        listener.accept(),
      ]);
      const taken = managers[0]!.take(accepted, { target: "/big", keepAlive: true });
      await client.answerHead();
      const body = client.take(BIG);
      let moved = 0;
      for (let round = 0; round < 9; round++) {
        const [from, to] = [managers[round % 3]!, managers[(round + 1) % 3]!];
        moved += await from.handOver(to);
        await sleep(10);
      }
      assertSame(await body, bytes);
      assert(moved >= 3, `moved ${moved} times`);
      (await taken).socket!.abort();
      client.socket.abort();
      await Promise.all(managers.map((manager) => manager.close()));
      await listener.close();
      folder.remove();
    },
  );
}

async function drain(client: Client, told: (count: number) => void): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await client.socket.read(buffer).catch(() => null);
    if (count === null) return;
    told(count);
  }
}

/** As `assertEquals`, which takes seconds for so many bytes. */
function assertSame(actual: Uint8Array, expected: Uint8Array, what = "bytes"): void {
  assertEquals(actual.byteLength, expected.byteLength, what);
  for (let at = 0; at < actual.byteLength; at++) {
    if (actual[at] !== expected[at]) throw new Error(`${what}: another byte at ${at}`);
  }
}
