// Which sockets there are while nobody uses them, and which of them a task may be given.
import { assert, assertEquals } from "@std/assert";
import type { PartingReason, PoolCandidate, SocketPoolOptions } from "../../src/core.ts";
import { seededRandom } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { deferred } from "../transport/fakes.ts";
import { bytesOf } from "../transport/tools.ts";
import type { FakeConnect } from "./fake_transport.ts";
import { idle, lease, outcomeOf, type PoolOnFakes, poolOnFakes, refusal, sums } from "./tools.ts";

const REFUSED = new Error("refused");
/** The keeper's rounds are so far apart at most. */
const TICK_MS = 250;

/** A pool that writes down why it parts with sockets, and when. */
function partingPool(
  options: Partial<SocketPoolOptions> = {},
): PoolOnFakes<undefined> & { partings: [PartingReason, number][] } {
  const partings: [PartingReason, number][] = [];
  const closed = (_socket: PoolCandidate, reason: PartingReason) =>
    partings.push([reason, made.clock.now()]);
  const made = poolOnFakes({ observer: { closed }, ...options });
  return { ...made, partings };
}

test("SocketPool closes what nobody uses for idleTimeoutMs, and leaves no timer then (P3)", async () => {
  const { clock, partings, pool, transport } = partingPool({ idleTimeoutMs: 5_000 });
  await idle(pool, 3);
  await clock.advance(4_000);
  await idle(pool, 1); // Its time begins anew.
  await clock.advance(1_000);
  assertEquals([partings.map(([reason]) => reason), sums(pool).idle], [["idle", "idle"], 1]);
  await clock.advance(4_000 + TICK_MS);
  assertEquals([partings.length, sums(pool).size, transport.held, clock.pending], [3, 0, 0, 0]);
  await idle(pool, 1); // It comes back when it is needed.
  await settle();
  assertEquals(clock.pending, 1);
  await pool.close();
});

test("SocketPool closes what nobody uses for idleTimeoutMs although it is checked meanwhile (P3)", async () => {
  let checks = 0;
  const { clock, partings, pool } = partingPool({ check: () => (checks++, true) });
  await idle(pool, 3); // Checked every 30 seconds, closed after 60: the defaults.
  await clock.advance(60_000 + 2 * TICK_MS);
  assertEquals([partings.map(([reason]) => reason), checks], [["idle", "idle", "idle"], 3]);
  await pool.close();
});

test("SocketPool keeps minIdle sockets ready beyond those that are leased", async () => {
  const { clock, pool, transport } = poolOnFakes({ maxSize: 5, minIdle: 2 });
  await pool.warmUp();
  assertEquals([sums(pool).idle, transport.connects.length], [2, 2]);
  const leases = await lease(pool, 2);
  await clock.advance(TICK_MS); // A lease that costs no wait does not look at this.
  assertEquals([sums(pool).idle, sums(pool).leased], [2, 2]);
  leases.push(...await lease(pool, 2));
  await clock.advance(TICK_MS);
  assertEquals([sums(pool).idle, sums(pool).size], [1, 5]); // maxSize comes first.
  leases[0]!.discard();
  await settle();
  assertEquals([sums(pool).idle, sums(pool).size, transport.mostHeld], [2, 5, 5]);
  for (const one of leases) one.release();
  await pool.close();
});

test("SocketPool connects minIdle sockets by itself, and again when they go", async () => {
  const { clock, pool, transport } = poolOnFakes({ minIdle: 2 });
  await settle();
  assertEquals(sums(pool).idle, 2);
  for (const { made } of [...transport.connects]) made!.driver.watcher!.gone();
  await settle();
  assertEquals([sums(pool).idle, transport.connects.length], [2, 4]);
  await pool.close();
  assertEquals([transport.held, clock.pending], [0, 0]);
});

test("SocketPool does not connect in a tight loop to a peer that closes at once", async () => {
  let most = 0;
  const answer = (one: FakeConnect) => {
    if (++most > 500) return; // Enough is enough.
    one.open();
    void settle().then(() => one.made!.driver.watcher!.gone());
  };
  const { clock, pool, transport } = poolOnFakes({ minIdle: 1 }, { answer });
  await clock.advance(10_000);
  // As with a balancer that has nobody behind it: a connection that ended at once was no success.
  assert(transport.connects.length < 50, `${transport.connects.length} connects in 10 seconds`);
  pool.abort();
});

