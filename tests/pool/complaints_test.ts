// What users of other pools complain about: who waits, and how it ends. Each name has the thread of a
// complaint; what a naive pool would do instead stands beside what is expected here.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type SocketLease, SocketPool } from "../../src/core.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { FakeTransport } from "./fake_transport.ts";
import { idle, lease, outcomeOf, poolOnFakes, refusal, sums, TARGET } from "./tools.ts";

const REFUSED = new Error("refused");

/** Contexts of the runtime, over connects of the test. */
const { contexts } = systemTransport().host;

test("complaint: waiters hang when a socket is evicted by its lifetime (undici#5144)", async () => {
  const { clock, transport, pool } = poolOnFakes({ maxSize: 1, maxLifetimeMs: 10_000 });
  const [first] = await lease(pool, 1);
  const waiting = pool.acquire({ timeoutMs: 60_000 });
  await clock.advance(11_000); // It is too old now, and in use.
  first!.release();
  (await waiting).release(); // A naive pool closes it and tells nobody that there is room.
  assertEquals([transport.connects.length, transport.mostHeld], [2, 1]);
  assertEquals(clock.now(), 11_000);
  await pool.close();
});

const REMOVALS: readonly [how: string, remove: (lease: SocketLease) => unknown][] = [
  ["discarded", (lease) => lease.discard()],
  ["returned dead", (lease) => (lease.socket.abort(), lease.release())],
  ["returned half-closed", async (lease) => {
    await lease.socket.closeWrite();
    lease.release();
  }],
];

for (const [how, remove] of REMOVALS) {
  test(`complaint: waiters hang when a socket is removed: ${how} (undici#5144)`, async () => {
    const { clock, transport, pool } = poolOnFakes({ maxSize: 2 });
    const leases = await lease(pool, 2);
    const waiting = [pool.acquire(), pool.acquire(), pool.acquire()];
    for (const one of leases) await remove(one);
    for (const one of waiting) (await one).release();
    assertEquals([transport.connects.length, transport.mostHeld, clock.now()], [4, 2, 0]);
    await pool.close();
  });
}

test("complaint: waiters hang when the one before them gives up (undici#5144)", async () => {
  const { clock, pool } = poolOnFakes({
    maxSize: 2,
    // A task without a key takes any socket, one with a key none of those that are idle.
    strategy: (candidates, { key }) => key === undefined ? candidates[0] : undefined,
  });
  const [held, given] = await lease(pool, 2);
  given!.release();
  const controller = new AbortController();
  const choosy = refusal(pool.acquire({ key: "none", signal: controller.signal }));
  const modest = pool.acquire({ timeoutMs: 60_000 });
  await settle();
  assertEquals([pool.stats().idle, pool.stats().waiting], [1, 2]);
  controller.abort(REFUSED);
  assertEquals(await choosy, REFUSED as unknown);
  const { atMs, code } = await Promise.race([
    outcomeOf(modest, clock),
    clock.advance(5_000).then(() => ({ atMs: clock.now(), code: "nothing yet" })),
  ]);
  assertEquals([atMs, code], [0, undefined]);
  (await modest).release();
  held!.release();
  await pool.close();
});

test("complaint: acquire never settles when create fails (node-pool#175, #183)", async () => {
  const { clock, transport, pool } = poolOnFakes({}, { answer: (one) => one.fail(REFUSED) });
  assertEquals(await refusal(pool.acquire()), REFUSED as unknown);
  assertEquals(clock.now(), 0);
  assertEquals(sums(pool).size, 0);
  assertEquals(transport.held, 0);
  await pool.close();
});

