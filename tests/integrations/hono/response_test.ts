// Downloads as responses, on virtual time and without a server: limits, shares, the queue, and how
// each of them can end.
import { Hono } from "hono";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DownloadManager, type DownloadManagerOptions } from "../../../src/core.ts";
import { downloads, sendDownload } from "../../../src/integrations/hono/mod.ts";
import { memoryTransport, VirtualClock } from "../../../src/testing/mod.ts";
import { MemoryFiles } from "../../download/memory_files.ts";
import { test } from "../../harness.ts";
import { pattern, rejection, sha256 } from "../../transport/tools.ts";

const BYTES = pattern(1_000_000);

interface Given {
  readonly manager: DownloadManager;
  readonly clock: VirtualClock;
  readonly files: MemoryFiles;
  readonly errors: (string | undefined)[];
}

async function withManager(
  options: Partial<DownloadManagerOptions>,
  run: (given: Given) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const files = new MemoryFiles({ "big": BYTES, "small": pattern(100) });
  const errors: (string | undefined)[] = [];
  const transport = memoryTransport({ clock, host: { files } });
  const onError = (error: unknown) => errors.push((error as { code?: string }).code);
  const manager = new DownloadManager({ root: "/root", transport, clock, onError, ...options });
  await run({ manager, clock, files, errors });
  assertEquals([manager.stats().active, manager.stats().queued], [0, 0]);
  await manager.close();
  assertEquals(files.openCount, 0);
}

/** Let the time pass that something takes: ten seconds at most. */
async function inTime<T>(clock: VirtualClock, promise: T | Promise<T>): Promise<T> {
  let isPending = true;
  const settled = Promise.resolve(promise).finally(() => isPending = false);
  for (let steps = 0; isPending && steps < 1000; steps++) await clock.advance(10);
  assert(!isPending, "it takes no end");
  return await settled;
}

/** Read a body, and count. */
function reading({ body }: Response): { bytes: number; readonly done: Promise<unknown> } {
  const read = { bytes: 0, done: undefined as unknown as Promise<unknown> };
  read.done = (async () => {
    for await (const chunk of body!) read.bytes += chunk.byteLength;
  })();
  return read;
}

test("the limits of a manager hold for responses, and its clients share them", () =>
  withManager({ maxBytesPerSecond: 200_000 }, async ({ manager, clock }) => {
    const app = new Hono().use(downloads(manager)).get("/:client", (c) => {
      return sendDownload(c, "/big", { client: c.req.param("client") });
    });
    const begin = async (client: string) => {
      return reading(await inTime(clock, app.request(`/${client}`)));
    };
    const all = [await begin("one"), await begin("many"), await begin("many"), await begin("many")];
    await clock.advance(500);
    const before = all.map(({ bytes }) => bytes);
    await clock.advance(4000);
    const [one, ...many] = all.map(({ bytes }, index) => bytes - before[index]!) as [number];
    const sum = (many as number[]).reduce((sum, bytes) => sum + bytes, 0);
    assert(Math.abs(one / 400_000 - 1) < 0.1 && Math.abs(sum / 400_000 - 1) < 0.1, `${one} ${sum}`);
    await clock.advance(20_000);
    await Promise.all(all.map(({ done }) => done));
    assertEquals(all.map(({ bytes }) => bytes), all.map(() => BYTES.byteLength));
  }));

test("sendDownload() sends no faster than its maxBytesPerSecond, and others do", () =>
  withManager({}, async ({ manager, clock }) => {
    const app = new Hono().use(downloads(manager))
      .get("/slow", (c) => sendDownload(c, "big", { maxBytesPerSecond: 100_000 }))
      .get("/bad", (c) => sendDownload(c, "big", { maxBytesPerSecond: 0 }))
      .onError((error, c) => c.text(error.message, 500));
    const read = reading(await inTime(clock, app.request("/slow")));
    const other = app.request("/slow", { headers: { range: "bytes=0-99" } });
    assertEquals((await (await inTime(clock, other)).bytes()).byteLength, 100);
    const before = read.bytes;
    await clock.advance(5000);
    assert(Math.abs((read.bytes - before) / 500_000 - 1) < 0.1, `${read.bytes - before} in 5 s`);
    await clock.advance(6000);
    await read.done;
    const bad = await app.request("/bad");
    assertEquals(await bad.text(), 'Cannot use maxBytesPerSecond "0": expected 1 or more');
  }));

test("who finds the queue full is answered 503, and who waits is served in turn", () =>
  withManager({ maxActive: 1, maxQueued: 1 }, async ({ manager, clock }) => {
    const app = new Hono().use(downloads(manager, { prefix: "/" }));
    const first = await app.request("/big");
    const second = app.request("/small");
    await clock.settle();
    const third = await app.request("/small");
    assertEquals([third.status, third.headers.get("retry-after")], [503, "1"]);
    assertEquals(manager.stats().queued, 1);
    assertEquals(sha256(await first.bytes()), sha256(BYTES));
    assertEquals((await (await second).bytes()).byteLength, 100);
  }));

