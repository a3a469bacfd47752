// Who is told what happens in a pool, and what cannot come of it.
import { assert, assertEquals } from "@std/assert";
import type {
  PoolCandidate,
  PoolObserver,
  PoolRequest,
  SocketLease,
  SocketPool,
  SocketPoolOptions,
  Strategy,
} from "../../src/core.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { idle, lease, outcomeOf, poolOnFakes, refusal, sums } from "./tools.ts";

const REFUSED = new Error("refused");
const BROKEN = new Error("the observer is broken");
const METHODS = [
  "connected",
  "connectFailed",
  "leased",
  "released",
  "waiting",
  "refused",
  "closed",
  "leaked",
] as const;

/** An observer that writes down what it is told. */
function diary(): { observer: PoolObserver; told: string[] } {
  const told: string[] = [];
  const port = ({ localAddress }: PoolCandidate) => localAddress.port;
  return {
    told,
    observer: {
      connected: (socket) => told.push(`connected ${port(socket)}`),
      connectFailed: (error) => told.push(`connectFailed ${(error as Error).message}`),
      leased: (socket, waitedMs) => told.push(`leased ${port(socket)} after ${waitedMs}`),
      released: (socket) => told.push(`released ${port(socket)}`),
      waiting: (waiting) => told.push(`waiting ${waiting}`),
      refused: (error) => told.push(`refused ${(error as { code?: string }).code ?? error}`),
      closed: (socket, reason) => told.push(`closed ${port(socket)} ${reason}`),
      leaked: ({ label }) => told.push(`leaked ${label}`),
    },
  };
}

test("SocketPool tells its observer each event once and in order", async () => {
  const { observer, told } = diary();
  const { clock, pool, transport } = poolOnFakes({ maxSize: 1, observer, leakAfterMs: 1_000 }, {
    answer: () => {},
  });
  const first = refusal(pool.acquire());
  transport.connects[0]!.fail(REFUSED);
  await first;
  assertEquals(told.splice(0), ["waiting 1", "connectFailed refused", "refused Error: refused"]);

  const second = pool.acquire({ label: "second" });
  await clock.advance(30);
  transport.connects[1]!.open();
  const mine = await second;
  const third = pool.acquire();
  const fourth = refusal(pool.acquire({ timeoutMs: 70 }));
  await clock.advance(70);
  await fourth;
  mine.release();
  (await third).release();
  (await pool.acquire()).discard();
  assertEquals(told.splice(0), [
    "waiting 1",
    "connected 2",
    "leased 2 after 30",
    "waiting 1",
    "waiting 2",
    "refused POOL_TIMEOUT",
    "released 2",
    "leased 2 after 70",
    "released 2",
    "leased 2 after 0",
    "released 2",
    "closed 2 discarded",
  ]);

  transport.answer = (one) => void one.open();
  const leaked = await pool.acquire({ label: "leak" });
  await clock.advance(1_500);
  leaked.release();
  await pool.close();
  assertEquals(told.splice(0), [
    "waiting 1",
    "connected 3",
    "leased 3 after 0",
    "leaked leak",
    "released 3",
    "closed 3 closed",
  ]);
});

test("SocketPool tells its observer why it parts with a socket", async () => {
  const { observer, told } = diary();
  const { clock, pool, transport } = poolOnFakes({
    maxSize: 8,
    observer,
    idleTimeoutMs: 1_000,
    checkAfterMs: 100,
    checkIntervalMs: Infinity,
    check: () => false,
  });
  const leases = await lease(pool, 5);
  await leases[0]!.socket.closeWrite();
  for (const one of leases) one.release();
  transport.connects[1]!.made!.driver.watcher!.gone();
  pool.resize(2);
  await settle();
  await clock.advance(200);
  const [mine] = await lease(pool, 1); // A check that says no, and a new one.
  mine!.release();
  await clock.advance(1_500);
  await pool.close();
  const closed = told.filter((line) => line.startsWith("closed")).map((line) => line.split(" ")[2]);
  assertEquals(closed, ["unclean", "lost", "surplus", "check", "check", "idle"]);
  const connects = told.filter((line) => line.startsWith("connected")).length;
  assertEquals(closed.length, connects); // Whatever came has gone, once.
});

test("SocketPool tells its observer of callers that are refused without waiting", async () => {
  const { observer, told } = diary();
  const { pool } = poolOnFakes({ maxSize: 1, maxWaiting: 1, observer });
  const [held] = await lease(pool, 1);
  const waiting = refusal(pool.acquire());
  await refusal(pool.acquire());
  assertEquals(told.at(-1), "refused POOL_QUEUE_FULL");
  const closed = pool.close();
  await waiting;
  assertEquals(told.at(-1), "refused POOL_CLOSED");
  const { length } = told;
  await refusal(pool.acquire());
  assertEquals(told.slice(length), ["refused POOL_CLOSED"]); // Who comes late is refused, too.
  held!.release();
  await closed;
});

