// Leases that another thread or process has for a while, on connections in memory.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AddressTable, hostAddresses, SocketPool } from "../../src/core.ts";
import { test } from "../harness.ts";
import { rejection } from "../transport/tools.ts";
import { carries, lendingScene } from "./lending.ts";
import { sums } from "./tools.ts";

for (const kind of ["thread", "process"] as const) {
  test(`SocketLease.lend() comes back when the other end releases it, and the next task has the same connection, ${kind} (P1)`, async () => {
    const { pool, peers, settle, borrower, kernel, events } = await lendingScene({ maxSize: 1 });
    const [one, two] = [borrower(kind), borrower(kind)];
    const lease = await pool.acquire();
    const { port } = lease.socket.localAddress;
    const lending = lease.lend(one.channel, { job: 1 });
    assertEquals([lease.state, lease.socket.state], ["lent", "gone"]);
    await settle();
    await lending;
    lease.release(); // It is not here.
    assertEquals([lease.state, sums(pool).leased, sums(pool).size], ["lent", 1, 1]);
    const { lease: far, data } = one.borrowed[0]!;
    assertEquals([data, far.socket.localAddress.port], [{ job: 1 }, port]);
    assert(await carries(far.socket, peers[0]!, "from there"));
    const waiting = pool.acquire();
    const released = far.release();
    assertEquals(far.release(), released);
    await settle();
    await released;
    assertEquals([lease.state, far.state, far.socket.state], ["released", "released", "gone"]);
    const next = await waiting;
    assertEquals(next.socket.localAddress.port, port);
    // And the next owner, elsewhere.
    void next.lend(two.channel);
    await settle();
    assert(await carries(peers[0]!, two.borrowed[0]!.lease.socket, "to another"));
    void two.borrowed[0]!.lease[Symbol.asyncDispose]();
    await settle();
    assertEquals([sums(pool).idle, peers.length, kernel.copies], [1, 1, 1]);
    assertEquals(events, ["leased", "released", "leased", "released"]);
    await pool.close();
    assertEquals(kernel.copies, 0);
  });

  test(`SocketLease.lend() leaves room at once when the other end dies, ${kind}`, async () => {
    const { pool, settle, borrower, bury, kernel, events } = await lendingScene({ maxSize: 1 });
    const other = borrower(kind);
    const lease = await pool.acquire();
    void lease.lend(other.channel);
    await settle();
    const waiting = pool.acquire();
    await bury(other);
    assertEquals([lease.state, kernel.copies], ["discarded", 1]);
    (await waiting).release();
    assertEquals(events, ["leased", "released", "closed: discarded", "leased", "released"]);
    // Nobody is there any more: it stays here.
    const next = await pool.acquire();
    assertEquals((await rejection(next.lend(other.channel))).code, "HANDOFF_CLOSED");
    assertEquals([next.state, next.socket.state], ["leased", "open"]);
    next.release();
    await pool.close();
  });

  test(`SocketLease.lend() keeps what the other end released before it died, ${kind}`, async () => {
    const { pool, settle, borrower, bury, kernel, peers } = await lendingScene({ maxSize: 1 });
    const other = borrower(kind);
    const lease = await pool.acquire();
    void lease.lend(other.channel);
    await settle();
    void other.borrowed[0]!.lease.release();
    for (let turn = 0; turn < 50; turn++) await undefined; // The offer is on its way.
    while (other.near.step());
    other.near.end({ reason: "exited" }); // While it is being taken up here.
    await bury(other);
    await settle();
    assertEquals([lease.state, kernel.copies, peers.length], ["released", 1, 1]);
    const next = await pool.acquire();
    assert(await carries(next.socket, peers[0]!, "still here"));
    next.release();
    await pool.close();
  });

  test(`SocketLease.lend() ends as discarded when the other end closes or discards it, ${kind}`, async () => {
    const { pool, settle, borrower, kernel } = await lendingScene();
    const other = borrower(kind);
    for (const end of ["close", "discard", "peer"] as const) {
      const lease = await pool.acquire();
      void lease.lend(other.channel);
      await settle();
      const { lease: far } = other.borrowed.pop()!;
      if (end === "close") void far.socket.close();
      if (end === "discard") far.discard();
      if (end === "peer") {
        far.socket.read(new Uint8Array(1)).catch(() => {}); // It cannot be given back.
        void far.release();
      }
      await settle();
      assertEquals([lease.state, sums(pool).size, kernel.copies], ["discarded", 0, 0], end);
    }
    await pool.close();
  });

  test(`SocketLease.discard() recalls what is lent, which counts until nobody has it, ${kind}`, async () => {
    const { pool, settle, borrower, kernel, clock } = await lendingScene({ maxSize: 1 });
    const other = borrower(kind);
    const lease = await pool.acquire();
    void lease.lend(other.channel);
    await settle();
    lease.discard();
    const waiting = pool.acquire();
    await clock.settle();
    assertEquals([lease.state, sums(pool).closing, sums(pool).connecting], ["discarded", 1, 0]);
    await settle();
    const { lease: far } = other.borrowed[0]!;
    assertEquals([far.socket.state, kernel.copies], ["closed", 1]);
    await far.release(); // Too late: nothing happens.
    (await waiting).release();
    // One that is on its way, in either direction.
    const leaving = await pool.acquire();
    const sent = rejection(leaving.lend(other.channel));
    await clock.settle();
    leaving.discard();
    await settle();
    // A thread is too late if the other end has taken it already.
    if (kind === "process") assertEquals((await sent).code, "SOCKET_ABORTED");
    assertEquals([sums(pool).size, kernel.copies], [0, 0]);
    // One that the other end has just taken.
    const taken = await pool.acquire();
    taken.lend(other.channel).catch(() => {});
    await clock.settle();
    other.far.step();
    await clock.settle();
    taken.discard();
    await settle();
    assertEquals([sums(pool).size, kernel.copies], [0, 0]);
    const coming = await pool.acquire();
    void coming.lend(other.channel);
    await settle();
    void other.borrowed.at(-1)!.lease.release();
    await clock.settle();
    coming.discard();
    await settle();
    assertEquals([coming.state, sums(pool).size, kernel.copies], ["discarded", 0, 0]);
    await pool.close();
  });

  test(`SocketPool.close() waits for what is lent, abort() recalls it, ${kind}`, async () => {
    for (const end of ["close", "abort"] as const) {
      const { pool, settle, borrower, kernel } = await lendingScene();
      const other = borrower(kind);
      const lease = await pool.acquire();
      void lease.lend(other.channel);
      await settle();
      let closed = false;
      void pool.close().then(() => closed = true);
      if (end === "abort") pool.abort();
      await settle();
      assertEquals(closed, end === "abort");
      if (end === "close") void other.borrowed[0]!.lease.release();
      await settle();
      assertEquals([closed, kernel.copies, sums(pool).size], [true, 0, 0]);
    }
  });

  test(`SocketLease.lend() leaves the lease with the task when it cannot be moved, ${kind}`, async () => {
    const { pool, settle, borrower, peers, clock, kernel } = await lendingScene();
    const refuses = borrower(kind, false);
    const lease = await pool.acquire();
    const refused = rejection(lease.lend(refuses.channel));
    await settle();
    assertEquals((await refused).code, "HANDOFF_REFUSED");
    assertEquals([lease.state, lease.socket.state], ["leased", "open"]);
    assert(await carries(lease.socket, peers[0]!, "mine"));
    // Not at once: given up on the way.
    const silent = borrower(kind);
    const timedOut = rejection(lease.lend(silent.channel, undefined, { timeoutMs: 10 }));
    await clock.advance(11);
    assertEquals((await timedOut).code, "HANDOFF_TIMEOUT");
    if (kind === "thread") assertEquals([lease.state, sums(pool).leased], ["leased", 1]);
    else assertEquals([lease.state, sums(pool).leased], ["discarded", 0]); // Nobody can tell.
    lease.release();
    await settle();
    assertEquals(kernel.copies, kind === "thread" ? 1 : 0);
    await assertRejects(() => lease.lend(silent.channel), TypeError, "expected it to be leased");
    await pool.close();
    assertEquals(kernel.copies, 0);
  });

  test(`AddressTable keeps the port of a socket that is lent, and has it back with its end, ${kind}`, async () => {
    const { clock, transport, settle, borrower, listener, peers } = await lendingScene();
    const addresses = new AddressTable({
      transport,
      clock,
      source: hostAddresses(["127.0.0.2"]),
      ports: { from: 40_000, to: 40_003 },
    });
    const pool = new SocketPool({ addresses, target: listener.address, clock, maxSize: 2 });
    const other = borrower(kind);
    const ports = () => [addresses.state().ports.used, addresses.state().ports.resting];
    for (const end of ["release", "close"] as const) {
      const lease = await pool.acquire();
      void lease.lend(other.channel);
      await settle();
      assertEquals([ports(), addresses.size], [[1, 0], 1]);
      const { lease: far } = other.borrowed.pop()!;
      if (end === "release") void far.release();
      else void far.socket.close();
      await settle();
      if (end === "close") await Promise.all(peers.map((peer) => peer.close()));
      assertEquals([ports(), addresses.size], end === "release" ? [[1, 0], 1] : [[0, 0], 0]);
    }
    // Sent for good, and back again, it is the same to the table.
    const sent = await addresses.connect(listener.address);
    void other.channel.send(sent);
    await settle();
    assertEquals([sent.state, ports(), addresses.size], ["gone", [1, 0], 1]);
    void other.farChannel.send(other.owned.pop()!);
    await settle();
    void other.channel.send(other.owned.pop()!);
    await settle();
    assertEquals([ports(), addresses.size], [[1, 0], 1]);
    void other.owned.pop()!.close();
    await settle();
    assertEquals([ports(), addresses.size], [[0, 0], 0]);
    await Promise.all(peers.map((peer) => peer.close()));
    // Closed while it is away, the table waits for nobody.
    const lease = await pool.acquire();
    void lease.lend(other.channel);
    await settle();
    await addresses.closeAll();
    assertEquals([ports(), addresses.size], [[0, 1], 0]);
    void other.borrowed.pop()!.lease.release();
    await settle();
    assertEquals(ports(), [0, 1]);
    await pool.close();
  });
}

