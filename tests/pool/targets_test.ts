// Several targets in one pool.
import { assert, assertEquals } from "@std/assert";
import { type PoolTarget, SocketPool, type SocketPoolOptions } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { bytesOf, echoServer, fixture, readExactly, textOf } from "../transport/tools.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { idle, lease, outcomeOf, type PoolOnFakes, poolOnFakes, sums } from "./tools.ts";

const REFUSED = new Error("refused");
const [A, B, C] = ["a.test", "b.test", "c.test"].map((hostname) => ({ hostname, port: 80 }));

interface Cluster extends PoolOnFakes<undefined> {
  /** Which of the targets are down; one that goes down loses its connections. */
  readonly down: Set<string>;
  fell(name: string): void;
  /** The size of each target's part. */
  sizes(): number[];
}

function cluster(target: PoolTarget[], options: Partial<SocketPoolOptions> = {}): Cluster {
  const down = new Set<string>();
  const nameOf = (one: { target: unknown }) => (one.target as { hostname: string }).hostname;
  const made = poolOnFakes({ target, idleTimeoutMs: Infinity, ...options }, {
    answer: (one) => down.has(nameOf(one)) ? one.fail(REFUSED) : void one.open(),
  });
  return {
    ...made,
    down,
    fell(name) {
      down.add(name);
      for (const one of [...made.transport.connects]) {
        if (nameOf(one) === name) one.made?.driver.watcher?.gone(REFUSED);
      }
    },
    sizes: () => made.pool.stats().targets.map(({ size }) => size),
  };
}

test("SocketPool gives each target its weight of the sockets", async () => {
  const { pool, sizes } = cluster([{ ...A!, weight: 3 }, { ...B!, weight: 1 }, C!], {
    maxSize: 20,
  });
  await idle(pool, 5);
  assertEquals(sizes(), [3, 1, 1]);
  await idle(pool, 20);
  assertEquals(sizes(), [12, 4, 4]);
  await pool.close();
});

test("SocketPool takes targets in turn that have the same share", async () => {
  const { pool, transport } = cluster([A!, B!, C!]);
  for (let task = 0; task < 6; task++) (await pool.acquire()).discard(); // None is left each time.
  const names = transport.connects.map(({ target }) =>
    (target as { hostname: string }).hostname[0]
  );
  assertEquals(names.join(""), "abcabc");
  await pool.close();
});

test("SocketPool tries a target that failed with one connect at a time, when nobody waits", async () => {
  const { clock, fell, pool, transport } = cluster([A!, B!], { maxSize: 10 });
  await idle(pool, 8);
  fell("b.test");
  await clock.advance(250); // The first try fails,
  transport.answer = () => {}; // and the next ones hang.
  const before = transport.connects.length;
  await clock.advance(5_000);
  assertEquals([transport.connects.length - before, sums(pool).idle], [1, 3]);
  pool.abort();
});

test("SocketPool keeps to the maxSize of a target, and gives its share to the others (P2)", async () => {
  const { clock, pool, sizes, transport } = cluster([{ ...A!, maxSize: 2 }, B!], { maxSize: 10 });
  const leases = await lease(pool, 10);
  assertEquals(sizes(), [2, 8]);
  for (const one of leases) one.release();
  for (let second = 0; second < 20; second++) {
    await clock.advance(1_000);
    await idle(pool, 10);
  }
  assertEquals([sizes(), transport.connects.length], [[2, 8], 10]); // Nothing was moved in vain.
  await pool.close();
});

test("SocketPool makes who waits wait when every target is at its maxSize (P2)", async () => {
  const targets = [{ ...A!, maxSize: 1 }, { ...B!, maxSize: 1 }];
  const { clock, pool } = cluster(targets, { maxSize: 10 });
  const [one, two] = await lease(pool, 2);
  const asked = outcomeOf(pool.acquire(), clock);
  await clock.advance(1_000);
  assertEquals([sums(pool).waiting, sums(pool).size], [1, 2]);
  two!.discard();
  assertEquals((await asked).atMs, 1_000);
  (await asked).lease!.release();
  one!.release();
  await pool.close();
});

test("SocketPool spreads over the others what a target that is down cannot take", async () => {
  const { clock, down, pool, sizes } = cluster([A!, B!, C!], { maxSize: 9 });
  down.add("a.test"); // It is the first one that is tried.
  for (let task = 0; task < 9; task++) {
    const { code } = await outcomeOf(pool.acquire({ timeoutMs: 1_000 }), clock);
    assertEquals(code, undefined); // Nobody is told of a failure that another target makes good.
  }
  assertEquals(sizes().toSorted(), [0, 4, 5]);
  pool.abort();
});

