import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  AddressTable,
  hostAddresses,
  type Socket,
  SocketPool,
  type SocketPoolOptions,
} from "../../src/core.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { bytesOf, readExactly, rejection, textOf } from "../transport/tools.ts";
import { FakeTransport } from "./fake_transport.ts";
import { poolOnEcho, sums, TARGET } from "./tools.ts";

/** Send a word and read it back. */
async function talk(socket: Socket, word: string): Promise<string> {
  await socket.write(bytesOf(word));
  return textOf(await readExactly(socket, word.length));
}

test("SocketPool: one connection serves a second task; the peer sees one remote port (P1)", async () => {
  const transport = memoryTransport();
  const listener = await transport.listen();
  const pool = new SocketPool({ transport, target: listener.address, maxSize: 4 });
  const first = await pool.acquire();
  const far = await listener.accept();
  await first.socket.write(bytesOf("first task,"));
  first.release();
  const second = await pool.acquire();
  await second.socket.write(bytesOf("second task"));
  assertEquals(textOf(await readExactly(far, 22)), "first task,second task");
  assertEquals(far.remoteAddress, second.socket.localAddress);
  assertEquals(transport.openEnds, 2); // One connection, and no other on the way.
  second.release();
  await Promise.all([pool.close(), far.close(), listener.close()]);
  assertEquals(transport.openEnds, 0);
});

test("SocketPool.stats() counts what there is (P2)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 2 });
  const leases = [pool.acquire(), pool.acquire(), pool.acquire()];
  const none = { size: 0, idle: 0, leased: 0, connecting: 0, checking: 0, closing: 0, waiting: 0 };
  assertEquals(sums(pool), { ...none, size: 2, connecting: 2, waiting: 3 });
  transport.connects[0]!.open();
  transport.connects[1]!.open();
  await settle();
  assertEquals(sums(pool), { ...none, size: 2, leased: 2, waiting: 1 });
  (await leases[0]!).release();
  assertEquals(sums(pool), { ...none, size: 2, leased: 2 });
  (await leases[1]!).release();
  (await leases[2]!).release();
  assertEquals(sums(pool), { ...none, size: 2, idle: 2 });
  await pool.close();
  assertEquals(sums(pool), none);
});

test("SocketPool.tryAcquire() gives an idle socket at once, and never connects", async () => {
  const { pool, transport, end } = await poolOnEcho();
  assertEquals(pool.tryAcquire(), undefined);
  await settle();
  assertEquals(transport.openEnds, 0);
  (await pool.acquire()).release();
  const lease = pool.tryAcquire();
  assert(lease !== undefined);
  assertEquals(pool.tryAcquire(), undefined);
  lease.release();
  assertEquals(await end(), 0);
});

test("SocketPool never leases a socket that is leased (P3)", async () => {
  const { pool, end } = await poolOnEcho({ maxSize: 8 });
  const leases = await Promise.all(Array.from({ length: 8 }, () => pool.acquire()));
  assertEquals(new Set(leases.map(({ socket }) => socket)).size, 8);
  assertEquals(
    await Promise.all(leases.map(({ socket }, at) => talk(socket, `task ${at}`))),
    [
      ...leases.keys(),
    ].map((at) => `task ${at}`),
  );
  for (const lease of leases) lease.release();
  assertEquals(await end(), 0);
});

test("SocketPool never leases a socket that ended while it was idle (P3)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 1 });
  const ends: ((socket: Socket, tell: (error?: unknown) => void) => unknown)[] = [
    (_socket, tell) => tell(), // Closed by the peer.
    (_socket, tell) => tell(new Error("reset")),
    (socket) => socket.abort(new Error("by somebody who kept it")),
    (socket) => socket.closeWrite(),
    (socket) => socket.close(),
  ];
  for (const endIt of ends) {
    const asked = pool.acquire();
    const { socket, driver } = transport.connects.at(-1)!.open();
    (await asked).release();
    assertEquals(pool.stats().idle, 1);
    await endIt(socket, (error) => driver.watcher?.gone(error));
    const next = pool.acquire();
    await settle();
    assertEquals(transport.held, 1);
    assertEquals(transport.connects.at(-1)!.options.signal?.aborted, false);
    const fresh = transport.connects.at(-1)!.open();
    const lease = await next;
    assertEquals(lease.socket, fresh.socket);
    lease.discard();
    await settle();
  }
  await pool.close();
  assertEquals([transport.held, transport.mostHeld], [0, 1]);
});

test("SocketPool lets go of an idle socket that ended, and in the same turn already (P3)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET, maxSize: 2 });
  const asked = [pool.acquire(), pool.acquire()];
  const sockets = transport.connects.map((connect) => connect.open().socket);
  for (const lease of await Promise.all(asked)) lease.release();
  sockets[0]!.abort();
  const lease = pool.tryAcquire(); // Nobody could tell the pool yet: it looks by itself.
  assertEquals(lease?.socket, sockets[1]);
  lease?.release();
  sockets[1]!.abort();
  await settle();
  assertEquals(pool.stats().size, 0); // Now it was told: nobody had to ask.
  await pool.close();
});

