import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SocketPool, type SocketPoolOptions } from "../../src/core.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { rejection } from "../transport/tools.ts";
import { FakeTransport } from "./fake_transport.ts";
import { poolOnEcho, TARGET, watchedSignal } from "./tools.ts";

/** The timer of a pool that has sockets to look after. */
const KEEPER = 1;

/** A pool whose only socket is leased. */
async function busyPool(options: Partial<SocketPoolOptions> = {}) {
  const clock = new VirtualClock();
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 1, clock, ...options });
  const asked = pool.acquire();
  transport.connects[0]!.open();
  return { clock, transport, pool, lease: await asked };
}

test("SocketPool.acquire() serves waiters in the order in which they came", async () => {
  const { pool, lease } = await busyPool();
  const order: number[] = [];
  const all = Array.from({ length: 20 }, (_, at) =>
    pool.acquire().then(async (mine) => {
      order.push(at);
      await settle();
      mine.release();
    }));
  lease.release();
  await Promise.all(all);
  assertEquals(order, [...all.keys()]);
  await pool.close();
});

test("SocketPool.acquire(): nobody overtakes who waits, tryAcquire() neither", async () => {
  const { pool, lease } = await busyPool();
  const waiting = pool.acquire();
  lease.release(); // Goes to the waiter, not to who asks next in the same turn.
  assertEquals(pool.tryAcquire(), undefined);
  const late = pool.acquire();
  (await waiting).release();
  (await late).release();
  await pool.close();
});

test("SocketPool.acquire() rejects with POOL_TIMEOUT when no socket comes free in time", async () => {
  const { clock, pool, lease } = await busyPool();
  const waiting = pool.acquire({ timeoutMs: 1000 });
  const error = rejection(waiting);
  await clock.advance(999);
  assertEquals(pool.stats().waiting, 1);
  await clock.advance(1);
  const { code, phase, limit, operation, message } = await error as Awaited<typeof error> & {
    phase?: string;
    limit?: number;
    operation?: string;
  };
  assertEquals([code, phase, limit, operation], ["POOL_TIMEOUT", "wait", 1000, "acquire"]);
  assertStringIncludes(
    message,
    "none came free in 1000 ms (1 sockets: 1 leased, 0 connecting, 0 checking; 1 waiting)",
  );
  assertEquals([pool.stats().waiting, clock.pending], [0, KEEPER]);
  lease.release();
  assertEquals(pool.stats().idle, 1); // It went to nobody.
  await pool.close();
});

test("SocketPool.acquire() waits 30 seconds unless told otherwise, or for ever", async () => {
  const { clock, pool, lease } = await busyPool();
  const usual = rejection(pool.acquire());
  const patient = pool.acquire({ timeoutMs: Infinity });
  await clock.advance(29_999);
  assertEquals(pool.stats().waiting, 2);
  await clock.advance(1);
  assertEquals((await usual).code, "POOL_TIMEOUT");
  await clock.advance(1e6);
  assertEquals([pool.stats().waiting, clock.pending], [1, KEEPER]);
  lease.release();
  (await patient).release();
  await pool.close();
});

test("SocketPool.acquire() leaves no timer behind when it is served", async () => {
  const { clock, pool, lease } = await busyPool();
  const waiting = pool.acquire({ timeoutMs: 1000 });
  assertEquals(clock.pending, KEEPER + 1);
  lease.release();
  const mine = await waiting;
  await settle();
  assertEquals(clock.pending, KEEPER);
  await clock.advance(5000);
  assertEquals(mine.state, "leased");
  mine.release();
  await pool.close();
});

test("SocketPool.acquire() refuses a timeoutMs that is no time", async () => {
  const { pool, lease } = await busyPool();
  for (const timeoutMs of [0, -1, NaN]) {
    const error = await rejection(pool.acquire({ timeoutMs }));
    assert(error instanceof RangeError);
    assertStringIncludes(error.message, `timeoutMs "${timeoutMs}"`);
  }
  assertEquals(pool.stats().waiting, 0);
  lease.release();
  await pool.close();
});

