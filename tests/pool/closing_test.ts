import { assertEquals, assertStrictEquals } from "@std/assert";
import { SocketPool } from "../../src/core.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { rejection } from "../transport/tools.ts";
import { FakeTransport } from "./fake_transport.ts";
import { poolOnEcho, sums, TARGET } from "./tools.ts";

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => settled = true;
  promise.then(note, note);
  await settle();
  return settled;
}

test("SocketPool.close() closes what is idle and waits for what is leased", async () => {
  const { pool, transport, end } = await poolOnEcho();
  const [one, other] = await Promise.all([pool.acquire(), pool.acquire()]);
  one.release();
  const closing = pool.close();
  assertStrictEquals(pool.close(), closing);
  assertEquals(await isSettled(closing), false);
  assertEquals(sums(pool), {
    size: 1,
    idle: 0,
    leased: 1,
    connecting: 0,
    checking: 0,
    closing: 0,
    waiting: 0,
  });
  assertEquals([one.socket.state, other.socket.state], ["closed", "open"]);
  assertEquals(await other.socket.write(new Uint8Array(1)), 1); // The task goes on undisturbed.
  other.release();
  await closing;
  assertEquals(other.socket.state, "closed");
  assertEquals(await end(), 0);
  assertEquals(transport.openEnds, 0);
});

test("SocketPool.close() refuses who waits, and who comes later, with POOL_CLOSED", async () => {
  const { pool, end } = await poolOnEcho({ maxSize: 1 });
  const lease = await pool.acquire();
  const waiting = [rejection(pool.acquire()), rejection(pool.acquire())];
  const closing = pool.close();
  const late = rejection(pool.acquire()); // In the same turn.
  for (const refused of [...waiting, late, rejection(pool.use(() => 1))]) {
    assertEquals((await refused).code, "POOL_CLOSED");
  }
  let thrown: { code?: string } | undefined;
  try {
    pool.tryAcquire();
  } catch (error) {
    thrown = error as { code?: string };
  }
  assertEquals(thrown?.code, "POOL_CLOSED");
  lease.release();
  await closing;
  assertEquals(await end(), 0);
});

test("SocketPool.close() of a pool that nobody used resolves", async () => {
  const pool = new SocketPool({ transport: new FakeTransport(), target: TARGET });
  await pool.close();
  pool.abort();
});

test("SocketPool.close() gives up connects, and waits until they hold nothing", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET });
  const refused = rejection(pool.acquire());
  const closing = pool.close();
  assertEquals((await refused).code, "POOL_CLOSED");
  assertEquals(transport.connects[0]!.options.signal?.aborted, true);
  assertEquals(await isSettled(closing), false);
  transport.connects[0]!.release();
  await closing;
  assertEquals(transport.connects.length, 1);
});

test("SocketPool.close() closes a connection that stands too late", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET });
  const refused = rejection(pool.acquire());
  const { socket } = transport.connects[0]!.open(); // In the turn of close, before its abort.
  await pool.close();
  assertEquals((await refused).code, "POOL_CLOSED");
  assertEquals([socket.state, transport.held], ["closed", 0]);
});

test("SocketPool.close() lets a lease be discarded", async () => {
  const { pool, end } = await poolOnEcho();
  const lease = await pool.acquire();
  const closing = pool.close();
  lease.discard();
  await closing;
  assertEquals(await end(), 0);
});

test("SocketPool.abort() ends everything now, with its reason", async () => {
  const { pool, transport, end } = await poolOnEcho({ maxSize: 2 });
  const [one, other] = await Promise.all([pool.acquire(), pool.acquire()]);
  const waiting = [pool.acquire(), pool.acquire()].map(rejection);
  const reason = new Error("power cut");
  const reading = rejection(one.socket.read(new Uint8Array(1)));
  pool.abort(reason);
  assertEquals(await reading, reason);
  assertEquals([one.state, other.state], ["discarded", "discarded"]);
  assertEquals(other.socket.state, "closed");
  for (const refused of waiting) assertEquals((await refused).code, "POOL_CLOSED");
  await pool.close();
  assertEquals(pool.stats().size, 0);
  assertEquals(await end(), 0);
  assertEquals(transport.openEnds, 0);
});

test("SocketPool.abort() ends a close that drains", async () => {
  const { pool, end } = await poolOnEcho();
  const lease = await pool.acquire();
  const closing = pool.close();
  assertEquals(await isSettled(closing), false);
  pool.abort();
  await closing;
  assertEquals([lease.state, lease.socket.state], ["discarded", "closed"]);
  lease.release(); // Too late: nothing happens.
  assertEquals(pool.stats().size, 0);
  assertEquals(await end(), 0);
});

test("SocketPool.abort() does not wait for what is still to be sent", async () => {
  const { pool, transport, end } = await poolOnEcho();
  const lease = await pool.acquire();
  const writing = rejection(lease.socket.write(new Uint8Array(1_000_000))); // The echo is not read.
  await settle();
  const closing = pool.close();
  lease.release();
  assertEquals(pool.stats().closing, 1);
  const reason = new Error("now");
  pool.abort(reason);
  assertEquals(await writing, reason);
  await closing;
  assertEquals(await end(), 0);
  assertEquals(transport.openEnds, 0);
});
