// What is made of connections: `prepare` and its sessions.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Socket, SocketContext, SocketPoolOptions } from "../../src/core.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { deferred } from "../transport/fakes.ts";
import { bytesOf } from "../transport/tools.ts";
import { lease, outcomeOf, poolOnFakes, refusal, sums, TARGET, watchedSignal } from "./tools.ts";

const BAD = new Error("wrong password");

interface Client {
  readonly name: string;
}

/** A pool of clients, whose handshakes the test may hold up. */
function clientPool(options: Partial<SocketPoolOptions<Client>> = {}) {
  const contexts: SocketContext<unknown>[] = [];
  const handshakes: PromiseWithResolvers<void>[] = [];
  const prepare = async (_socket: Socket, context: SocketContext<undefined>) => {
    contexts.push(context);
    const handshake = deferred();
    handshakes.push(handshake);
    await handshake.promise;
    return { name: `client ${contexts.length}` };
  };
  return { ...poolOnFakes<Client>({ prepare, ...options }), contexts, handshakes };
}

test("SocketPool prepares each connection once, and every lease has its session", async () => {
  let prepared = 0;
  const { pool } = poolOnFakes<Client>({
    maxSize: 2,
    prepare: (_socket, { session, target, signal }) => {
      assertEquals([session, target, signal.aborted], [undefined, TARGET, false]);
      return { name: `client ${++prepared}` };
    },
  });
  const [one, two] = await lease(pool, 2);
  assertEquals([one!.session.name, two!.session.name], ["client 1", "client 2"]);
  assert(one!.socket !== two!.socket);
  const { session, socket } = one!;
  one!.release();
  const [again] = await lease(pool, 1);
  assertEquals([again!.socket === socket, again!.session === session, prepared], [true, true, 2]);
  again!.discard();
  const name = await pool.use(({ session }) => session.name);
  assertEquals([name, prepared], ["client 3", 3]); // A new connection has a session of its own.
  two!.release();
  await pool.close();
});

test("SocketPool.acquire() counts the time of prepare into its own", async () => {
  const { clock, contexts, pool } = clientPool({ prepareTimeoutMs: 5_000 });
  const asked = refusal(pool.acquire({ timeoutMs: 1_000 }));
  await clock.advance(999);
  assertEquals([sums(pool).waiting, sums(pool).connecting], [1, 1]);
  await clock.advance(1);
  const { code, phase, limit, message } = await asked;
  assertEquals([code, phase, limit], ["POOL_TIMEOUT", "prepare", 1_000]);
  assertStringIncludes(message, "its prepare was not done in 1000 ms");
  assertEquals(contexts[0]!.signal.aborted, false); // It goes on for the next one.
  pool.abort();
});

test("SocketPool: a session whose caller gave up serves the next one", async () => {
  const { contexts, handshakes, pool, transport } = clientPool();
  const { controller, listeners } = watchedSignal();
  const first = refusal(pool.acquire({ signal: controller.signal }));
  await settle();
  controller.abort(BAD);
  assertEquals([await first, listeners()], [BAD, 0] as unknown[]);
  const second = pool.acquire();
  handshakes[0]!.resolve();
  assertEquals((await second).session.name, "client 1");
  assertEquals([transport.connects.length, contexts.length], [1, 1]);
  (await second).release();
  await pool.close();
});

test("SocketPool.acquire() rejects with what prepare failed with, and closes the socket", async () => {
  const { handshakes, pool, transport } = clientPool({ maxSize: 1 });
  const asked = refusal(pool.acquire());
  await settle();
  handshakes[0]!.reject(BAD);
  const error = await asked;
  assertEquals([error.code, error.cause, error.phase], ["POOL_PREPARE_FAILED", BAD, "prepare"]);
  assertStringIncludes(error.message, "127.0.0.1:80: wrong password");
  assertEquals([transport.held, sums(pool).size], [0, 0]);
  await pool.close();
});

test("SocketPool: prepare that throws within its call is a failure like any other", async () => {
  const { pool, transport } = poolOnFakes<Client>({
    prepare: () => {
      throw BAD;
    },
  });
  assertEquals((await refusal(pool.acquire())).cause, BAD);
  assertEquals([transport.held, sums(pool).size], [0, 0]);
  await pool.close();
});

test("SocketPool gives up a prepare that hangs, aborts its signal and closes the socket", async () => {
  const { clock, contexts, pool, transport } = clientPool({ prepareTimeoutMs: 2_000 });
  const asked = outcomeOf(pool.acquire(), clock);
  await clock.advance(5_000);
  assertEquals(await asked, { atMs: 2_000, code: "POOL_TIMEOUT" });
  assertEquals(contexts[0]!.signal.aborted, true);
  assertEquals(transport.connects[0]!.made!.socket.state, "closed");
  pool.abort();
  await settle();
  assertEquals([transport.held, clock.pending], [0, 0]);
});

test("SocketPool: what prepare gives after its time serves nobody", async () => {
  const { clock, handshakes, pool, transport } = clientPool({ prepareTimeoutMs: 2_000 });
  const first = refusal(pool.acquire());
  await clock.advance(2_000);
  await first;
  handshakes[0]!.resolve(); // Too late: its socket is closed.
  await settle();
  assertEquals(sums(pool).idle, 0);
  const second = pool.acquire();
  await settle();
  handshakes[1]!.resolve();
  assertEquals([(await second).session.name, transport.held], ["client 2", 1]);
  (await second).release();
  await pool.close();
});

test("SocketPool aborts the signal of prepare when the pool ends, before its socket has closed", async () => {
  const { contexts, pool, transport } = clientPool();
  const closing = deferred();
  transport.answer = (one) => void one.open({ closing: () => closing.promise });
  const asked = refusal(pool.acquire());
  await settle();
  const closed = pool.close();
  assertEquals((await asked).code, "POOL_CLOSED");
  await settle();
  assertEquals([contexts[0]!.signal.aborted, transport.held], [true, 1]);
  closing.resolve();
  await closed;
  assertEquals(transport.held, 0);
});

test("SocketPool lends no socket in which prepare has left bytes", async () => {
  const { handshakes, pool, transport } = clientPool();
  transport.answer = (one) => void one.open({ unread: bytesOf("220 greeting") });
  const asked = refusal(pool.acquire());
  await settle();
  handshakes[0]!.resolve();
  const { code, message } = await asked;
  assertEquals([code, transport.held], ["POOL_PREPARE_FAILED", 0]);
  assertStringIncludes(message, "bytes that nobody read");
  await pool.close();
});

test("SocketPool aborts the signal of prepare when its socket ends", async () => {
  const { contexts, pool, transport } = clientPool();
  const asked = refusal(pool.acquire());
  await settle();
  transport.connects[0]!.made!.driver.watcher!.gone(BAD); // The server refuses by closing.
  await settle();
  assertEquals(contexts[0]!.signal.aborted, true);
  assertEquals((await asked).code, "POOL_PREPARE_FAILED");
  await pool.close();
});

test("SocketPool lends no socket that ended while it was prepared", async () => {
  const { handshakes, pool, transport } = clientPool();
  const asked = refusal(pool.acquire());
  await settle();
  transport.connects[0]!.made!.driver.watcher!.gone();
  handshakes[0]!.resolve();
  assertEquals((await asked).code, "POOL_PREPARE_FAILED");
  assertEquals([transport.held, sums(pool).size], [0, 0]);
  await pool.close();
});