test("SocketLease.lend() keeps the session here, and resumes it on the socket that comes back", async () => {
  const { pool, settle, borrower } = await lendingScene<{ port: number; state: string }>({
    prepare: (socket) => ({ port: socket.localAddress.port, state: socket.state }),
    resume: (socket, session) => ({ ...session, state: `again ${socket.state}` }),
  });
  const other = borrower("process");
  const lease = await pool.acquire();
  void lease.lend(other.channel);
  await settle();
  void other.borrowed[0]!.lease.release();
  await settle();
  const next = await pool.acquire();
  const { port } = next.socket.localAddress;
  assertEquals(next.session, { port, state: "again open" });
  next.release();
  await pool.close();
});

test("SocketLease.lend() ends a connection whose session cannot be resumed, and reports why", async () => {
  const failures: unknown[] = [];
  const { pool, settle, borrower, kernel } = await lendingScene<string>({
    prepare: () => "a session",
    resume: () => {
      throw new Error("no way");
    },
    onError: (error, { stage }) => failures.push([stage, (error as Error).message]),
  });
  const other = borrower("process");
  const lease = await pool.acquire();
  void lease.lend(other.channel);
  await settle();
  void other.borrowed[0]!.lease.release();
  await settle();
  assertEquals(failures, [["resume", "no way"]]);
  assertEquals([lease.state, sums(pool).size, kernel.copies], ["discarded", 0, 0]);
  await pool.close();
});