test("complaint: a create that fails is tried again in an endless loop (node-pool#161, #273)", async () => {
  const { clock, transport, pool } = poolOnFakes({}, { answer: (one) => one.fail(REFUSED) });
  const asked = Array.from({ length: 3 }, () => outcomeOf(pool.acquire({ timeoutMs: 50 }), clock));
  await clock.advance(50);
  await Promise.all(asked);
  const tries = transport.connects.length;
  await clock.advance(3_600_000);
  assertEquals(transport.connects.length, tries); // Nobody asks: nothing is tried.
  await pool.close();

  const kept = poolOnFakes({ minIdle: 5 }, { answer: (one) => one.fail(REFUSED) });
  await kept.clock.advance(3_600_000); // An hour, and the most between two tries is 30 seconds.
  const { length } = kept.transport.connects;
  assert(length > 100 && length < 150, `${length} connects`);
  await kept.pool.close();
});

test("complaint: the factory fails, nothing exists, and who waits is stuck (commons-pool#346)", async () => {
  let tries = 0;
  const { clock, pool } = poolOnFakes({ maxSize: 2 }, {
    answer: (one) => ++tries <= 3 ? one.fail(REFUSED) : void one.open(),
  });
  const asked = Array.from({ length: 8 }, () => outcomeOf(pool.acquire(), clock));
  for (const one of asked) void one.then(({ lease }) => lease?.release());
  await clock.advance(1_000); // Naive: only a return or a new call would make it try again.
  const outcomes = await Promise.all(asked);
  assertEquals(outcomes.filter(({ lease }) => lease !== undefined).length, 5);
  for (const { atMs } of outcomes) assert(atMs < 1_000);
  assertEquals(pool.stats().waiting, 0);
  await pool.close();
});

test("complaint: acquire after destroy hangs until the timeout (tarn#81)", async () => {
  const { clock, pool } = poolOnFakes();
  await idle(pool, 1);
  await pool.close();
  for (const ask of [() => pool.acquire(), () => pool.use(() => {}), () => pool.warmUp()]) {
    assertEquals((await refusal(ask())).code, "POOL_CLOSED");
  }
  pool.abort();
  assertEquals((await refusal(pool.acquire())).code, "POOL_CLOSED");
  assertEquals([clock.now(), clock.pending], [0, 0]);
});

test("complaint: a timeout at once although sockets are free (tarn#61)", async () => {
  const { clock, pool } = poolOnFakes({ maxSize: 1 });
  await idle(pool, 1);
  for (let task = 0; task < 3; task++) {
    await clock.advance(10_000);
    (await pool.acquire({ timeoutMs: 1 })).release(); // The time begins with this call.
  }
  // A turn of the event loop that took long: the timer is late, and the socket came free before.
  const [held] = await lease(pool, 1);
  const waiting = pool.acquire({ timeoutMs: 5 });
  held!.release();
  await clock.advance(60_000);
  (await waiting).release();
  await pool.close();
});

test('complaint: "timed out for an unknown reason" (tarn#43)', async () => {
  const { clock, pool } = poolOnFakes({ maxSize: 2, leakAfterMs: 1_000, debug: true });
  const [leaked] = await lease(pool, 2, { label: "report" });
  const error = refusal(pool.acquire({ timeoutMs: 500 }));
  await clock.advance(500);
  const { phase, limit, message } = await error;
  assertEquals([phase, limit], ["wait", 500]);
  assertStringIncludes(message, "to 127.0.0.1:80");
  assertStringIncludes(message, "2 sockets: 2 leased, 0 connecting, 0 checking; 1 waiting");
  leaked!.discard();
  pool.abort();

  const down = poolOnFakes({ maxSize: 1 }, { answer: (one) => one.fail(REFUSED) });
  await outcomeOf(down.pool.acquire(), down.clock);
  await outcomeOf(down.pool.acquire(), down.clock); // From the second failure on it rests.
  const late = refusal(down.pool.acquire({ timeoutMs: 50 }));
  await down.clock.advance(50);
  assertEquals((await late).code, "POOL_TIMEOUT");
  assertEquals((await late).cause, REFUSED); // The reason, and not only that it took long.
  await down.pool.close();
});

