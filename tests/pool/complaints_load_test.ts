// What users of other pools complain about: bounds, load, and which socket a task is given. Each name
// has the thread of a complaint; what a naive pool would do instead stands beside what is expected.
import { assert, assertEquals } from "@std/assert";
import { type PoolStats, SocketPool } from "../../src/core.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { settle, withSeeds } from "../support/seeds.ts";
import type { FakeConnect } from "./fake_transport.ts";
import { idle, lease, outcomeOf, poolOnFakes, refusal, sums } from "./tools.ts";

const REFUSED = new Error("refused");
const A = { hostname: "a.test", port: 80 };
const B = { hostname: "b.test", port: 80 };

const nameOf = ({ target }: { target?: unknown }) => (target as typeof A).hostname;
const sizes = ({ targets }: PoolStats) => targets.map(({ size }) => size);

test("complaint: always the first free socket, so the load is uneven (undici#3648)", async () => {
  const { transport, pool } = poolOnFakes({ maxSize: 4 });
  await idle(pool, 4);
  const counts = new Map<number, number>();
  for (let task = 0; task < 100; task++) { // One at a time: naive pools use one socket for all.
    const [mine] = await lease(pool, 1);
    const { port } = mine!.socket.localAddress;
    counts.set(port, (counts.get(port) ?? 0) + 1);
    mine!.release();
  }
  assertEquals([...counts.values()], [25, 25, 25, 25]);
  assertEquals(transport.connects.length, 4);
  await pool.close();
});

test("complaint: the pool collapses to one host after an outage (undici#4839)", async () => {
  let down = false;
  const { clock, transport, pool } = poolOnFakes({ target: [A, B], maxSize: 10 }, {
    answer: (one) => down && nameOf(one) === "b.test" ? one.fail(REFUSED) : void one.open(),
  });
  await idle(pool, 10);
  assertEquals(sizes(pool.stats()), [5, 5]);
  down = true;
  for (const { target, made } of transport.connects) {
    if (nameOf({ target }) === "b.test") made!.driver.watcher!.gone(REFUSED);
  }
  await settle();
  await idle(pool, 10); // All are wanted meanwhile, and nobody is refused.
  assertEquals(sizes(pool.stats()), [10, 0]);
  await clock.advance(60_000);
  assertEquals(sizes(pool.stats())[1], 0);
  down = false;
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000);
    await idle(pool, 10); // The load goes on, and is as large as the pool.
  }
  assertEquals(sizes(pool.stats()), [5, 5]);
  assertEquals(pool.stats().targets.map(({ health }) => health), ["up", "up"]);
  assert(transport.mostHeld <= 10);
  await pool.close();
});

test("complaint: no limit on sockets unless one is asked for (undici#3268, #3221, smithy#2063)", async () => {
  const { clock, transport, pool } = poolOnFakes({}, { answer: () => {} });
  const asked = Array.from({ length: 1010 }, () => outcomeOf(pool.acquire(), clock));
  await settle();
  assertEquals([transport.connects.length, sums(pool).size, sums(pool).waiting], [10, 10, 1010]);
  // Those who wait are bounded, too.
  assertEquals((await refusal(pool.acquire())).code, "POOL_QUEUE_FULL");
  pool.abort();
  for (const connect of transport.connects) connect.release();
  await Promise.all(asked);
  await pool.close();
});

/** What keeps sockets from being made. */
const LIMITS = {
  maxSize: { maxSize: 2 },
  "maxSize of the target": { maxSize: 10, target: { ...A, maxSize: 2 } },
  maxConnecting: { maxSize: Infinity, maxConnecting: 2 },
} as const;

for (const [what, limit] of Object.entries(LIMITS)) {
  test(`complaint: more wait than the limit of the queue says: ${what} (reactor-pool#121, #123)`, async () => {
    const { clock, transport, pool } = poolOnFakes({ ...limit, maxWaiting: 5 }, {
      answer: () => {},
    });
    const asked = Array.from({ length: 50 }, () => outcomeOf(pool.acquire(), clock));
    await settle();
    const { connecting, waiting } = pool.stats();
    const refused = asked.length - waiting;
    assertEquals([connecting, waiting, refused], [2, 7, 43]); // Two whose connects are on the way.
    pool.abort();
    for (const connect of transport.connects) connect.release();
    await Promise.all(asked);
    await pool.close();
  });
}

