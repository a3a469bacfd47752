// Tasks that hold a socket while they wait for another one, and leases that never come back.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { LeakReport, SocketPool, SocketPoolOptions } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { deferred, fakeSocket } from "../transport/fakes.ts";
import { lease, outcomeOf, type PoolOnFakes, poolOnFakes, refusal, sums } from "./tools.ts";

const { contexts } = systemTransport().host;

const contextPool = (options: Partial<SocketPoolOptions> = {}): PoolOnFakes<undefined> =>
  poolOnFakes(options, { host: { contexts } });

test("SocketPool.use() in use() at the limit: the youngest is refused at once, with both names (7)", async () => {
  const { clock, pool } = contextPool({ maxSize: 2 });
  const begun = [deferred(), deferred()];
  const go = deferred();
  const order: string[] = [];
  const outer = (at: number) =>
    pool.use(async function readOrders() {
      begun[at]!.resolve();
      await go.promise;
      if (at === 1) await settle();
      try {
        await pool.use(function readLines() {
          order.push(`lines ${at}`);
        });
      } catch (error) {
        order.push(`refused ${at}`);
        throw error;
      }
    });
  const [older, younger] = [outer(0), outer(1)];
  await Promise.all(begun.map(({ promise }) => promise));
  go.resolve();
  const { code, limit, message } = await refusal(younger);
  assertEquals([code, limit, clock.now()], ["POOL_DEADLOCK", 2, 0]);
  assertStringIncludes(message, "all 2 are held by tasks that wait for this pool themselves");
  assertStringIncludes(message, '"readOrders" holds one while "readLines" within it asks');
  assertEquals(message.includes("\n"), false); // No stacks without `debug`.
  await older; // What the youngest held is free now.
  assertEquals(order, ["refused 1", "lines 0"]);
  await pool.close();
});

test("SocketPool with debug names the places of both calls in POOL_DEADLOCK (7)", async () => {
  const { pool } = contextPool({ maxSize: 1, debug: true });
  const error = await refusal(
    pool.use(async function outerTask() {
      await settle();
      await pool.acquire({ label: "inner" });
    }),
  );
  const { message } = error;
  assertStringIncludes(message, '"outerTask" holds one while "inner" within it');
  const [, held, asked] = message.split(/\n(?:held|asked): /);
  assertStringIncludes(held!, "deadlock_test");
  assertStringIncludes(asked!, "deadlock_test");
  await pool.close();
});

test("SocketPool.use() within use() is no deadlock while there is room (7)", async () => {
  const { pool } = contextPool({ maxSize: 3 });
  assertEquals(await pool.use(() => pool.use(() => pool.use(() => "third level"))), "third level");
  await pool.close();
});

test("SocketPool: three levels of use() that need one socket more than there is (7)", async () => {
  const { clock, pool } = contextPool({ maxSize: 2 });
  const third = pool.use(() => pool.use(() => pool.use(() => "third level")));
  assertEquals((await refusal(third)).code, "POOL_DEADLOCK");
  assertEquals([clock.now(), sums(pool).leased, sums(pool).waiting], [0, 0, 0]);
  await pool.close();
});

test("SocketPool: two levels of one task and one of another, in either order (7)", async () => {
  for (const firstWaits of [true, false]) {
    const { pool } = contextPool({ maxSize: 3 });
    const go = [deferred(), deferred()];
    const deep = pool.use(() => pool.use(() => go[0]!.promise.then(() => pool.use(() => "deep"))));
    const flat = pool.use(() => go[1]!.promise.then(() => pool.use(() => "flat")));
    await settle();
    assertEquals(sums(pool).leased, 3);
    for (const at of firstWaits ? [0, 1] : [1, 0]) {
      go[at]!.resolve();
      await settle();
    }
    const results = await Promise.all([deep, flat].map((one) => one.catch(({ code }) => code)));
    assertEquals(results, firstWaits ? ["deep", "POOL_DEADLOCK"] : ["POOL_DEADLOCK", "flat"]);
    await pool.close();
  }
});

test("SocketPool never accuses a bare acquire(), nor a task beside one (7)", async () => {
  const { clock, pool } = contextPool({ maxSize: 2 });
  const [bare] = await lease(pool, 1);
  const inner = pool.use(() => outcomeOf(pool.acquire(), clock));
  await clock.advance(5_000);
  assertEquals(sums(pool).waiting, 1); // The bare one may come back.
  bare!.release();
  const { atMs, lease: mine } = await inner;
  assertEquals(atMs, 5_000);
  mine!.release();

  const both = await lease(pool, 2);
  const waiting = outcomeOf(pool.acquire({ timeoutMs: 1_000 }), clock);
  await clock.advance(1_000);
  assertEquals((await waiting).code, "POOL_TIMEOUT"); // A task without `use` is not known.
  for (const one of both) one.release();
  await pool.close();
});

test("SocketPool does not accuse a task that gave its socket back before it asks again (7)", async () => {
  const { pool } = contextPool({ maxSize: 1 });
  const result = pool.use(async (first) => {
    first.release();
    const [bare] = await lease(pool, 1); // Now it is somebody else's.
    const second = pool.use(() => "second");
    await settle();
    assertEquals(sums(pool).waiting, 1);
    bare!.release();
    return await second;
  });
  assertEquals(await result, "second");
  await pool.close();
});