test("SocketPool.acquire() rejects with the signal's reason and gives its place up", async () => {
  const { clock, pool, lease } = await busyPool();
  const { controller, listeners } = watchedSignal();
  const [first, second] = [pool.acquire({ signal: controller.signal }), pool.acquire()];
  assertEquals([listeners(), pool.stats().waiting, clock.pending], [1, 2, KEEPER + 1]);
  const reason = new Error("not needed any more");
  controller.abort(reason);
  assertEquals(await rejection(first), reason);
  assertEquals([listeners(), pool.stats().waiting, clock.pending], [0, 1, KEEPER + 1]);
  lease.release();
  (await second).release();
  await pool.close();
});

test("SocketPool.acquire() leaves no listener at the signal, however it ends", async () => {
  const { clock, transport, pool, lease } = await busyPool();
  const { controller, listeners } = watchedSignal();
  const { signal } = controller;
  const timeout = rejection(pool.acquire({ signal, timeoutMs: 5 }));
  await clock.advance(5);
  await timeout;
  assertEquals(listeners(), 0, "after a timeout");
  const served = pool.acquire({ signal });
  lease.release();
  (await served).release();
  assertEquals(listeners(), 0, "after a lease");
  (await pool.acquire({ signal })).discard();
  assertEquals(listeners(), 0, "after a lease without waiting");
  const failed = rejection(pool.acquire({ signal }));
  transport.connects.at(-1)!.fail(new Error("refused"));
  await failed;
  assertEquals(listeners(), 0, "after a failed connect");
  const closed = rejection(pool.acquire({ signal }));
  const over = pool.close();
  await closed;
  assertEquals(listeners(), 0, "after close");
  transport.connects.at(-1)!.release();
  await over;
});

test("SocketPool.acquire() with an aborted signal takes nothing, an idle socket neither", async () => {
  const { pool, lease } = await busyPool();
  lease.release();
  const reason = new Error("before it began");
  assertEquals(await rejection(pool.acquire({ signal: AbortSignal.abort(reason) })), reason);
  assertEquals(pool.stats().idle, 1);
  await pool.close();
});

test("SocketPool.acquire(): an abort after the lease takes nothing away", async () => {
  const { pool, lease } = await busyPool();
  const { controller } = watchedSignal();
  const waiting = pool.acquire({ signal: controller.signal });
  lease.release();
  controller.abort(); // Granted already, although nobody has looked yet.
  const mine = await waiting;
  assertEquals([mine.state, mine.socket.state], ["leased", "open"]);
  mine.release();
  await pool.close();
});

test("SocketPool.acquire() rejects with POOL_QUEUE_FULL when too many wait", async () => {
  const { pool, lease } = await busyPool({ maxWaiting: 2 });
  const waiting = [pool.acquire(), pool.acquire()];
  const error = await rejection(pool.acquire()) as Error & { code?: string; limit?: number };
  assertEquals([error.code, error.limit], ["POOL_QUEUE_FULL", 2]);
  assertEquals(pool.stats().waiting, 2);
  lease.release();
  for (const one of waiting) (await one).release();
  await pool.close();
});

test("SocketPool with maxWaiting 0 connects, and refuses who would have to wait", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 2, maxWaiting: 0 });
  const asked = [pool.acquire(), pool.acquire()];
  assertEquals((await rejection(pool.acquire())).code, "POOL_QUEUE_FULL");
  for (const connect of transport.connects) connect.open();
  const leases = await Promise.all(asked);
  assertEquals((await rejection(pool.acquire())).code, "POOL_QUEUE_FULL");
  for (const lease of leases) lease.release();
  (await pool.acquire()).release();
  await pool.close();
});

test("SocketPool.acquire() takes a socket in memory in no time at all", async () => {
  const clock = new VirtualClock(); // Which nobody moves.
  const { pool, end } = await poolOnEcho({ clock });
  (await pool.acquire({ timeoutMs: 1 })).release();
  await settle();
  assertEquals(clock.pending, KEEPER);
  assertEquals(await end(), 0);
});