test("a client that leaves the queue gives its place to others", () =>
  withManager({ maxActive: 1 }, async ({ manager, clock, errors }) => {
    const app = new Hono().use(downloads(manager, { prefix: "/" }))
      .onError((error, c) => c.text(error.name, 500));
    const first = await app.request("/big");
    const controller = new AbortController();
    const second = app.request(new Request("http://x/small", { signal: controller.signal }));
    await clock.settle();
    assertEquals(manager.stats().queued, 1);
    controller.abort();
    await clock.settle();
    assertEquals(manager.stats().queued, 0);
    assertEquals((await second).status, 500); // for nobody
    assertEquals(errors, ["SOCKET_RESET"]);
    await first.bytes();
    await clock.settle();
  }));

test("a body that is cancelled ends its download, one that nobody takes stalls it", () =>
  withManager({ stallTimeoutMs: 5000 }, async ({ manager, clock, errors }) => {
    const app = new Hono().use(downloads(manager, { prefix: "/" }));
    const cancelled = await app.request("/big");
    const reader = cancelled.body!.getReader();
    await reader.read();
    await reader.cancel("enough");
    await clock.settle();
    assertEquals([manager.stats().active, errors], [0, ["SOCKET_RESET"]]);
    const stalled = await app.request("/big");
    await clock.advance(5001);
    assertEquals([manager.stats().active, errors.at(-1)], [0, "DOWNLOAD_STALLED"]);
    assertEquals((await rejection(stalled.bytes())).code, "DOWNLOAD_STALLED");
  }));

test("a response breaks when its download is cancelled or its file changes", () =>
  withManager({}, async ({ manager, clock, files }) => {
    const app = new Hono().use(downloads(manager, { prefix: "/" }))
      .onError((error, c) => c.text(error.message, 500));
    const cancelled = await app.request("/big");
    manager.downloads()[0]!.cancel(new Error("it is over"));
    await assertRejects(() => cancelled.bytes(), Error, "it is over");
    const response = app.request("/big");
    manager.downloads()[0]!.cancel(new Error("before its head"));
    assertEquals(await (await response).text(), "before its head");
    const broken = await app.request("/big");
    files.before = () => {
      throw new Error("the disk is gone");
    };
    await assertRejects(() => broken.bytes(), Error, "the disk is gone");
    files.before = undefined;
    await clock.settle();
  }));

test("Download.pause() holds a response back until resume()", () =>
  withManager({}, async ({ manager, clock }) => {
    const app = new Hono().use(downloads(manager, { prefix: "/" }));
    const read = reading(await app.request("/big"));
    const [download] = manager.downloads();
    download!.pause();
    await clock.settle();
    const { bytes } = read;
    await clock.advance(1000);
    assertEquals(read.bytes, bytes);
    assert(bytes < BYTES.byteLength);
    download!.resume();
    await read.done;
    assertEquals(read.bytes, BYTES.byteLength);
    await clock.settle();
  }));

test("a response takes no more of a file than somebody reads", () =>
  withManager({}, async ({ manager, clock }) => {
    const app = new Hono().use(downloads(manager, { prefix: "/" }));
    const response = await app.request("/big");
    await clock.settle();
    assertEquals(manager.stats().bytes, 0);
    const reader = response.body!.getReader();
    let read = 0;
    for (let chunks = 0; chunks < 5; chunks++) {
      read += (await reader.read()).value!.byteLength;
      await clock.settle();
      assertEquals(manager.stats().bytes, read);
    }
    assert(read <= 5 * 65_536, `${read} in 5 chunks`);
    await reader.cancel();
    await clock.settle();
  }));

test("a response has the fields of the answer, and none of a connection", () =>
  withManager({ cacheControl: "no-cache" }, async ({ manager }) => {
    const app = new Hono().use(downloads(manager, { prefix: "/", clientOf: () => "somebody" }));
    const { status, headers, body } = await app.request("/big", { method: "HEAD" });
    assertEquals([status, body], [200, null]);
    assertEquals(headers.get("cache-control"), "no-cache");
    assertEquals(headers.get("content-length"), "1000000");
    assertEquals([headers.has("connection"), headers.has("date")], [false, false]);
    const many = await app.request("/big", { headers: { range: "bytes=0-9,500000-599999" } });
    assertEquals(many.status, 206);
    assert(many.headers.get("content-type")!.startsWith("multipart/byteranges"));
    assertEquals(String((await many.bytes()).byteLength), many.headers.get("content-length"));
  }));

test("downloads() and sendDownload() say what is wrong with their use", () =>
  withManager({}, async ({ manager }) => {
    assertThrows(() => downloads(manager, { prefix: "/a" }), TypeError, "slashes at both ends");
    const app = new Hono().get("/", (c) => sendDownload(c, "big"))
      .onError((error, c) => c.text(error.message, 500));
    const text = await (await app.request("/")).text();
    assertEquals(
      text,
      'Cannot send "big": expected app.use(downloads(manager)) before this handler',
    );
  }));