test("SocketLease.lend() ends what comes back with bytes that nobody read", async () => {
  const { pool, settle, borrower, peers, events } = await lendingScene();
  const other = borrower("thread");
  const lease = await pool.acquire();
  void lease.lend(other.channel);
  await settle();
  await peers[0]!.write(new Uint8Array([1, 2, 3]));
  void other.borrowed[0]!.lease.release();
  await settle();
  assertEquals(events, ["leased", "released", "closed: unclean"]);
  await pool.close();
});

test("SocketPool.use() may lend its lease, which ends when it comes back", async () => {
  const { pool, settle, borrower } = await lendingScene({ maxSize: 1 });
  const other = borrower("process");
  const used = pool.use((lease) => lease.lend(other.channel, "a job"));
  await settle();
  await used;
  assertEquals(sums(pool).leased, 1);
  void other.borrowed[0]!.lease.release();
  await settle();
  assertEquals([sums(pool).leased, sums(pool).idle], [0, 1]);
  await pool.close();
});

test("HandoffChannel.lend() throws, and changes nothing, when it is refused from the beginning", async () => {
  const { pool, borrower, settle } = await lendingScene();
  const { channel } = borrower("process");
  const lease = await pool.acquire();
  const { socket } = lease;
  void socket.read(new Uint8Array(1)).catch(() => {});
  const error = assertThrows(() => channel.lend(socket)) as { code?: string };
  assertEquals([error.code, socket.state], ["SOCKET_BUSY", "open"]);
  lease.discard();
  const other = await pool.acquire();
  void channel.close();
  const refused = assertThrows(() => channel.lend(other.socket)) as { code?: string };
  assertEquals([refused.code, other.socket.state], ["HANDOFF_CLOSED", "open"]);
  other.release();
  await settle();
  await pool.close();
});

test("HandoffChannel.close() lets come back what was lent before", async () => {
  const { pool, borrower, settle } = await lendingScene();
  const other = borrower("process");
  const lease = await pool.acquire();
  void lease.lend(other.channel);
  await settle();
  void other.channel.close();
  void other.farChannel.close();
  void other.borrowed[0]!.lease.release();
  await settle();
  assertEquals([lease.state, sums(pool).idle], ["released", 1]);
  await pool.close();
});
