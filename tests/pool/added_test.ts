// Sockets that were made elsewhere, such as accepted ones, under the rules of a pool (P8).
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Socket, SocketPool, type SocketPoolOptions } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { deferred, fakeSocket } from "../transport/fakes.ts";
import {
  bytesOf,
  countDescriptors,
  descriptorsBack,
  eventually,
  readExactly,
  textOf,
} from "../transport/tools.ts";
import { idle, lease, outcomeOf, poolOnFakes, refusal, sums, TARGET } from "./tools.ts";

const BAD = new Error("no agent");

/** A pool that connects nothing by itself. */
const addedPool = <Session = undefined>(options: Partial<SocketPoolOptions<Session>> = {}) =>
  poolOnFakes<Session>({ target: [], ...options });

test("SocketPool.add() puts a socket under the pool's rules, and tasks take turns with it (P8)", async () => {
  const pool = new SocketPool({ maxSize: 2 }); // No transport and no target: it lives of `add`.
  const { socket } = fakeSocket();
  await pool.add(socket);
  assertEquals([sums(pool).idle, pool.stats().targets.map(({ target }) => target)], [1, [
    "added sockets",
  ]]);
  for (let task = 0; task < 3; task++) {
    assertEquals(await pool.use((lease) => lease.socket === socket), true);
  }
  await pool.close();
  assertEquals([socket.state, pool.stats().targets], ["closed", []]);
});

test("SocketPool.add() serves who waits (P8)", async () => {
  const { clock, pool } = addedPool();
  const waiting = [pool.acquire(), pool.acquire()];
  await clock.advance(100);
  assertEquals(sums(pool).waiting, 2);
  const { socket } = fakeSocket();
  await pool.add(socket);
  const first = await waiting[0]!;
  assertEquals(first.socket, socket);
  first.release();
  (await waiting[1]!).release();
  await pool.close();
});

test("SocketPool.add() refuses what is no free, open socket, and leaves it to the caller", async () => {
  const { pool } = addedPool({ maxSize: 2 });
  const closed = fakeSocket().socket;
  await closed.close();
  const busy = fakeSocket().socket;
  const reading = refusal(busy.read(new Uint8Array(1)));
  const { socket: twice } = fakeSocket();
  await pool.add(twice);
  const words = { closed, busy, "has it already": twice };
  for (const [word, socket] of Object.entries(words)) {
    const error = await refusal(pool.add(socket));
    assert(error instanceof TypeError, word);
    assertStringIncludes(error.message, word);
  }
  assertEquals([busy.state, sums(pool).size], ["open", 1]);
  await busy.close();
  await reading;
  await pool.close();
});

test("SocketPool.add() rejects with POOL_FULL at maxSize and with POOL_CLOSED at the end (P2)", async () => {
  const { pool } = addedPool({ maxSize: 1 });
  await pool.add(fakeSocket().socket);
  const { socket } = fakeSocket();
  const full = await refusal(pool.add(socket));
  assertEquals([full.code, full.limit, socket.state], ["POOL_FULL", 1, "open"]);
  await pool.close();
  assertEquals([(await refusal(pool.add(socket))).code, socket.state], ["POOL_CLOSED", "open"]);
  await socket.close();
});

test("SocketPool counts added and connected sockets together (P2)", async () => {
  const { pool, transport } = poolOnFakes({ maxSize: 3 });
  await pool.add(fakeSocket().socket);
  const leases = await lease(pool, 3);
  assertEquals([transport.connects.length, sums(pool).size], [2, 3]);
  assertEquals((await refusal(pool.add(fakeSocket().socket))).code, "POOL_FULL");
  assertEquals(pool.stats().targets.map(({ target, leased }) => [target, leased]), [
    [`127.0.0.1:${TARGET.port}`, 2],
    ["added sockets", 1],
  ]);
  for (const one of leases) one.release();
  await pool.close();
});

test("SocketPool.add() prepares a socket, or takes the session that it is given", async () => {
  const { pool } = addedPool<string>({
    prepare: (_socket, { target }) => `prepared, target ${target}`,
  });
  await pool.add(fakeSocket().socket);
  await pool.add(fakeSocket().socket, { session: "given" });
  const [one, two] = await lease(pool, 2);
  assertEquals([one!.session, two!.session], ["prepared, target undefined", "given"]);
  for (const each of [one!, two!]) each.release();
  await pool.close();
});

test("SocketPool.add() rejects when prepare fails, closes the socket, and harms no other caller", async () => {
  const answers = [deferred<undefined>(), deferred<undefined>()];
  let at = 0;
  const { clock, pool } = addedPool({ prepare: () => answers[at++]!.promise });
  const waiting = outcomeOf(pool.acquire(), clock);
  const [bad, good] = [fakeSocket().socket, fakeSocket().socket];
  const refused = refusal(pool.add(bad));
  answers[0]!.reject(BAD);
  const { code, cause } = await refused;
  assertEquals([code, cause, bad.state], ["POOL_PREPARE_FAILED", BAD, "closed"] as unknown[]);
  assertEquals(sums(pool).waiting, 1); // Who waits may get another one: `add` has told of this.
  const added = pool.add(good);
  answers[1]!.resolve(undefined);
  await added;
  const mine = (await waiting).lease!;
  assertEquals(mine.socket, good);
  mine.release();
  await pool.close();
});

