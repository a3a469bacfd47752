// What happens to a socket between two tasks.
import { assertEquals } from "@std/assert";
import type { Socket } from "../../src/core.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { deferred } from "../transport/fakes.ts";
import { bytesOf } from "../transport/tools.ts";
import { idle, lease, outcomeOf, poolOnFakes, sums } from "./tools.ts";

const BAD = new Error("in a transaction");

test("SocketPool resets a socket between two tasks, before the next one gets it", async () => {
  const order: string[] = [];
  const { pool } = poolOnFakes({
    maxSize: 1,
    prepare: () => "session",
    reset: async (socket: Socket, { session, signal }) => {
      assertEquals([session, signal.aborted, socket.state], ["session", false, "open"]);
      order.push("reset");
      await settle();
      order.push("reset done");
    },
  });
  const [first] = await lease(pool, 1);
  const waiting = pool.acquire().then((mine) => (order.push("next task"), mine));
  order.push("released");
  first!.release();
  assertEquals([sums(pool).checking, sums(pool).idle], [1, 0]);
  assertEquals(pool.tryAcquire(), undefined);
  (await waiting).release();
  assertEquals(order.slice(0, 4), ["released", "reset", "reset done", "next task"]);
  await settle();
  await settle(); // The reset after the last task takes as long.
  assertEquals(sums(pool).idle, 1);
  await pool.close();
});

test("SocketPool does not reset a socket that was discarded, or is too old", async () => {
  let resets = 0;
  const { clock, pool } = poolOnFakes({ maxLifetimeMs: 1_000, reset: () => void resets++ });
  const [one, two] = await lease(pool, 2);
  one!.discard();
  await clock.advance(1_250);
  two!.release();
  await settle();
  assertEquals([resets, sums(pool).size], [0, 0]);
  await pool.close();
});

const BAD_RESETS: readonly [how: string, reset: () => Promise<void>, afterMs: number][] = [
  ["throws", () => {
    throw BAD;
  }, 0],
  ["rejects", () => Promise.reject(BAD), 0],
  ["hangs", () => new Promise(() => {}), 400],
];

for (const [how, reset, afterMs] of BAD_RESETS) {
  test(`SocketPool ends a socket whose reset ${how}, and the next task gets another one`, async () => {
    const stages: string[] = [];
    const { clock, pool, transport } = poolOnFakes({
      maxSize: 1,
      reset,
      resetTimeoutMs: 400,
      onError: (_error, { stage }) => stages.push(stage),
    });
    const [first] = await lease(pool, 1);
    const asked = outcomeOf(pool.acquire(), clock);
    first!.release();
    await clock.advance(afterMs);
    const { atMs, lease: mine } = await asked;
    assertEquals([atMs, mine!.socket === first!.socket], [afterMs, false]);
    assertEquals([stages, transport.mostHeld], [["reset"], 1]);
    mine!.discard();
    await pool.close();
    assertEquals([transport.held, clock.pending], [0, 0]);
  });
}

test("SocketPool: a reset that hangs in a write takes no place beyond its time", async () => {
  const { clock, pool, transport } = poolOnFakes({
    maxSize: 1,
    resetTimeoutMs: 400,
    reset: async (socket) => void await socket.write(bytesOf("RESET")),
  });
  const [first] = await lease(pool, 1);
  transport.connects[0]!.made!.driver.writes.push(deferred<number>().promise); // The peer is stuck.
  const asked = outcomeOf(pool.acquire(), clock);
  first!.release();
  await clock.advance(400);
  const { atMs } = await Promise.race([asked, settle().then(() => ({ atMs: Infinity }))]);
  assertEquals([atMs, sums(pool).closing], [400, 0]);
  pool.abort();
  await asked;
});

test("SocketPool lends no socket that ended, or got bytes, while it was reset", async () => {
  const done = deferred();
  const { pool, transport } = poolOnFakes({ maxSize: 1, reset: () => done.promise });
  const [first] = await lease(pool, 1);
  const waiting = pool.acquire();
  first!.release();
  transport.connects[0]!.made!.driver.watcher!.gone();
  done.resolve();
  assertEquals((await waiting).socket, transport.connects[1]!.made!.socket);
  (await waiting).release();
  await pool.close();
  assertEquals(transport.held, 0);
});

test("SocketPool lends no socket from which its reset still reads", async () => {
  const { pool } = poolOnFakes({
    maxSize: 1,
    reset: (socket) => void socket.read(new Uint8Array(1)).catch(() => {}),
  });
  const [first] = await lease(pool, 1);
  const waiting = pool.acquire();
  first!.release();
  const next = await waiting;
  assertEquals(next.socket === first!.socket, false);
  next.discard();
  await pool.close();
});

test("SocketPool.close() gives up a reset, and lends its socket to nobody", async () => {
  const signals: AbortSignal[] = [];
  const { clock, pool, transport } = poolOnFakes({
    reset: (_socket, { signal }) => (signals.push(signal), new Promise<void>(() => {})),
  });
  await idle(pool, 1);
  await pool.close();
  await settle();
  assertEquals([signals[0]!.aborted, transport.held, clock.pending], [true, 0, 0]);
});

test("SocketPool.use() resolves without waiting for the reset", async () => {
  const done = deferred();
  const { pool } = poolOnFakes({ reset: () => done.promise });
  assertEquals(await pool.use(() => "result"), "result");
  assertEquals(sums(pool).checking, 1);
  done.resolve();
  await settle();
  assertEquals(sums(pool).idle, 1);
  await pool.close();
});