test("complaint: more wait than the limit of the queue says while a target rests (reactor-pool#123)", async () => {
  const { clock, pool } = poolOnFakes({
    maxSize: 2,
    maxWaiting: 5,
    backoffMs: 60_000,
    maxBackoffMs: 60_000,
  }, {
    answer: (one) => one.fail(REFUSED),
  });
  for (let failures = 0; failures < 2; failures++) await outcomeOf(pool.acquire(), clock);
  assertEquals(pool.stats().targets[0]!.health, "resting");
  const asked = Array.from({ length: 50 }, () => outcomeOf(pool.acquire(), clock));
  await settle();
  assertEquals(pool.stats().waiting, 5);
  await pool.close();
  await Promise.all(asked);
});

test("complaint: a stale keep-alive socket is handed out (undici#3492, #5450, #2400, #1415, #583)", async () => {
  const { transport, pool } = poolOnFakes({ maxSize: 3 });
  await idle(pool, 3);
  const [gone, ended, spoke] = transport.connects.map(({ made }) => made!.driver.watcher!);
  gone!.gone(); // The peer closes idle connections in the very turn in which a task asks.
  const first = pool.acquire();
  ended!.ended();
  spoke!.arrived(); // Bytes that nobody asked for, such as a "408 Request Timeout".
  const leases = [await first, ...await lease(pool, 2)];
  const old = new Set(transport.connects.slice(0, 3).map(({ made }) => made!.socket));
  // The one that was told of after the call is the third; the first two calls could not get it.
  assertEquals(leases.filter(({ socket }) => old.has(socket)).length, 1);
  assertEquals(leases.slice(1).some(({ socket }) => old.has(socket)), false);
  assertEquals(transport.mostHeld, 3);
  for (const one of leases) one.discard();
  await pool.close();
});

test("complaint: a server's idle limit is met again and again (undici#3492)", async () => {
  const { clock, transport, pool } = poolOnFakes({ maxSize: 1, idleTimeoutMs: Infinity });
  let met = 0;
  for (let use = 0; use < 40; use++) {
    const [mine] = await lease(pool, 1);
    const { driver, socket } = transport.connects.at(-1)!.made!;
    mine!.release();
    clock.schedule(5_000, () => {
      if (socket.state !== "open") return;
      met++;
      driver.watcher!.gone();
    });
    await clock.advance(6_000);
  }
  assert(met <= 6, `the peer closed ${met} of 40 connections first`); // Naive: all 40 of them.
  const { learnedIdleLimitMs } = pool.stats().targets[0]!;
  assert(learnedIdleLimitMs !== undefined && learnedIdleLimitMs < 5_000);
  await pool.close();
});

test("complaint: the maximum is exceeded and validation skipped (node-pool#233)", () =>
  withSeeds([1, 2, 3], async (dice) => {
    let checked = new Set<unknown>();
    const { clock, transport, pool } = poolOnFakes({
      maxSize: 3,
      checkAfterMs: 0,
      check: (socket) => (checked.add(socket), dice.random() < 0.7),
    });
    await idle(pool, 3);
    for (let round = 0; round < 100; round++) {
      checked = new Set();
      const known = transport.connects.length;
      const asked = Array.from({ length: 1 + dice.below(6) }, () => pool.acquire());
      const served = asked.map((one) =>
        one.then(async (mine) => {
          const isNew = transport.connects.slice(known).some(({ made }) =>
            made?.socket === mine.socket
          );
          assert(isNew || checked.has(mine.socket), "a socket was lent that nobody looked at");
          await settle();
          mine.release();
        })
      );
      await Promise.all(served);
      assert(transport.held <= 3 && sums(pool).size <= 3);
      await clock.advance(dice.below(1_000));
    }
    assertEquals(transport.mostHeld, 3);
    await pool.close();
  }));