test("SocketPool does not accuse who waits while another task's socket comes back (7)", async () => {
  const { clock, pool } = contextPool({ maxSize: 2 });
  const done = deferred();
  const busy = pool.use(() => done.promise);
  const nested = pool.use(() => pool.use(() => clock.now()));
  await clock.advance(1_000);
  done.resolve();
  await busy;
  assertEquals(await nested, 1_000);
  await pool.close();
});

test("SocketPool forgets a wait within a task that was given up (7)", async () => {
  const { clock, pool } = contextPool({ maxSize: 2 });
  const done = deferred();
  const first = pool.use(async () => {
    const inner = await outcomeOf(pool.acquire({ timeoutMs: 100 }), clock);
    assertEquals(inner.code, "POOL_TIMEOUT");
    await done.promise;
  });
  const hold = deferred();
  const second = pool.use(() => hold.promise.then(() => pool.use(() => "got it")));
  await clock.advance(100);
  hold.resolve(); // The first one does not wait any more: its socket will come back.
  await settle();
  done.resolve();
  await first;
  assertEquals(await second, "got it");
  await pool.close();
});

test("SocketPool: two pools in one another are two pools (7)", async () => {
  const [one, other] = [contextPool({ maxSize: 1 }), contextPool({ maxSize: 1 })];
  const through = (a: SocketPool, b: SocketPool) => a.use(() => b.use(() => "both"));
  assertEquals(await through(one.pool, other.pool), "both");
  assertEquals(await through(other.pool, one.pool), "both");
  // Who holds a socket of one pool may wait for the other, whoever has that one's.
  const [bare] = await lease(other.pool, 1);
  const patient = one.pool.use(() => other.pool.use(() => "in the end"));
  await settle();
  assertEquals(sums(other.pool).waiting, 1);
  bare!.release();
  assertEquals(await patient, "in the end");
  const twice = one.pool.use(() => other.pool.use(() => one.pool.use(() => "never")));
  assertEquals((await refusal(twice)).code, "POOL_DEADLOCK");
  await Promise.all([one.pool.close(), other.pool.close()]);
});

test("SocketPool sees a deadlock that comes about when the pool becomes smaller (7)", async () => {
  const { clock, pool } = contextPool({ maxSize: 2 });
  const done = deferred();
  const busy = pool.use(() => done.promise);
  const nested = outcomeOf(pool.use(() => pool.acquire()), clock);
  await settle();
  assertEquals(sums(pool).waiting, 1); // The busy one would give it a socket,
  pool.resize(1);
  done.resolve(); // but there is room for one only, which the nested task has itself.
  await busy;
  await clock.advance(30_000);
  const { atMs, code } = await nested;
  assertEquals([atMs, code], [0, "POOL_DEADLOCK"]);
  await pool.close();
});

test("SocketPool that lives of add() accuses nobody: another socket may be added (7)", async () => {
  const { clock, pool } = contextPool({ target: [], maxSize: 2 });
  await pool.add(fakeSocket().socket);
  const nested = pool.use(() => outcomeOf(pool.acquire(), clock));
  await settle();
  await pool.add(fakeSocket().socket);
  const { code, lease: mine } = await nested;
  assertEquals(code, undefined);
  mine!.release();
  await pool.close();
});

test("SocketPool reports a lease that is not given back, once, with its label", async () => {
  const reports: LeakReport[] = [];
  const errors: unknown[] = [];
  const { clock, pool } = contextPool({
    maxSize: 2,
    leakAfterMs: 10_000,
    observer: { leaked: (report) => reports.push(report) },
    onError: (error, { stage }) => errors.push([stage, (error as Error).message]),
  });
  const leaked = await pool.acquire({ label: "nightly report" });
  await clock.advance(9_000);
  for (let at = 0; at < 5; at++) (await pool.acquire({ label: "short" })).release();
  assertEquals(reports, []);
  await clock.advance(1_250);
  const { label, stack, heldMs, localAddress, remoteAddress } = reports[0]!;
  assertEquals([label, stack], ["nightly report", undefined]);
  assert(heldMs >= 10_000 && heldMs <= 10_250, `${heldMs}`);
  assertEquals([localAddress, remoteAddress], [
    leaked.socket.localAddress,
    leaked.socket.remoteAddress,
  ]);
  await clock.advance(60_000);
  assertEquals(reports.length, 1);
  assertEquals(errors.length, 1);
  assertStringIncludes(
    String(errors[0]),
    'leak,Cannot find a leased socket again: the lease of "nightly report"',
  );
  assertEquals(leaked.state, "leased"); // It is told of, not taken away.
  leaked.release();
  await pool.acquire({ label: "another" }); // A new lease of the same socket is a new case.
  await clock.advance(10_250);
  assertEquals(reports.map(({ label }) => label), ["nightly report", "another"]);
  pool.abort();
});

test("SocketPool with debug reports the place of a leak; with a share, of some (7)", async () => {
  const stacks = async (debug: boolean | number) => {
    const found: (string | undefined)[] = [];
    let draws = 0;
    const { clock, pool } = contextPool({
      maxSize: 10,
      debug,
      random: () => draws++ % 10 / 10,
      leakAfterMs: 1_000,
      observer: { leaked: ({ stack }) => found.push(stack) },
    });
    await lease(pool, 10);
    await clock.advance(1_250);
    pool.abort();
    return found;
  };
  const all = await stacks(true);
  assertEquals(all.length, 10);
  for (const stack of all) assertStringIncludes(stack!, "tools.ts"); // Where `acquire` was called.
  assertEquals((await stacks(false)).filter(Boolean).length, 0);
  const some = (await stacks(0.3)).filter(Boolean).length;
  assert(some >= 1 && some <= 6, `${some} of 10`);
});
