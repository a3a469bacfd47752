import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type PoolCandidate,
  type PoolRequest,
  random,
  roundRobin,
  type SocketLease,
  type SocketPool,
  type SocketPoolOptions,
  type Strategy,
} from "../../src/core.ts";
import { test } from "../harness.ts";
import { rejection } from "../transport/tools.ts";
import { type PoolOnEcho, poolOnEcho } from "./tools.ts";

type PoolStrategy = Strategy<PoolCandidate, PoolRequest>;

const portOf = (lease: SocketLease): number => lease.socket.localAddress.port;

/** A pool with so many idle sockets, whose ports stand in the order of their connects. */
async function idlePool(
  count: number,
  options: Partial<SocketPoolOptions> = {},
): Promise<PoolOnEcho & { ports: number[] }> {
  const made = await poolOnEcho({ maxSize: count, ...options });
  const leases = await Promise.all(Array.from({ length: count }, () => made.pool.acquire()));
  const ports = leases.map(portOf);
  for (const lease of leases) lease.release();
  return { ...made, ports };
}

/** The port that the next task gets; it gives it back. */
async function nextPort(pool: SocketPool): Promise<number> {
  const lease = await pool.acquire();
  lease.release();
  return portOf(lease);
}

for (const strategy of [undefined, roundRobin<PoolCandidate>()]) {
  const which = strategy === undefined ? "by default" : "roundRobin()";
  test(`SocketPool assigns each socket in turn, ${which} (P4)`, async () => {
    const { pool, ports, end } = await idlePool(3, strategy === undefined ? {} : { strategy });
    const got: number[] = [];
    for (let task = 0; task < 7; task++) got.push(await nextPort(pool));
    const [a, b, c] = ports;
    assertEquals(got, [a, b, c, a, b, c, a]);
    assertEquals(await end(), 0);
  });
}

test("SocketPool assigns the first available socket in rotation (P4)", async () => {
  const { pool, ports: [a, b, c, d], end } = await idlePool(4);
  const first = await pool.acquire();
  assertEquals(portOf(first), a);
  const second = await pool.acquire();
  assertEquals(await nextPort(pool), c); // `a` and `b` are not available.
  first.release();
  assertEquals(await nextPort(pool), d);
  assertEquals(await nextPort(pool), a);
  second.release();
  assertEquals([await nextPort(pool), await nextPort(pool)], [b, c]);
  assertEquals(await end(), 0);
});

test("SocketPool keeps the rotation whatever the order of the releases (P4)", async () => {
  const { pool, ports, end } = await idlePool(4);
  const leases = await Promise.all(ports.map(() => pool.acquire()));
  assertEquals(leases.map(portOf), ports);
  for (const at of [2, 0, 3, 1]) leases[at]!.release();
  for (const port of [...ports, ...ports]) assertEquals(await nextPort(pool), port);
  assertEquals(await end(), 0);
});

test("SocketPool assigns any socket with random() (P4)", async () => {
  const draws = [0, 0.99, 0.5, 0.3, 0.1];
  const strategy = random<PoolCandidate>({ random: () => draws.shift()! });
  const { pool, ports, end } = await idlePool(3, { strategy });
  const picked = new Set<number>();
  for (let at = 0; at < 5; at++) picked.add(await nextPort(pool));
  assertEquals([...picked].every((port) => ports.includes(port)), true);
  assertEquals(picked.size > 1, true);
  assertEquals(draws, []);
  assertEquals(await end(), 0);
});

test("SocketPool assigns what the user's function chooses, and tells it who asks (P4)", async () => {
  const requests: PoolRequest[] = [];
  const highest: PoolStrategy = (candidates, request) => {
    requests.push(request);
    return candidates.toSorted((a, b) => b.localAddress.port - a.localAddress.port)[0];
  };
  const { pool, ports, end } = await idlePool(3, { strategy: highest });
  const last = Math.max(...ports);
  assertEquals([await nextPort(pool), await nextPort(pool)], [last, last]);
  const asked = { key: "k", tenant: "t", priority: 2 };
  (await pool.acquire(asked)).release();
  assertEquals(requests.at(-1), asked);
  assertEquals(await end(), 0);
});

