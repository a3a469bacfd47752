// Who is next: priorities, tenants, and nobody for ever.
import { assert, assertEquals } from "@std/assert";
import type { AcquireOptions, SocketLease, SocketPool, SocketPoolOptions } from "../../src/core.ts";
import type { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { lease, poolOnFakes, refusal } from "./tools.ts";

/** A pool whose only socket is leased, and a list of who got it after that. */
async function oneSocket(options: Partial<SocketPoolOptions> = {}) {
  const { clock, pool } = poolOnFakes({ maxSize: 1, ...options });
  const [held] = await lease(pool, 1);
  const order: string[] = [];
  const given: SocketLease[] = [held!];
  const ask = (name: string, asked: AcquireOptions = {}) =>
    void pool.acquire({ timeoutMs: Infinity, ...asked }).then((mine) => {
      order.push(name);
      given.push(mine);
    }, () => order.push(`${name} refused`));
  /** Give the socket to the next one, so many times. */
  const serve = async (times = 1) => {
    for (; times > 0; times--) {
      given.shift()!.release();
      await settle();
    }
    return order;
  };
  return { clock, pool, ask, serve, order };
}

async function drain(pool: SocketPool, clock: VirtualClock): Promise<void> {
  pool.abort();
  await clock.settle();
  assertEquals([pool.stats().waiting, clock.pending], [0, 0]);
}

test("SocketPool.acquire() serves higher priorities first, each in the order of arrival (6)", async () => {
  const { clock, pool, ask, serve } = await oneSocket();
  for (const [name, priority] of [["a", 0], ["b", -1], ["c", 3], ["d", 3], ["e", 0]] as const) {
    ask(name, { priority });
  }
  assertEquals((await serve(5)).join(""), "cdaeb");
  await drain(pool, clock);
});

test("SocketPool.acquire(): who has waited long enough goes before a higher priority (6)", async () => {
  const { clock, pool, ask, serve } = await oneSocket({ agingMs: 100 });
  ask("old", { priority: -3 });
  await clock.advance(499);
  ask("urgent", { priority: 2 }); // Five steps of 100 ms, and the old one has waited 499 ms.
  await clock.advance(1);
  ask("late", { priority: 2 });
  assertEquals(await serve(3), ["urgent", "old", "late"]);
  await drain(pool, clock);
});

test("SocketPool.acquire(): an endless stream of urgent callers starves nobody (6)", async () => {
  const { clock, pool, ask, serve, order } = await oneSocket({ agingMs: 100 });
  ask("batch", { priority: -2 });
  let served = 0;
  for (; !order.includes("batch") && served < 100; served++) {
    ask("urgent", { priority: 2 });
    ask("urgent", { priority: 2 }); // More come than are served.
    await clock.advance(20);
    await serve();
  }
  assert(served >= 10 && served <= 45, `the batch was number ${served}`);
  await drain(pool, clock);
});

test("SocketPool.acquire(): a backlog of batch work does not hold up an urgent caller (6)", async () => {
  const { clock, pool, ask, serve } = await oneSocket();
  for (let at = 0; at < 50; at++) ask("batch");
  await clock.advance(999); // Less than the step of priority is worth.
  ask("urgent", { priority: 1 });
  assertEquals(await serve(), ["urgent"]);
  await drain(pool, clock);
});

test("SocketPool.acquire(): one tenant with 40 waiters holds up nobody else (6)", async () => {
  const { clock, pool, ask, serve } = await oneSocket();
  for (let at = 0; at < 40; at++) ask("many", { tenant: "many" });
  ask("single", { tenant: "single" });
  const order = await serve(2);
  assert(order.includes("single"), `the first two were ${order}`);
  assertEquals((await serve(39)).length, 41);
  await drain(pool, clock);
});

test("SocketPool.acquire() gives each tenant its weight while all of them wait (6)", async () => {
  const asked: string[] = [];
  const { clock, pool, ask, serve } = await oneSocket({
    tenantWeight: (tenant) => (asked.push(tenant), { gold: 6, silver: 3, tin: 1 }[tenant] ?? 1),
  });
  for (const name of ["tin", "silver", "gold"]) {
    for (let at = 0; at < 100; at++) ask(name, { tenant: name });
  }
  const counts: Record<string, number> = {};
  for (const name of await serve(100)) counts[name] = (counts[name] ?? 0) + 1;
  assertEquals(counts, { gold: 60, silver: 30, tin: 10 });
  assert(new Set(asked).size >= 3 && asked.length < 20, `${asked.length} times`);
  await drain(pool, clock);
});

test("SocketPool.acquire(): a tenant's priorities cost other tenants nothing (6)", async () => {
  const { clock, pool, ask, serve } = await oneSocket();
  for (let at = 0; at < 10; at++) ask("loud", { tenant: "loud", priority: 8 });
  for (let at = 0; at < 10; at++) ask("calm", { tenant: "calm" });
  const order = await serve(10);
  assertEquals(order.filter((name) => name === "calm").length, 5);
  await drain(pool, clock);
});

test("SocketPool.acquire(): who gives up costs its tenant no turn (6)", async () => {
  const { clock, pool, ask, serve, order } = await oneSocket();
  const controller = new AbortController();
  const gaveUp = Array.from(
    { length: 5 },
    () => refusal(pool.acquire({ tenant: "a", signal: controller.signal })),
  );
  for (let at = 0; at < 3; at++) ask("b", { tenant: "b" });
  for (let at = 0; at < 3; at++) ask("a", { tenant: "a" });
  controller.abort(new Error("enough"));
  await Promise.all(gaveUp);
  await serve(6);
  assertEquals(order.slice(0, 4).sort(), ["a", "a", "b", "b"]);
  await drain(pool, clock);
});

test("SocketPool.acquire(): an old waiter keeps its place when sockets end and connect again (6)", async () => {
  const { clock, pool, ask, order } = await oneSocket();
  ask("first");
  ask("second");
  await clock.advance(10);
  ask("third");
  assertEquals(order, []);
  pool.resize(2); // Room for one more: it is for the one that waits longest.
  await settle();
  assertEquals(order, ["first"]);
  await drain(pool, clock);
});

test("SocketPool.acquire() refuses a priority or a tenant's weight that is none, waiting or not", async () => {
  const { pool, ask, order, serve } = await oneSocket({
    tenantWeight: (tenant) => tenant === "bad" ? NaN : 1,
  });
  const free = poolOnFakes();
  (await free.pool.acquire()).release();
  for (const asked of [{ priority: 9 }, { priority: 0.5 }, { priority: NaN }]) {
    assert(await refusal(pool.acquire(asked)) instanceof RangeError, `${asked.priority} waiting`);
    // The same mistake must not depend on whether a socket happens to be free.
    const answer = free.pool.acquire(asked).then(
      (mine) => (mine.release(), "a lease"),
      () => "refused",
    );
    assertEquals(await answer, "refused", `priority ${asked.priority} with a free socket`);
  }
  assert(await refusal(pool.acquire({ tenant: "bad" })) instanceof RangeError);
  ask("good");
  await serve(1);
  assertEquals([order, pool.stats().waiting], [["good"], 0]);
  pool.abort();
  await free.pool.close();
});