test("complaint: the reaper takes more than the minimum leaves (bb8#123)", async () => {
  const { clock, transport, pool } = poolOnFakes({ maxSize: 8, minIdle: 3, idleTimeoutMs: 1_000 });
  await idle(pool, 8);
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000);
    assert(sums(pool).idle >= 3, `${sums(pool).idle} idle after ${second} seconds`);
  }
  assertEquals([sums(pool).idle, transport.connects.length], [3, 8]); // None was closed to be replaced.
  await pool.close();
});

test("complaint: no minimum, so the first call after a pause is slow (node-pg-pool#135)", async () => {
  const { clock, transport, pool } = poolOnFakes({ maxSize: 8, minIdle: 2, maxLifetimeMs: 60_000 });
  await pool.warmUp();
  for (let minute = 0; minute < 10; minute++) {
    await clock.advance(60_000);
    const ready = pool.tryAcquire();
    assert(ready !== undefined, `nothing ready after ${minute} minutes`);
    ready.release();
  }
  for (const { made } of transport.connects) made!.driver.watcher?.gone(); // A restart of the server.
  await settle();
  assertEquals(sums(pool).idle, 2);
  await pool.close();
});

test("complaint: connections never move to new DNS answers (golang/go#23427, #54429, reqwest#3033)", async () => {
  let hostname = "192.0.2.1";
  const { clock, pool } = poolOnFakes({ target: A, maxSize: 4, maxLifetimeMs: 60_000 }, {
    answer: (one: FakeConnect) => void one.open({ hostname }),
  });
  const where = async () => {
    const leases = await lease(pool, 4);
    for (const one of leases) one.release();
    return new Set(leases.map(({ socket }) => socket.remoteAddress.hostname));
  };
  assertEquals([...await where()], ["192.0.2.1"]);
  hostname = "192.0.2.2"; // The pod moved; the old one goes on answering.
  for (let second = 0; second < 62; second++) {
    await clock.advance(1_000);
    await where(); // Under load no connection is ever idle for long: naive pools keep it for ever.
  }
  assertEquals([...await where()], ["192.0.2.2"]);
  await pool.close();
});

test("complaint: all connections end at one moment when their lifetime is over (golang/go#54429)", async () => {
  let draws = 0;
  const { clock, transport, pool } = poolOnFakes({
    maxSize: 20,
    minIdle: 20,
    maxConnecting: 20,
    maxLifetimeMs: 100_000,
    idleTimeoutMs: Infinity,
    random: () => draws++ % 20 / 20,
  });
  await pool.warmUp();
  let least = 20;
  let mostAtOnce = 0;
  let known = 20;
  for (let tick = 0; tick < 440; tick++) {
    await clock.advance(250);
    mostAtOnce = Math.max(mostAtOnce, transport.connects.length - known);
    known = transport.connects.length;
    least = Math.min(least, sums(pool).idle);
  }
  assert(transport.connects.length >= 40, "not all were replaced");
  assertEquals([mostAtOnce <= 2, least], [true, 20], `${mostAtOnce} at once`);
  await pool.close();
});

test("complaint: one pool cannot be keyed by local address (socketpool#26, wreq#123)", async () => {
  const transport = memoryTransport();
  const listener = await transport.listen();
  const target = ["127.0.0.2", "127.0.0.3"].map((localAddress) => ({
    ...listener.address,
    localAddress,
  }));
  const pool = new SocketPool({ transport, target, maxSize: 4 });
  const leases = await lease(pool, 4);
  const from = leases.map(({ socket }) => socket.localAddress.hostname).sort();
  assertEquals(from, ["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3"]);
  const { port } = listener.address;
  assertEquals(pool.stats().targets.map(({ target, size }) => [target, size]), [
    [`127.0.0.1:${port} from 127.0.0.2`, 2],
    [`127.0.0.1:${port} from 127.0.0.3`, 2],
  ]);
  for (const one of leases) one.release();
  await pool.close();
  await listener.close();
});