test("SocketPool.add() rejects when the pool ends while it prepares", async () => {
  const { pool } = addedPool({ prepare: () => new Promise<undefined>(() => {}) });
  const { socket } = fakeSocket();
  const added = pool.add(socket).then(() => "available", ({ code }) => code);
  await settle();
  await pool.close();
  assertEquals([await added, socket.state], ["POOL_CLOSED", "closed"]);
});

test("SocketPool.add() takes no socket with bytes that nobody read, or lends it with them", async () => {
  const { pool, transport } = poolOnFakes();
  const { socket } = fakeSocket({ unread: bytesOf("GET / HTTP/1.1") });
  const answer = await pool.add(socket).then(() => "taken", (error) => String(error));
  if (answer === "taken") {
    // What was promised to be available must be: dropped in silence is the one thing it must not be.
    assertEquals((await pool.acquire()).socket, socket);
  } else {
    assertStringIncludes(answer, "TypeError");
    assertEquals([socket.state, transport.connects.length], ["open", 0]);
  }
  pool.abort();
  await settle();
});

test("SocketPool closes added sockets by the same limits as the others (P8)", async () => {
  const { clock, pool } = addedPool({ idleTimeoutMs: 1_000, maxLifetimeMs: 3_000 });
  const [idler, worker] = [fakeSocket().socket, fakeSocket().socket];
  await pool.add(idler);
  await pool.add(worker);
  await pool.acquire().then((one) => one.release());
  await clock.advance(1_500);
  assertEquals([idler.state, worker.state, sums(pool).size], ["closed", "closed", 0]);
  const { socket, driver } = fakeSocket();
  await pool.add(socket);
  driver.watcher!.gone();
  await settle();
  assertEquals(sums(pool).size, 0);
  await pool.close();
});

test("SocketPool.add() and idle: nothing connects in place of an added socket that went", async () => {
  const { pool, transport } = addedPool();
  await pool.add(fakeSocket().socket);
  await idle(pool, 1);
  (await pool.acquire()).discard();
  assertEquals([sums(pool).size, transport.connects.length], [0, 0]);
  await pool.close();
});

/** A client that connects by itself and answers jobs, until the server hangs up. */
async function agent(socket: Socket, name: string): Promise<number> {
  let jobs = 0;
  for (const buffer = new Uint8Array(4);; jobs++) {
    const count = await socket.read(buffer);
    if (count === null) break;
    await socket.write(bytesOf(`${name}${textOf(buffer.subarray(0, count))}`.padEnd(8)));
  }
  await socket.close();
  return jobs;
}

test("SocketPool, real sockets: server tasks are bound to accepted sockets in turn, which are kept (P8)", async () => {
  const before = countDescriptors();
  const transport = systemTransport();
  const listener = await transport.listen();
  const pool = new SocketPool({ transport, maxSize: 3 });
  const accepting = (async () => {
    for await (const socket of listener) await pool.add(socket);
  })();
  const agents = await Promise.all(["a", "b", "c"].map(async (name) => {
    const socket = await transport.connect(listener.address);
    return { name, socket, jobs: agent(socket, name) };
  }));
  await eventually(() => sums(pool).idle === 3, () => JSON.stringify(sums(pool)));
  const seen = new Map<number, number>();
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, at) =>
      pool.use(async ({ socket }) => {
        const { port } = socket.remoteAddress;
        seen.set(port, (seen.get(port) ?? 0) + 1);
        await socket.write(bytesOf(`${at}`.padStart(4)));
        return textOf(await readExactly(socket, 8)).trim();
      })),
  );
  for (const [at, answer] of answers.entries()) {
    assert(answer.endsWith(` ${at}`) || answer.endsWith(`${at}`));
  }
  assertEquals(seen.size, 3); // Ten tasks for each, on three connections in all.
  assertEquals([...seen.values()], [10, 10, 10]);
  await pool.close();
  assertEquals(await Promise.all(agents.map(({ jobs }) => jobs)), [10, 10, 10]);
  await listener.close();
  await accepting;
  await descriptorsBack(before);
});

test("SocketPool, real sockets: an accepted socket that its client closed serves no task (P3, P8)", async () => {
  const transport = systemTransport();
  const listener = await transport.listen();
  const pool = new SocketPool({ transport, maxSize: 2 });
  const clients = await Promise.all([0, 1].map(() => transport.connect(listener.address)));
  for (let at = 0; at < 2; at++) await pool.add(await listener.accept());
  await clients[0]!.close();
  await eventually(() => sums(pool).idle === 1, () => JSON.stringify(sums(pool)));
  const [mine] = await lease(pool, 1);
  assertEquals(mine!.socket.remoteAddress.port, clients[1]!.localAddress.port);
  mine!.release();
  await pool.close();
  await Promise.all([clients[1]!.close(), listener.close()]);
});
