import { assertEquals } from "@std/assert";
import { SocketPool } from "../../src/core.ts";
import { test } from "../harness.ts";
import { settle, withSeeds } from "../support/seeds.ts";
import { deferred } from "../transport/fakes.ts";
import { bytesOf, rejection } from "../transport/tools.ts";
import { FakeTransport } from "./fake_transport.ts";
import { TARGET } from "./tools.ts";

/** Nothing is made of failures. */
const RETRIES = { backoffMs: 0, breakAfter: Infinity };
const REFUSED = new Error("refused");

test("SocketPool connects no more than maxSize sockets while connects are pending (P2)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 3 });
  const asked = Array.from({ length: 10 }, () => pool.acquire());
  await settle();
  assertEquals([transport.connects.length, pool.stats().size], [3, 3]);
  for (const connect of transport.connects) connect.open();
  for (const lease of asked) (await lease).release();
  assertEquals([transport.connects.length, transport.mostHeld], [3, 3]);
  await pool.close();
});

test("SocketPool: failing connects refuse the oldest waiters, one each, with the cause (P2)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 2, backoffMs: 0 });
  const settled: string[] = [];
  const asked = Array.from(
    { length: 5 },
    (_, at) =>
      pool.acquire().then(() => settled.push(`${at}`), (error) => {
        assertEquals(error, REFUSED);
        settled.push(`${at} refused`);
      }),
  );
  for (let at = 0; at < 4; at++) {
    assertEquals(transport.connects.length, Math.min(at + 2, 5));
    transport.connects[at]!.fail(REFUSED);
    await settle();
    assertEquals(settled.length, at + 1);
  }
  transport.connects[4]!.open();
  await Promise.all(asked);
  assertEquals(settled, ["0 refused", "1 refused", "2 refused", "3 refused", "4"]);
  assertEquals([transport.connects.length, transport.mostHeld], [5, 2]);
  pool.abort();
});

test("SocketPool: a connect that fails serves the oldest, whichever connect it was (P2)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 2 });
  const first = pool.acquire();
  const second = pool.acquire();
  transport.connects[1]!.fail(REFUSED);
  assertEquals(await rejection(first), REFUSED);
  transport.connects[0]!.open();
  (await second).release();
  await pool.close();
});

test("SocketPool counts a connect that was given up until its descriptor is given back (P2)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 1 });
  const first = pool.acquire();
  transport.connects[0]!.abandon(REFUSED); // A timeout where connects cannot be cancelled.
  assertEquals(await rejection(first), REFUSED);
  const second = pool.acquire();
  await settle();
  assertEquals([transport.connects.length, pool.stats().size], [1, 1]);
  transport.connects[0]!.release();
  await settle();
  assertEquals(transport.connects.length, 2);
  transport.connects[1]!.open();
  (await second).release();
  assertEquals(transport.mostHeld, 1);
  await pool.close();
});

test("SocketPool connects for a waiter although an abandoned connect is still held (P2)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 2 });
  const first = pool.acquire();
  transport.connects[0]!.abandon(REFUSED);
  await rejection(first);
  const second = pool.acquire();
  assertEquals(transport.connects.length, 2); // There is room for it: nobody has to wait.
  transport.connects[1]!.open();
  (await second).release();
  transport.connects[0]!.release();
  assertEquals(pool.stats().size, 1);
  await pool.close();
});

test("SocketPool keeps the connect of a caller that gave up, for the next one (P2)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 1 });
  const controller = new AbortController();
  const first = pool.acquire({ signal: controller.signal });
  controller.abort(REFUSED);
  assertEquals(await rejection(first), REFUSED);
  assertEquals(pool.stats().connecting, 1);
  const second = pool.acquire();
  transport.connects[0]!.open();
  (await second).release();
  assertEquals(transport.connects.length, 1);
  await pool.close();
});

test("SocketPool: the socket of a caller that gave up becomes idle (P2)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 1 });
  const controller = new AbortController();
  const first = pool.acquire({ signal: controller.signal });
  controller.abort();
  await rejection(first);
  transport.connects[0]!.open();
  await settle();
  assertEquals(pool.stats().idle, 1);
  await pool.close();
  assertEquals(transport.held, 0);
});