test("SocketPool.warmUp() resolves when minIdle sockets stand, prepared", async () => {
  const prepared = deferred();
  const { pool } = poolOnFakes({
    minIdle: 3,
    prepare: () => prepared.promise.then(() => undefined),
  });
  let warm = false;
  const warming = [pool.warmUp(), pool.warmUp()].map((one) => one.then(() => warm = true));
  await settle();
  assertEquals([warm, sums(pool).connecting], [false, 3]);
  prepared.resolve();
  await Promise.all(warming);
  assertEquals(sums(pool).idle, 3);
  await pool.warmUp();
  await pool.close();
  assertEquals((await refusal(pool.warmUp())).code, "POOL_CLOSED");
});

test("SocketPool.warmUp() rejects with what the last connect failed with; the pool goes on", async () => {
  let down = true;
  const { clock, pool } = poolOnFakes({ minIdle: 2 }, {
    answer: (one) => down ? one.fail(REFUSED) : void one.open(),
  });
  assertEquals(await refusal(pool.warmUp()), REFUSED as unknown);
  down = false;
  await clock.advance(1_000);
  assertEquals(sums(pool).idle, 2);
  await pool.warmUp();
  await pool.close();
});

test("SocketPool.warmUp() rejects when the pool is closed meanwhile", async () => {
  const { pool, transport } = poolOnFakes({ minIdle: 1 }, { answer: () => {} });
  const warming = refusal(pool.warmUp());
  const closed = pool.close();
  assertEquals((await warming).code, "POOL_CLOSED");
  transport.connects[0]!.release();
  await closed;
});

test("SocketPool replaces connections at the end of their lifetime, not all at once", async () => {
  const { clock, partings, pool } = partingPool({
    maxSize: 50,
    minIdle: 50,
    maxConnecting: 50,
    maxLifetimeMs: 100_000,
    idleTimeoutMs: Infinity,
    random: seededRandom(7),
  });
  await pool.warmUp();
  await clock.advance(89_000);
  assertEquals(partings, []);
  await clock.advance(11_000 + TICK_MS);
  const times = partings.map(([, atMs]) => atMs);
  assertEquals(partings.every(([reason]) => reason === "lifetime"), true);
  assert(times.length >= 50 && new Set(times).size >= 15, `${new Set(times).size} moments`);
  assertEquals([Math.min(...times) >= 90_000, sums(pool).idle], [true, 50]);
  await pool.close();
});

test("SocketPool lets a task keep a connection whose lifetime is over, and lends it to no other", async () => {
  const { clock, partings, pool } = partingPool({ maxSize: 1, maxLifetimeMs: 1_000 });
  const [held] = await lease(pool, 1);
  await clock.advance(60_000);
  assertEquals([held!.socket.state, partings.length], ["open", 0]);
  held!.release();
  const [next] = await lease(pool, 1);
  assertEquals([next!.socket === held!.socket, partings], [false, [["lifetime", 60_000]]]);
  next!.release();
  await pool.close();
});

test("SocketPool learns after how long a target closes idle connections, and is there first (8)", async () => {
  const { clock, partings, pool, transport } = partingPool({ maxSize: 1, idleTimeoutMs: 600_000 });
  const peerCloses = () => transport.connects.at(-1)!.made!.driver.watcher!.gone();
  const rest = async (ms: number) => {
    await idle(pool, 1);
    const { length } = transport.connects;
    const { socket } = transport.connects.at(-1)!.made!;
    await clock.advance(Math.min(ms, 15_000));
    if (ms >= 15_000 && socket.state === "open") peerCloses(); // A server with a limit of 15 s.
    await settle();
    return transport.connects.length - length;
  };
  for (let time = 0; time < 3; time++) await rest(15_000);
  assertEquals(partings.map(([reason]) => reason), ["lost", "lost", "lost"]);
  const learned = pool.stats().targets[0]!.learnedIdleLimitMs!;
  assert(learned > 10_000 && learned < 15_000, `${learned} ms`);
  for (let time = 0; time < 5; time++) await rest(15_000);
  const loosened = pool.stats().targets[0]!.learnedIdleLimitMs!; // It dares a little more each time.
  assert(loosened > learned && loosened < learned * 1.2, `${learned} ms, then ${loosened}`);
  assertEquals(partings.slice(3).map(([reason]) => reason), Array(5).fill("idle"));
  // What is used more often is not touched.
  const before = transport.connects.length;
  for (let time = 0; time < 20; time++) await rest(8_000);
  assertEquals(transport.connects.length - before, 1);
  await pool.close();
});