test("complaint: the timeout does not cover the time in the queue (aws-sdk-js-v3#3722, mysql#2105)", async () => {
  const { clock, transport, pool } = poolOnFakes({ maxSize: 1 });
  const [held] = await lease(pool, 1);
  const asked = outcomeOf(pool.acquire({ timeoutMs: 500 }), clock);
  await clock.advance(400);
  transport.answer = undefined; // Its turn comes, and the connect stalls.
  held!.discard();
  await clock.advance(99);
  assertEquals([pool.stats().waiting, pool.stats().connecting], [1, 1]);
  await clock.advance(5_000); // Naive: 400 in the queue and a new time limit for the connect.
  const { atMs, code } = await asked;
  assertEquals([atMs, code], [500, "POOL_TIMEOUT"]);
  pool.abort();
});

test("complaint: a re-queued waiter gets a fresh timeout (node-mysql2#4498: 500 asked, 2309 taken)", async () => {
  let checks = 0;
  const { clock, pool } = poolOnFakes({
    maxSize: 4,
    checkAfterMs: 0,
    checkTimeoutMs: 150,
    check: () => (checks++, new Promise<boolean>(() => {})),
    prepare: () =>
      new Promise<undefined>((resolve) => clock.schedule(150, () => resolve(undefined))),
  });
  const leases = lease(pool, 4);
  await clock.advance(150);
  for (const one of await leases) one.release();
  // Four sockets in turn whose check hangs, each a new chance for the waiter; then a slow prepare.
  const begunMs = clock.now();
  const asked = outcomeOf(pool.acquire({ timeoutMs: 500 }), clock);
  await clock.advance(10_000);
  const { atMs, code } = await asked;
  assertEquals([atMs - begunMs, code], [500, "POOL_TIMEOUT"]);
  assert(checks >= 3, `${checks} checks`);
  pool.abort();
});

test("complaint: a task that holds a lease asks for a second, and all wait for ever (knex#1040, #1909, #2820, #4399)", async () => {
  const { clock, pool } = poolOnFakes({ maxSize: 3 }, { host: { contexts } });
  const outcomes = Array.from({ length: 3 }, (_, at) =>
    pool.use(async function transaction() {
      await settle();
      return await pool.use(() => "second", { label: `query ${at}` });
    }).catch(({ code }) => code));
  const results = await Promise.all(outcomes);
  assertEquals(results.sort(), ["POOL_DEADLOCK", "second", "second"]);
  assertEquals(clock.now(), 0); // At once, and not after the timeout of each.
  await pool.close();
});

test("complaint: drain and clear leave resources behind (node-pool#159)", async () => {
  const { clock, transport, pool } = poolOnFakes({ maxSize: 6, minIdle: 3 });
  await pool.warmUp();
  const [held] = await lease(pool, 2);
  transport.answer = undefined;
  const waiting = Array.from({ length: 9 }, () => outcomeOf(pool.acquire(), clock));
  await settle();
  const closed = pool.close();
  for (const { code } of (await Promise.all(waiting)).slice(-6)) assertEquals(code, "POOL_CLOSED");
  held!.release();
  pool.abort();
  for (const connect of transport.connects) if (connect.made === undefined) connect.release();
  await closed;
  await settle();
  assertEquals([transport.held, clock.pending, sums(pool).size], [0, 0, 0]);
  await clock.advance(60_000);
  assertEquals(transport.held, 0); // Nothing is replenished after the end.
});

test("complaint: waits for ever by default (node-pool#85, #61)", async () => {
  const clock = new VirtualClock();
  const transport = new FakeTransport(); // Where nothing ever answers.
  const pool = new SocketPool({ transport, target: TARGET, clock });
  const asked = outcomeOf(pool.acquire(), clock);
  await clock.advance(100_000);
  assertEquals([(await asked).atMs, (await asked).code], [30_000, "POOL_TIMEOUT"]);
  pool.abort();
});