/** Everything that can happen to a pool, once. */
async function wholeLife(options: Partial<SocketPoolOptions>): Promise<string[]> {
  let fails = false;
  const { clock, pool, transport } = poolOnFakes({
    maxSize: 2,
    leakAfterMs: 500,
    maxLifetimeMs: 60_000,
    ...options,
  }, { answer: (one) => fails ? one.fail(REFUSED) : void one.open() });
  const lines: string[] = [];
  const [one, two] = await lease(pool, 2);
  const waiting = outcomeOf(pool.acquire(), clock);
  const late = outcomeOf(pool.acquire({ timeoutMs: 700 }), clock);
  await clock.advance(750);
  lines.push(String((await late).code));
  one!.release();
  (await waiting).lease!.discard();
  two!.release();
  fails = true;
  transport.connects[1]!.made?.driver.watcher?.gone();
  await settle();
  lines.push(String((await outcomeOf(pool.acquire(), clock)).code));
  fails = false;
  await clock.advance(1_000);
  await idle(pool, 2);
  lines.push(JSON.stringify(sums(pool)));
  await pool.close();
  await settle();
  lines.push(JSON.stringify([sums(pool).size, transport.held, clock.pending]));
  return lines;
}

test("SocketPool: what an observer or onError throws corrupts nothing", async () => {
  const expected = await wholeLife({});
  const throws = () => {
    throw BROKEN;
  };
  const observer = Object.fromEntries(METHODS.map((method) => [method, throws])) as PoolObserver;
  const stages: string[] = [];
  const onError: SocketPoolOptions["onError"] = (error, { stage }) => {
    if (error === BROKEN) stages.push(stage);
    throw error;
  };
  assertEquals(await wholeLife({ observer, onError }), expected);
  assertEquals([stages.length > 10, new Set(stages)], [true, new Set(["observer"])]);
});

test("SocketPool: what the hooks of a strategy throw corrupts nothing", async () => {
  const expected = await wholeLife({});
  for (const hook of ["added", "removed", "changed"] as const) {
    const strategy: Strategy<PoolCandidate, PoolRequest> = {
      name: "broken",
      start: () => ({
        pick: (candidates) => candidates[0],
        [hook]: () => {
          throw BROKEN;
        },
      }),
    };
    const stages = new Set<string>();
    const onError: SocketPoolOptions["onError"] = (_error, { stage }) => void stages.add(stage);
    assertEquals(await wholeLife({ strategy, onError }), expected, hook);
    assert(stages.has("strategy"), hook);
  }
});

test("SocketPool: an observer may use the pool within any of its calls", async () => {
  for (const method of METHODS) {
    const own: { pool?: SocketPool; spare?: SocketLease } = {};
    let calls = 0;
    const extra: Promise<unknown>[] = [];
    const again = () => {
      const { pool } = own;
      if (pool === undefined || calls++ > 20) return;
      own.spare?.release(); // Whoever waits, and be it the one that this is about, may get it.
      pool.tryAcquire()?.release();
      const asked = pool.acquire({ timeoutMs: 50 }).then((mine) => mine.release(), () => {});
      extra.push(asked);
      pool.resize(3 + calls % 2);
      pool.stats();
    };
    const made = poolOnFakes({ maxSize: 3, leakAfterMs: 500, observer: { [method]: again } });
    const { clock, pool, transport } = made;
    const [one, two, spare] = await lease(pool, 3);
    Object.assign(own, { pool, spare });
    const waiting = lease(pool, 2, { timeoutMs: 5_000 });
    await clock.advance(1_000);
    one!.release();
    two!.discard();
    for (const mine of await waiting) mine.release();
    spare!.release();
    await clock.advance(1_000);
    await Promise.all(extra);
    const { leased, waiting: left } = sums(pool);
    assertEquals([leased, left], [0, 0], method);
    assert(transport.mostHeld <= 4, method);
    await pool.close();
    assertEquals(transport.held, 0, method);
  }
});

test("SocketPool: a task that gives its socket back when it is told that somebody waits", async () => {
  const spare: SocketLease[] = [];
  const { clock, pool } = poolOnFakes({
    maxSize: 1,
    observer: { waiting: () => spare[0]?.release() }, // Generous: it keeps one only while nobody asks.
  });
  spare.push(...await lease(pool, 1));
  const asked = outcomeOf(pool.acquire({ timeoutMs: 1_000 }), clock);
  await clock.advance(1_000);
  const { atMs, lease: mine } = await asked;
  assertEquals([atMs, mine !== undefined, sums(pool).leased], [0, true, 1]);
  mine!.release();
  assertEquals(sums(pool).idle, 1);
  await pool.close();
});