test("SocketPool spreads the load evenly again after an outage, whoever was out (A.2, 2)", async () => {
  for (const name of ["a.test", "b.test", "c.test"]) {
    const { clock, down, fell, pool, sizes, transport } = cluster([A!, B!, C!], { maxSize: 12 });
    await idle(pool, 12);
    fell(name);
    await settle();
    for (let second = 0; second < 30; second++) {
      await clock.advance(1_000);
      await idle(pool, 12);
    }
    assertEquals(sizes().toSorted((a, b) => a - b), [0, 6, 6]);
    const tries = transport.connects.length;
    assert(tries < 60, `${tries} connects in an outage of 30 seconds`);
    down.clear();
    for (let second = 0; second < 40; second++) {
      await clock.advance(1_000);
      await idle(pool, 12);
    }
    assertEquals(sizes(), [4, 4, 4]);
    const then = transport.connects.length;
    await clock.advance(60_000);
    assertEquals(transport.connects.length, then); // And then it is at rest.
    assert(transport.mostHeld <= 12);
    await pool.close();
  }
});

test("SocketPool evens the load out although every socket is leased all the time", async () => {
  const { clock, down, fell, pool, sizes } = cluster([A!, B!], { maxSize: 10 });
  fell("b.test");
  const leases = await lease(pool, 10);
  assertEquals(sizes(), [10, 0]);
  down.clear();
  for (let second = 0; second < 60; second++) {
    await clock.advance(1_000);
    const at = second % leases.length;
    const next = pool.acquire(); // There is always somebody who waits.
    leases[at]!.release();
    leases[at] = await next;
  }
  assertEquals(sizes(), [5, 5]);
  for (const one of leases) one.release();
  await pool.close();
});

test("SocketPool tells the health of each target", async () => {
  const { clock, down, fell, pool } = cluster([A!, B!], { maxSize: 4, minIdle: 4, breakAfter: 3 });
  await settle();
  fell("b.test");
  const health = () => pool.stats().targets.map(({ target, health }) => `${target} ${health}`);
  await clock.advance(10_000);
  assertEquals(health(), ["a.test:80 up", "b.test:80 down"]);
  down.clear();
  await clock.advance(60_000);
  assertEquals(health(), ["a.test:80 up", "b.test:80 up"]);
  await pool.close();
});

test("SocketPool refuses targets that are none, and weights and bounds that are none", () => {
  const bad: [unknown, string][] = [
    [{ hostname: "a.test" }, "target"],
    ["a.test:80", "target"],
    [{ ...A, weight: 0 }, "weight"],
    [{ ...A, weight: Infinity }, "weight"],
    [{ ...A, maxSize: 0 }, "maxSize"],
    [[A, { ...B, maxSize: 1.5 }], "maxSize"],
  ];
  for (const [target, name] of bad) {
    let message = "nothing";
    try {
      poolOnFakes({ target: target as PoolTarget });
    } catch (error) {
      message = (error as Error).message;
    }
    assert(message.startsWith(`Cannot use ${name} "`), message);
  }
});

const system = systemTransport();
const noTls =
  !(system.capabilities.tlsListen && system.capabilities.tls && system.capabilities.unix);

test("SocketPool, real sockets: TCP, a Unix path and TLS in one pool (P2)", {
  skip: noTls && "no TLS or no Unix sockets",
}, async () => {
  const folder = mkdtempSync(`${tmpdir()}/jackfield-`);
  const tls = { cert: fixture("tls/server.pem"), key: fixture("tls/server.key") };
  const caCerts = [fixture("tls/ca.pem")];
  const listeners = await Promise.all([
    system.listen(),
    system.listen({ path: `${folder}/socket` }),
    system.listen({ tls }),
  ]);
  const served = listeners.map(echoServer);
  const [tcp, , secure] = listeners.map(({ address }) => address);
  const target = [{ ...tcp!, weight: 2 }, { path: `${folder}/socket` }, {
    ...secure!,
    tls: { caCerts },
  }];
  const pool = new SocketPool({ transport: system, target, maxSize: 8 });
  const leases = await lease(pool, 8);
  for (const { socket } of leases) {
    await socket.write(bytesOf("hello"));
    assertEquals(textOf(await readExactly(socket, 5)), "hello");
  }
  assertEquals(pool.stats().targets.map(({ size }) => size), [4, 2, 2]);
  assert(pool.stats().targets[2]!.target.endsWith("(TLS)"));
  for (const one of leases) one.release();
  const words = await Promise.all(
    Array.from({ length: 24 }, (_, at) =>
      pool.use(async ({ socket }) => {
        const word = `task ${at}`;
        await socket.write(bytesOf(word));
        return textOf(await readExactly(socket, word.length)) === word;
      })),
  );
  assertEquals([words.every(Boolean), sums(pool).size], [true, 8]);
  await pool.close();
  await Promise.all(listeners.map((listener) => listener.close()));
  await Promise.all(served);
  rmSync(folder, { recursive: true });
});
