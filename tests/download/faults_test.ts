// Clients that leave, stall or reset at every byte of the exchange, and disks that fail at every
// operation; in memory, where each of them can be tried.
import { assert, assertEquals } from "@std/assert";
import { isJackfieldError } from "../../mod.ts";
import { type DownloadServer, serveDownloads, type ServeDownloadsOptions } from "../../src/core.ts";
import {
  type MemoryOperation,
  memoryTransport,
  seededFaults,
  VirtualClock,
} from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { pattern } from "../transport/tools.ts";
import { failure, MemoryFiles } from "./memory_files.ts";
import { Client, headOf } from "./tools.ts";

const SMALL = pattern(1500, 1);
const LARGE = pattern(3000, 2);

/** A server in memory, whose connections hold few bytes. */
async function inMemory(
  run: (tools: {
    readonly server: DownloadServer;
    readonly files: MemoryFiles;
    readonly clock: VirtualClock;
    readonly errors: unknown[];
    connect(): Promise<Client>;
    /** Wait until nothing is left; it takes some turns at most. */
    expectNothingLeft(what: string): Promise<void>;
  }) => Promise<void>,
  options?: Partial<ServeDownloadsOptions>,
  faults?: Parameters<typeof memoryTransport>[0],
): Promise<void> {
  const clock = new VirtualClock();
  const files = new MemoryFiles({ "small": SMALL, "large": LARGE });
  const network = memoryTransport({ clock, pipeBytes: 200, host: { files }, ...faults });
  const errors: unknown[] = [];
  const server = await serveDownloads({
    transport: network,
    root: "/root",
    clock,
    onError: (error) => errors.push(error),
    ...options,
  });
  const connect = async () => new Client(await network.connect(server.address));
  const left = (): number[] => {
    const { active, queued, connections } = server.stats();
    return [active, queued, connections, files.openCount, network.openEnds];
  };
  const expectNothingLeft = async (what: string) => {
    for (let turns = 0; turns < 20 && left().some((count) => count > 0); turns++) await turn();
    assertEquals(left(), [0, 0, 0, 0, 0], what);
  };
  await run({ server, files, clock, errors, connect, expectNothingLeft });
  server.abort();
  await server.close();
  assertEquals([files.openCount, network.openEnds], [0, 0]);
}

/** Give everything that is ready a chance to happen. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

const REQUESTS = headOf("GET /small") + headOf("GET /large", { Range: "bytes=0-9,500-600,2000-" }) +
  headOf("HEAD /small") + headOf("GET /none");

/** How a client goes. */
const WAYS = ["abort", "close", "stall"] as const;

test("serveDownloads() has nothing left of clients that go at any byte of their requests", () =>
  inMemory(async ({ clock, connect, expectNothingLeft }) => {
    for (const way of WAYS) {
      for (let cut = 0; cut <= REQUESTS.length; cut++) {
        const client = await connect();
        const reading = client.countUntilEnd();
        await client.sendText(REQUESTS.slice(0, cut));
        if (way === "abort") client.socket.abort();
        else if (way === "close") await client.socket.closeWrite();
        else await clock.advance(120_000);
        await reading;
        await client.socket.close();
        await expectNothingLeft(`${way} at ${cut}`);
      }
    }
    assertEquals(clock.pending, 0);
  }));

test("serveDownloads() has nothing left of clients that go at any byte of the answers", () =>
  inMemory(async ({ clock, connect, expectNothingLeft }) => {
    const whole = await connect();
    await whole.sendText(REQUESTS);
    await whole.socket.closeWrite();
    const answers = await whole.rest();
    assert(answers.byteLength > 4000);
    for (const way of WAYS) {
      for (let cut = 0; cut < answers.byteLength; cut += 29) {
        const client = await connect();
        const sending = client.sendText(REQUESTS).catch(() => {});
        // The boundary of the parts is another one each time, of the same length.
        assertEquals((await client.take(cut)).byteLength, cut);
        if (way === "abort") client.socket.abort();
        else if (way === "close") await client.socket.close();
        else await clock.advance(120_000);
        await sending;
        await client.countUntilEnd();
        client.socket.abort();
        await expectNothingLeft(`${way} at ${cut}`);
      }
    }
    assertEquals(clock.pending, 0);
  }));

test("serveDownloads() survives a disk that fails at any operation, and says so to the client", () =>
  inMemory(async ({ files, clock, errors, connect, expectNothingLeft }) => {
    const seen = new Set<number>();
    for (const osCode of ["EIO", "EMFILE", "EACCES"]) {
      for (let failing = 0;; failing++) {
        const first = files.operations;
        let failed = 0;
        files.before = (operation) => {
          if (operation !== first + failing) return;
          failed++;
          throw failure(osCode);
        };
        const client = await connect();
        await client.send("GET /large", { Connection: "close" });
        const answering = client.answer().catch(() => undefined);
        let isOver = false;
        void answering.then(() => isOver = true);
        // Who has no descriptor waits for one.
        for (; !isOver; await turn()) await clock.advance(10);
        const answer = await answering;
        seen.add(answer?.status ?? 0);
        if (answer?.status === 200) assertEquals(answer.body, LARGE);
        await client.countUntilEnd();
        client.socket.abort();
        await expectNothingLeft(`${osCode} at ${failing}`);
        if (failed === 0) break;
      }
    }
    assertEquals([...seen].sort(), [0, 200, 404, 500, 503]);
    assert(errors.every((error) => isJackfieldError(error, "FILE_FAILED")));
  }));

test("serveDownloads() sends right bytes or breaks off, whatever goes wrong on the way", () =>
  withSeeds([1, 2, 3, 4, 5, 6, 7, 8], async ({ below, oneOf }, seed) => {
    let going = true;
    const drawn = seededFaults({ seed, read: 0.01, write: 0.02, delay: 0.2, maxDelayMs: 400 });
    const faults = (operation: MemoryOperation) => going ? drawn(operation) : undefined;
    let whole = 0;
    let broken = 0;
    await inMemory(
      async ({ clock, connect, expectNothingLeft }) => {
        const visits = Array.from({ length: 60 }, async () => {
          const client = await connect();
          try {
            for (let request = 0; request < 3; request++) {
              const [name, bytes] = oneOf([["small", SMALL], ["large", LARGE]] as const);
              const start = below(bytes.byteLength);
              const { status, body } = await client.request(`GET /${name}`, {
                Range: `bytes=${start}-`,
              });
              if (status === 503) return;
              assertEquals([status, body], [206, bytes.subarray(start)]);
              whole++;
            }
          } catch (error) {
            if (!isJackfieldError(error) && !/ended \d+ bytes too early/.test(String(error))) {
              throw error;
            }
            broken++;
          } finally {
            client.socket.abort();
          }
        });
        let done = false;
        void Promise.allSettled(visits).then(() => done = true);
        while (!done) {
          await turn();
          await clock.advance(500);
        }
        await Promise.all(visits);
        going = false;
        await clock.advance(120_000);
        await expectNothingLeft("in the end");
      },
      { maxActive: 5, maxQueued: 40, maxClientBytesPerSecond: 20_000 },
      { faults },
    );
    assert(whole > 10 && broken > 5, `${whole} whole, ${broken} broken`);
  }));