test("SocketPool never leases a released socket again that is not open any more (P3)", async () => {
  const { pool, end } = await poolOnEcho({ maxSize: 1 });
  const ruins: ((socket: Socket) => unknown)[] = [
    (socket) => socket.closeWrite(),
    (socket) => socket.close(),
    (socket) => socket.abort(),
  ];
  for (const ruin of ruins) {
    const lease = await pool.acquire();
    await ruin(lease.socket);
    lease.release();
    assertEquals(pool.stats().idle, 0);
    const next = await pool.acquire();
    assertEquals(next.socket.state, "open");
    assertEquals(await talk(next.socket, "alive"), "alive");
    next.release();
  }
  assertEquals(await end(), 0);
});

test("SocketPool.acquire() rejects when the connection ends in the moment it stands (P3)", async () => {
  const transport = new FakeTransport();
  const pool = new SocketPool({ transport, target: TARGET });
  const asked = pool.acquire();
  transport.connects[0]!.open().socket.abort();
  const error = await rejection(asked);
  assertEquals(error.code, "CONNECT_FAILED");
  assertEquals(transport.connects.length, 1); // And does not try for ever.
  assertEquals(pool.stats().size, 0);
  await pool.close();
});

test("SocketLease.release() counts once: a late second one frees nobody else's socket (P3)", async () => {
  const { pool, end } = await poolOnEcho({ maxSize: 1 });
  const first = await pool.acquire();
  first.release();
  const second = await pool.acquire();
  first.release();
  first.discard();
  await first[Symbol.asyncDispose]();
  assertEquals(pool.stats().leased, 1);
  assertEquals(second.socket.state, "open");
  assertEquals(pool.tryAcquire(), undefined);
  second.release();
  assertEquals(await end(), 0);
});

test("SocketLease and SocketPool are disposable", async () => {
  const { pool, end } = await poolOnEcho({ maxSize: 1 });
  (await pool.acquire())[Symbol.dispose]();
  assertEquals(pool.stats().idle, 1);
  await (await pool.acquire())[Symbol.asyncDispose]();
  assertEquals(pool.stats().idle, 1);
  await pool[Symbol.asyncDispose]();
  assertEquals((await rejection(pool.acquire())).code, "POOL_CLOSED");
  assertEquals(await end(), 0);
});

test("SocketPool.use() releases the socket when the task is done", async () => {
  const { pool, transport, end } = await poolOnEcho({ maxSize: 1 });
  for (const word of ["one", "two"]) {
    assertEquals(await pool.use(({ socket }) => talk(socket, word)), word);
  }
  assertEquals(await pool.use(() => 7), 7); // A task may be no promise.
  assertEquals(pool.stats().idle, 1);
  assertEquals(transport.openEnds, 2);
  assertEquals(await end(), 0);
});

test("SocketPool.use() discards the socket when the task throws", async () => {
  const { pool, end } = await poolOnEcho({ maxSize: 1 });
  const failure = new Error("half an answer");
  let socket: Socket | undefined;
  const tasks: (() => Promise<never>)[] = [
    () => Promise.reject(failure),
    () => {
      throw failure;
    },
  ];
  for (const task of tasks) {
    const failed = pool.use((lease) => {
      socket = lease.socket;
      return task();
    });
    assertEquals(await rejection(failed), failure);
    assertEquals(socket!.state, "closed");
    assertEquals(pool.stats().size, 0);
  }
  assertEquals(await pool.use((lease) => talk(lease.socket, "fresh")), "fresh");
  assertEquals(await end(), 0);
});

test("SocketPool.use() may be told how long to wait", async () => {
  const { pool, end } = await poolOnEcho({ maxSize: 1 });
  const reason = new Error("no time");
  const lease = await pool.acquire();
  const used = pool.use(() => "never", { signal: AbortSignal.abort(reason) });
  assertEquals(await rejection(used), reason);
  lease.release();
  assertEquals(await end(), 0);
});

test("SocketPool refuses bad options, and shows them", () => {
  const transport = new FakeTransport();
  const source = hostAddresses(["127.0.0.2"]);
  const bad: [Partial<SocketPoolOptions>, new () => Error, string][] = [
    [{ maxSize: 0 }, RangeError, 'maxSize "0"'],
    [{ maxSize: 1.5 }, RangeError, 'maxSize "1.5"'],
    [{ maxSize: NaN }, RangeError, 'maxSize "NaN"'],
    [{ maxWaiting: -1 }, RangeError, 'maxWaiting "-1"'],
    [{ maxWaiting: NaN }, RangeError, 'maxWaiting "NaN"'],
    [{ connectTimeoutMs: 0 }, RangeError, 'connectTimeoutMs "0"'],
    [{ strategy: "random" as never }, TypeError, 'strategy "random"'],
    [{ transport: undefined as never }, TypeError, "expected a transport"],
    [{ addresses: new AddressTable({ transport: memoryTransport(), source }) }, TypeError, "table"],
  ];
  for (const [options, kind, text] of bad) {
    assertThrows(() => new SocketPool({ transport, target: TARGET, ...options }), kind, text);
  }
});
