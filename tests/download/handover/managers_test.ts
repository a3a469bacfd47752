// Downloads move from one manager to another of the same thread.
import { assert, assertEquals } from "@std/assert";
import { DownloadManager, type Listener, type Socket } from "../../../mod.ts";
import type { Download } from "../../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../../src/testing/mod.ts";
import { test } from "../../harness.ts";
import { eventually, pattern, rejection } from "../../transport/tools.ts";
import { MemoryFiles } from "../memory_files.ts";
import { Client, Folder } from "../tools.ts";

const BIG = pattern(40_000, 3);

interface Pair {
  readonly clock: VirtualClock;
  readonly files: MemoryFiles;
  /** A manager; each has its own queue, limits and observer. */
  manager(options?: Partial<ConstructorParameters<typeof DownloadManager>[0]>): DownloadManager;
  /** A client and the socket that its server accepted. */
  connect(): Promise<readonly [client: Client, accepted: Socket]>;
  /** What observers were told. */
  readonly told: string[];
}

/** Managers in memory, whose connections hold few bytes; all must be given back at the end. */
async function inMemory(run: (pair: Pair) => Promise<void>): Promise<void> {
  const clock = new VirtualClock();
  const files = new MemoryFiles({ big: BIG, small: pattern(300, 4) });
  const transport = memoryTransport({ clock, pipeBytes: 500, host: { files } });
  const listener: Listener = await transport.listen();
  const managers: DownloadManager[] = [];
  const clients: Client[] = [];
  const told: string[] = [];
  const tell = (name: number, event: string) => ({ request }: Download) =>
    void told.push(`${name} ${event} ${request.target}`);
  await run({
    clock,
    files,
    told,
    manager(options) {
      const name = managers.length;
      const [started, ended] = [tell(name, "started"), tell(name, "ended")];
      const observer = { started, ended };
      const manager = new DownloadManager({
        transport,
        root: "/root",
        clock,
        observer,
        ...options,
      });
      managers.push(manager);
      return manager;
    },
    async connect() {
      const [near, accepted] = await Promise.all([
        transport.connect(listener.address),
        listener.accept(),
      ]);
      const client = new Client(near);
      clients.push(client);
      return [client, accepted];
    },
  });
  for (const client of clients) client.socket.abort();
  for (const manager of managers) manager.abort();
  for (const manager of managers) await manager.close();
  await listener.close();
  assertEquals([files.openCount, transport.openEnds], [0, 0]);
}

const request = (target: string) => ({ target, keepAlive: true });

test("DownloadManager.handOver() goes on with half-sent downloads at the very byte", () =>
  inMemory(async ({ manager, connect, told }) => {
    const [first, second, third] = [manager(), manager(), manager()];
    const [client, accepted] = await connect();
    const taken = first.take(accepted, request("/big"));
    const parts = [];
    await client.answerHead();
    for (const [from, to] of [[first, second], [second, third], [third, first]] as const) {
      parts.push(await client.take(7001));
      const moving = from.handOver(to);
      parts.push(await client.take(3000)); // The piece that is under way is taken by its client.
      assertEquals(await moving, 1);
      assertEquals([from.stats().active, to.stats().active], [0, 1]);
    }
    parts.push(await client.take(BIG.byteLength - 3 * 10_001));
    assertEquals(new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()), BIG);
    const { status, bytes, socket } = await taken;
    assertEquals([status, bytes, socket?.state], [200, BIG.byteLength, "open"]);
    assertEquals(told.filter((one) => one.includes("ended")), ["0 ended /big"]);
    socket!.abort();
  }));

test("DownloadManager.handOver() moves the queue, and keeps what is paused or cancelled so", () =>
  inMemory(async ({ manager, connect, clock }) => {
    const first = manager({ maxActive: 1 });
    const second = manager();
    const pairs = await Promise.all([connect(), connect(), connect(), connect()]);
    const takes = pairs.map(([, accepted]) => first.take(accepted, request("/small")));
    const lost = rejection(takes[3]!);
    const [, queued, paused, cancelled] = first.downloads();
    assertEquals(queued!.state, "queued");
    paused!.pause();
    const moving = first.handOver(second);
    cancelled!.cancel(new Error("not wanted"));
    const [firstClient, queuedClient, pausedClient] = pairs.map(([client]) => client) as [
      Client,
      Client,
      Client,
    ];
    assertEquals((await firstClient.answer()).status, 200);
    assertEquals(await moving, 3); // One was cancelled before it stood still.
    assertEquals((await lost as Error).message, "not wanted");
    assertEquals((await queuedClient.answer()).body.byteLength, 300);
    await clock.advance(1000);
    assertEquals(second.downloads().map((one) => one.paused), [true]);
    second.downloads()[0]!.resume();
    assertEquals((await pausedClient.answer()).body.byteLength, 300);
    for (const take of takes.slice(0, 3)) (await take).socket!.abort();
  }));

test("DownloadManager.handOver() leaves what its client does not take, and all when it is refused", () =>
  inMemory(async ({ manager, connect, clock }) => {
    const [first, second] = [manager(), manager()];
    const [client, accepted] = await connect();
    const taken = first.take(accepted, request("/big"));
    await client.answerHead();
    await clock.advance(10); // Its socket is full.
    const moving = first.handOver(second, { timeoutMs: 50 });
    await clock.advance(50);
    assertEquals(await moving, 0);
    assertEquals([first.stats().active, second.stats().active], [1, 0]);
    const closed = manager();
    await closed.close();
    const refused = rejection(first.handOver(closed));
    const begin = await client.take(9000);
    assertEquals((await refused).code, "DOWNLOAD_CLOSED");
    const rest = await client.take(BIG.byteLength - 9000);
    assertEquals(begin, BIG.subarray(0, 9000));
    assertEquals(rest, BIG.subarray(9000));
    (await taken).socket!.abort();
  }));

test("DownloadManager.close() waits for what stands still during a handover", () =>
  inMemory(async ({ manager, connect }) => {
    const [first, second] = [manager(), manager()];
    const [client, accepted] = await connect();
    const taken = first.take(accepted, { target: "/small" });
    await eventually(() => first.stats().active === 1, () => "it is not active");
    const moving = first.handOver(second);
    const closing = first.close();
    assertEquals((await client.answer()).status, 200);
    await Promise.all([moving, closing, taken]);
  }));

test("DownloadManager.handOver() is for managers that work inline", async () => {
  const folder = new Folder();
  const here = new DownloadManager({ root: folder.path });
  const elsewhere = new DownloadManager({ root: folder.path, placement: "process" });
  try {
    assertEquals((await rejection(here.handOver(elsewhere))).code, "UNSUPPORTED");
    assertEquals((await rejection(elsewhere.handOver(here))).code, "UNSUPPORTED");
    assert(
      (await rejection(here.handOver(here, { timeoutMs: -1 })) as unknown) instanceof RangeError,
    );
  } finally {
    await Promise.all([here.close(), elsewhere.close()]);
    folder.remove();
  }
});