test("SocketPool shows the user's function addresses and leases of each socket (P4)", async () => {
  let seen: readonly PoolCandidate[] = [];
  let leases: readonly number[] = [];
  const strategy: PoolStrategy = (candidates) => {
    seen = [...candidates];
    leases = seen.map((one) => one.leases);
    return seen[0];
  };
  const { pool, ports, listener, end } = await idlePool(2, { strategy });
  await nextPort(pool);
  assertEquals(seen.map(({ localAddress }) => localAddress.port), ports);
  assertEquals(seen.map(({ remoteAddress }) => remoteAddress), [
    listener.address,
    listener.address,
  ]);
  await nextPort(pool);
  assertEquals(leases, [1, 2]);
  assertEquals(await end(), 0);
});

test("SocketPool starts a strategy with notes once for itself (P4)", async () => {
  let starts = 0;
  const strategy: PoolStrategy = {
    name: "every other",
    start() {
      let count = ++starts;
      return { pick: (candidates) => candidates[count++ % candidates.length] };
    },
  };
  const one = await idlePool(2, { strategy });
  const other = await idlePool(2, { strategy });
  assertEquals(starts, 2);
  assertEquals(await nextPort(one.pool), one.ports[1]);
  assertEquals(await nextPort(other.pool), other.ports[0]);
  assertEquals([await one.end(), await other.end()], [0, 0]);
});

test("SocketPool opens a new socket when the strategy wants none of the idle ones (P4)", async () => {
  const { pool, transport, end } = await poolOnEcho({ maxSize: 2, strategy: () => undefined });
  (await pool.acquire()).release();
  assertEquals([pool.stats().idle, pool.tryAcquire()], [1, undefined]);
  const second = await pool.acquire();
  assertEquals([pool.stats().size, transport.openEnds], [2, 4]);
  const third = pool.acquire(); // At the limit it waits for the next to come free.
  second.release();
  assertEquals((await third).socket, second.socket);
  (await third).release();
  assertEquals(await end(), 0);
});

test("SocketPool: nobody overtakes who waits because of the strategy (P4)", async () => {
  let wants = true;
  const strategy: PoolStrategy = (candidates) => wants ? candidates[0] : undefined;
  const { pool, end } = await idlePool(2, { strategy });
  const lease = await pool.acquire();
  wants = false;
  const waiting = pool.acquire(); // There is an idle socket, which the strategy does not want.
  wants = true;
  assertEquals([pool.stats().idle, pool.stats().waiting, pool.tryAcquire()], [1, 1, undefined]);
  lease.release();
  (await waiting).release();
  assertEquals(await end(), 0);
});

test("SocketPool rejects with TypeError what is no candidate, and leaks nothing (P4)", async () => {
  let choice: unknown;
  let foreign: PoolCandidate | undefined;
  const other = await idlePool(1, { strategy: (candidates) => foreign = candidates[0] });
  await nextPort(other.pool);
  const strategy = (candidates: readonly PoolCandidate[]) =>
    (choice === "first" ? candidates[0] : choice) as PoolCandidate;
  const { pool, end } = await idlePool(2, { strategy });
  choice = "first";
  const lease = await pool.acquire();
  const before = pool.stats();
  for (const bad of [null, 0, "socket", {}, lease.socket, foreign]) {
    choice = bad;
    const error = await rejection(pool.acquire());
    assert(error instanceof TypeError, String(bad));
    assertStringIncludes(error.message, 'choice of strategy "strategy"');
    assertEquals(pool.stats(), before, String(bad));
  }
  choice = "first";
  lease.release();
  const both = [await pool.acquire(), await pool.acquire()]; // All are there still.
  for (const one of both) one.release();
  assertEquals([await end(), await other.end()], [0, 0]);
});

test("SocketPool rejects a socket that is leased, if the strategy chooses it again (P4)", async () => {
  const kept: PoolCandidate[] = [];
  const strategy: PoolStrategy = (candidates) => {
    kept.push(...candidates);
    return kept[0];
  };
  const { pool, end } = await idlePool(2, { strategy });
  const lease = await pool.acquire();
  assert(await rejection(pool.acquire()) instanceof TypeError);
  assertEquals(pool.stats().leased, 1);
  lease.release();
  assertEquals(await end(), 0);
});

test("SocketPool rejects with what a strategy throws, and leaks nothing (P4)", async () => {
  const failure = new Error("no idea");
  let fails = false;
  const strategy: PoolStrategy = (candidates) => {
    if (fails) throw failure;
    return candidates[0];
  };
  const { pool, end } = await idlePool(2, { strategy });
  fails = true;
  assertEquals(await rejection(pool.acquire()), failure);
  assertEquals([pool.stats().idle, pool.stats().waiting], [2, 0]);
  fails = false;
  await nextPort(pool);
  assertEquals(await end(), 0);
});