test("SocketPool learns no idle limit from a server that restarts, or from a lifetime (8)", async () => {
  const { clock, pool, transport } = poolOnFakes({ maxSize: 8, idleTimeoutMs: 600_000 });
  for (let restart = 0; restart < 3; restart++) {
    const leases = await lease(pool, 8);
    for (const one of leases) {
      one.release();
      await clock.advance(1_000); // They are idle for eight different times.
    }
    await clock.advance(10_000 * (restart * restart + 1));
    for (const { made } of transport.connects.slice(-8)) made!.driver.watcher!.gone();
    await settle();
  }
  assertEquals(pool.stats().targets[0]!.learnedIdleLimitMs, undefined);
  await pool.close();
});

const UNAVAILABLE: readonly [what: string, make: (connect: FakeConnect) => unknown][] = [
  ["half-closed by the peer", ({ made }) => made!.driver.watcher!.ended()],
  ["half-closed from here", ({ made }) => made!.socket.closeWrite()],
  ["with bytes that nobody read", ({ made }) => made!.driver.watcher!.arrived()],
  ["reset", ({ made }) => made!.driver.watcher!.failed(REFUSED)],
  ["closed", ({ made }) => made!.socket.close()],
  [
    "that somebody still reads from",
    ({ made }) => void made!.socket.read(new Uint8Array(1)).catch(() => {}),
  ],
  ["that somebody still writes to", ({ made }) => {
    made!.driver.writes.push(deferred<number>().promise);
    made!.socket.write(bytesOf("more")).catch(() => {});
  }],
];

for (const [what, make] of UNAVAILABLE) {
  test(`SocketPool never lends an idle socket ${what} (P3)`, async () => {
    const { pool, transport } = poolOnFakes({ maxSize: 2 });
    await idle(pool, 1);
    const [bad] = transport.connects;
    await make(bad!);
    assertEquals(pool.tryAcquire(), undefined);
    const [mine] = await lease(pool, 1);
    assertEquals(mine!.socket, transport.connects[1]!.made!.socket);
    mine!.release();
    pool.abort();
    await settle();
    assertEquals(transport.held, 0);
  });
}

test("SocketPool never lends a socket that a task gave back while it still reads (P3)", async () => {
  const { partings, pool, transport } = partingPool({ maxSize: 1 });
  const [held] = await lease(pool, 1);
  const reading = refusal(held!.socket.read(new Uint8Array(1)));
  const waiting = pool.acquire();
  held!.release();
  assertEquals((await waiting).socket, transport.connects[1]!.made!.socket);
  assertEquals(partings.map(([reason]) => reason), ["unclean"]);
  await reading;
  (await waiting).release();
  await pool.close();
});

test("SocketPool: a socket that ends while it is idle makes room for who waits (P3)", async () => {
  // A strategy that wants none of what is idle: then a task waits beside an idle socket.
  const { clock, pool, transport } = poolOnFakes({ maxSize: 2, strategy: () => undefined });
  const [held, given] = await lease(pool, 2);
  given!.release();
  const asked = outcomeOf(pool.acquire(), clock);
  await settle();
  assertEquals([sums(pool).idle, sums(pool).waiting], [1, 1]);
  transport.connects[1]!.made!.driver.watcher!.gone();
  const { atMs, lease: mine } = await asked;
  assertEquals([atMs, mine!.socket], [0, transport.connects[2]!.made!.socket]);
  held!.release();
  mine!.release();
  await pool.close();
});

test("SocketPool counts a connection that was half-closed as it stood until it is gone (P2)", async () => {
  const closing = deferred();
  const { pool, transport } = poolOnFakes({ maxSize: 1 }, { answer: () => {} });
  const first = refusal(pool.acquire());
  const second = pool.acquire();
  // It takes a while to say goodbye.
  transport.connects[0]!.open({ halfClosed: true, closing: () => closing.promise });
  assertEquals((await first).code, "CONNECT_FAILED");
  await settle();
  assertEquals([transport.held, sums(pool).size], [1, 1]); // No second one beside it.
  closing.resolve();
  await settle();
  transport.connects[1]!.open();
  (await second).release();
  assertEquals(transport.mostHeld, 1);
  await pool.close();
});