test("SocketPool counts a closing socket until its descriptor is given back (P2)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 1 });
  const first = pool.acquire();
  const { socket, driver } = transport.connects[0]!.open();
  const drained = deferred();
  driver.closing = () => drained.promise;
  await socket.closeWrite();
  (await first).release(); // Half-closed: it is closed now, which takes a while.
  const second = pool.acquire();
  await settle();
  assertEquals([transport.connects.length, pool.stats().closing, pool.stats().size], [1, 1, 1]);
  drained.resolve();
  await settle();
  assertEquals(transport.connects.length, 2);
  transport.connects[1]!.open();
  (await second).release();
  assertEquals(transport.mostHeld, 1);
  await pool.close();
});

test("SocketPool.discard() makes room for the next waiter at once (P2)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 1 });
  const first = pool.acquire();
  transport.connects[0]!.open();
  const lease = await first;
  const second = pool.acquire();
  assertEquals(transport.connects.length, 1);
  lease.discard();
  assertEquals(transport.connects.length, 2);
  transport.connects[1]!.open();
  (await second).discard();
  assertEquals(pool.stats().size, 0);
  assertEquals(transport.connects.length, 2); // Nobody waits: nothing is connected.
  await pool.close();
});

test("SocketPool never holds more than maxSize descriptors, in 20,000 random steps (P2)", () =>
  withSeeds([11, 12, 13, 14], async (dice) => {
    const maxSize = 1 + dice.below(5);
    const transport = new FakeTransport();
    const pool = new SocketPool({ transport, target: TARGET, maxSize, maxWaiting: 50, ...RETRIES });
    const pending = new Set<(typeof transport.connects)[number]>();
    const abandoned = new Set<(typeof transport.connects)[number]>();
    const leases = new Set<Awaited<ReturnType<typeof pool.acquire>>>();
    let asked = 0;
    let settled = 0;
    let known = 0;
    for (let step = 0; step < 5000; step++) {
      const dicing = dice.random();
      const [connect] = pending;
      if (dicing < 0.4) {
        asked++;
        pool.acquire({ timeoutMs: Infinity }).then((lease) => leases.add(lease), () => {})
          .finally(() => settled++);
      } else if (dicing < 0.6 && connect !== undefined) {
        pending.delete(connect);
        if (dicing < 0.5) connect.open();
        else if (dicing < 0.55) connect.fail(REFUSED);
        else {
          connect.abandon(REFUSED);
          abandoned.add(connect);
        }
      } else if (dicing < 0.7 && abandoned.size > 0) {
        const late = dice.oneOf([...abandoned]);
        abandoned.delete(late);
        late.release();
      } else if (leases.size > 0) {
        const lease = dice.oneOf([...leases]);
        leases.delete(lease);
        if (dicing < 0.9) lease.release();
        else lease.discard();
      }
      if (dice.random() < 0.5) await settle();
      for (; known < transport.connects.length; known++) pending.add(transport.connects[known]!);
      const { size, waiting, connecting } = pool.stats();
      if (size > maxSize || transport.held > size) {
        throw new Error(`step ${step}: ${transport.held} held, size ${size} of ${maxSize}`);
      }
      if (waiting > connecting && size < maxSize) throw new Error(`step ${step}: a waiter is lost`);
    }
    for (const lease of leases) lease.release();
    for (const late of abandoned) late.release();
    pool.abort();
    await settle();
    for (; known < transport.connects.length; known++) pending.add(transport.connects[known]!);
    for (const connect of pending) connect.release();
    await pool.close();
    await settle();
    for (const lease of leases) lease.release();
    assertEquals([settled, transport.held, pool.stats().size], [asked, 0, 0]);
  }));

test("SocketPool passes its connect timeout on", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, connectTimeoutMs: 77 });
  const asked = pool.acquire();
  assertEquals(transport.connects[0]!.options.timeoutMs, 77);
  const { socket } = transport.connects[0]!.open();
  const lease = await asked;
  assertEquals(lease.socket, socket);
  assertEquals(await lease.socket.write(bytesOf("x")), 1);
  lease.release();
  await pool.close();
});
