import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import {
  DigestThread,
  type Order,
  type Reply,
  type Thread,
} from "../../../src/adapters/shared/digest_thread.ts";
import { VirtualClock } from "../../../src/testing/mod.ts";
import { test } from "../../harness.ts";

const BYTES = Uint8Array.from({ length: 1000 }, (_, index) => index);

/** Nothing is idle for long enough. */
const NEVER = () => () => {};

/** Gives the bytes, at most so many at a time. */
function reader(maxCount = Infinity): (piece: Uint8Array, position: number) => Promise<number> {
  return (piece, position) => {
    const bytes = BYTES.subarray(position, position + Math.min(piece.byteLength, maxCount));
    piece.set(bytes);
    return Promise.resolve(bytes.byteLength);
  };
}

/** A thread that digests here, and writes down what is asked of it. */
class FakeThread implements Thread {
  readonly log: string[] = [];
  readonly #hashes = new Map<number, ReturnType<typeof createHash>>();
  readonly #onReply: (reply: Reply) => void;
  readonly keepAlive?: (isNeeded: boolean) => void;

  constructor(onReply: (reply: Reply) => void, canBeIdle: boolean) {
    this.#onReply = onReply;
    if (canBeIdle) this.keepAlive = (isNeeded) => this.log.push(`keepAlive ${isNeeded}`);
  }

  get pending(): number {
    return this.#hashes.size;
  }

  post({ id, algorithm, bytes, isLast }: Order): void {
    if (bytes === undefined) return void this.#hashes.delete(id);
    const hash = this.#hashes.get(id) ?? createHash(algorithm);
    hash.update(bytes);
    if (isLast) this.#hashes.delete(id);
    else this.#hashes.set(id, hash);
    const reply = isLast ? { id, digest: new Uint8Array(hash.digest()) } : { id, bytes };
    queueMicrotask(() => this.#onReply(reply));
  }

  end(): void {
    this.log.push("end");
  }
}

function hexOf(digest: Uint8Array | undefined): string {
  return digest === undefined ? "" : createHash("sha256").update(digest).digest("hex");
}

const EXPECTED = hexOf(new Uint8Array(createHash("sha256").update(BYTES).digest()));

test("DigestThread.digest() puts pieces of any length together", async () => {
  const thread = new DigestThread((onReply) => new FakeThread(onReply, true), NEVER);
  for (const [pieceBytes, maxCount] of [[1, 1], [7, 3], [1000, 999], [2000, Infinity], [999, 1]]) {
    const digest = await thread.digest("sha-256", BYTES.length, pieceBytes!, reader(maxCount));
    assertEquals(hexOf(digest), EXPECTED, `${pieceBytes} ${maxCount}`);
  }
});

test("DigestThread.digest() ends a thread that cannot be idle as soon as it is done", async () => {
  const threads: FakeThread[] = [];
  const digests = new DigestThread((onReply) => {
    threads.push(new FakeThread(onReply, false));
    return threads.at(-1)!;
  });
  await Promise.all([1, 2, 3].map(() => digests.digest("sha-256", BYTES.length, 100, reader())));
  assertEquals(threads.map(({ log }) => log), [["end"]]);
  await digests.digest("sha-512", BYTES.length, 100, reader());
  assertEquals(threads.map(({ log }) => log), [["end"], ["end"]]);
});

test("DigestThread.digest() lets the program end while its thread is idle, and ends it then", async () => {
  const clock = new VirtualClock();
  const threads: FakeThread[] = [];
  const digests = new DigestThread((onReply) => {
    threads.push(new FakeThread(onReply, true));
    return threads.at(-1)!;
  }, (delayMs, run) => clock.schedule(delayMs, run));
  const logs = () => threads.map(({ log }) => log.splice(0));
  const digest = () => digests.digest("sha-256", BYTES.length, 100, reader());
  await digest();
  assertEquals(logs(), [["keepAlive false"]]);
  await clock.advance(4999);
  await digest();
  await clock.advance(4999);
  assertEquals(logs(), [["keepAlive true", "keepAlive false"]]);
  await clock.advance(1);
  assertEquals(logs(), [["end"]]);
  await digest();
  assertEquals(logs(), [[], ["keepAlive false"]]);
});

test("DigestThread.digest() is undefined when no thread can be started", async () => {
  let isBroken = true;
  const digests = new DigestThread((onReply) => {
    if (isBroken) throw new Error("no thread");
    return new FakeThread(onReply, true);
  }, NEVER);
  assertEquals(await digests.digest("sha-256", BYTES.length, 100, reader()), undefined);
  isBroken = false;
  assertEquals(hexOf(await digests.digest("sha-256", BYTES.length, 100, reader())), EXPECTED);
});

test("DigestThread.digest() is undefined for all when the thread is lost, and starts another", async () => {
  const lose: (() => void)[] = [];
  const digests = new DigestThread((onReply, onLost) => {
    lose.push(onLost);
    const isFirst = lose.length === 1;
    return new FakeThread(isFirst ? () => {} : onReply, true);
  }, NEVER);
  const lost = [1, 2].map(() => digests.digest("sha-256", BYTES.length, 100, reader()));
  await Promise.resolve();
  await Promise.resolve();
  lose[0]!();
  assertEquals(await Promise.all(lost), [undefined, undefined]);
  assertEquals(hexOf(await digests.digest("sha-256", BYTES.length, 100, reader())), EXPECTED);
  assertEquals(lose.length, 2);
});

test("DigestThread.digest() does not go on in another thread when the first one is lost", async () => {
  const lose: (() => void)[] = [];
  const digests = new DigestThread((onReply, onLost) => {
    lose.push(onLost);
    return new FakeThread(onReply, true);
  }, NEVER);
  const read = reader();
  const lost = digests.digest("sha-256", BYTES.length, 100, async (piece, position) => {
    if (position === 500) lose[0]!();
    return await read(piece, position);
  });
  const anew = digests.digest("sha-256", BYTES.length, 100, async (piece, position) => {
    if (position === 0) { while (lose.length === 0) await Promise.resolve(); }
    return await read(piece, position);
  });
  assertEquals(await lost, undefined);
  assertEquals([undefined, EXPECTED].includes(hexOf(await anew) || undefined), true);
  assertEquals(hexOf(await digests.digest("sha-256", BYTES.length, 100, read)), EXPECTED);
});

test("DigestThread.digest() rejects as reading does, and the thread forgets it", async () => {
  let thread: FakeThread | undefined;
  const digests = new DigestThread((onReply) => thread = new FakeThread(onReply, true), NEVER);
  const read = reader();
  const failing = digests.digest("sha-256", BYTES.length, 100, (piece, position) => {
    if (position >= 500) throw new Error("no more");
    return read(piece, position);
  });
  await assertRejects(() => failing, Error, "no more");
  assertEquals(thread!.pending, 0);
});

test("DigestThread.digest() in a real thread leaves this one free", async () => {
  const size = 64 * 2 ** 20;
  const digests = new DigestThread();
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  const start = performance.now();
  const digest = await digests.digest("sha-512", size, 2 ** 20, (piece) => {
    piece.fill(7);
    return Promise.resolve(piece.byteLength);
  });
  const took = performance.now() - start;
  clearInterval(timer);
  const expected = createHash("sha512").update(new Uint8Array(size).fill(7)).digest();
  assertEquals(hexOf(digest), hexOf(new Uint8Array(expected)));
  assert(longest < took / 2, `${longest} ms of ${took} ms`);
});
