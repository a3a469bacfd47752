// The pool on the kernel's own sockets, through the transport of whichever runtime this is.
import { assert, assertEquals } from "@std/assert";
import { type Listener, type Socket, SocketPool } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { bytesOf, echo, eventually, readExactly, rejection, textOf } from "../transport/tools.ts";

/** An echo server that knows its connections. */
interface Peer {
  readonly listener: Listener;
  readonly sockets: Socket[];
  end(): Promise<void>;
}

async function echoPeer(): Promise<Peer> {
  const listener = await systemTransport().listen();
  const sockets: Socket[] = [];
  const served = (async () => {
    for await (const socket of listener) {
      sockets.push(socket);
      echo(socket).catch(() => socket.close());
    }
  })();
  return {
    listener,
    sockets,
    async end() {
      await listener.close();
      await served;
      await Promise.all(sockets.map((socket) => socket.close()));
    },
  };
}

async function talk(socket: Socket, word: string): Promise<string> {
  await socket.write(bytesOf(word));
  return textOf(await readExactly(socket, word.length));
}

const portsOf = (peer: Peer) => peer.sockets.map(({ remoteAddress }) => remoteAddress.port);

test("SocketPool, real sockets: one connection, two tasks, one remote port at the peer (P1)", async () => {
  const peer = await echoPeer();
  const pool = new SocketPool({ transport: systemTransport(), target: peer.listener.address });
  const first = await pool.acquire();
  const { port } = first.socket.localAddress;
  assertEquals(await talk(first.socket, "first"), "first");
  first.release();
  const second = await pool.acquire();
  assertEquals(await talk(second.socket, "second"), "second");
  assertEquals(second.socket.localAddress.port, port);
  second.release();
  assertEquals(portsOf(peer), [port]);
  await pool.close();
  await peer.end();
});

test("SocketPool, real sockets: 50 tasks share 4 sockets, and no more at any time (P2)", async () => {
  const peer = await echoPeer();
  const { address: target } = peer.listener;
  const pool = new SocketPool({ transport: systemTransport(), target, maxSize: 4 });
  let active = 0;
  let most = 0;
  const served = new Map<number, number>();
  const tasks = Array.from({ length: 50 }, (_, at) =>
    pool.use(async ({ socket }) => {
      most = Math.max(most, ++active);
      assert(pool.stats().size <= 4);
      const word = `task ${at}`;
      assertEquals(await talk(socket, word), word);
      const { port } = socket.localAddress;
      served.set(port, (served.get(port) ?? 0) + 1);
      active--;
    }));
  await Promise.all(tasks);
  assertEquals([most, served.size, peer.sockets.length], [4, 4, 4]);
  assertEquals(portsOf(peer).sort(), [...served.keys()].sort());
  for (const count of served.values()) assert(count >= 5, `a socket served only ${count} tasks`);
  await pool.close();
  await peer.end();
});

test("SocketPool, real sockets: a socket whose end a task has seen serves no other task (P3)", async () => {
  const peer = await echoPeer();
  const { address: target } = peer.listener;
  const pool = new SocketPool({ transport: systemTransport(), target, maxSize: 1 });
  const lease = await pool.acquire();
  await talk(lease.socket, "here");
  await peer.sockets[0]!.close();
  assertEquals(await lease.socket.read(new Uint8Array(1)), null);
  lease.release();
  const next = await pool.acquire();
  assertEquals(await talk(next.socket, "anew"), "anew");
  assertEquals(peer.sockets.length, 2);
  next.release();
  await pool.close();
  await peer.end();
});

interface Farewell {
  /** What the peer does to an idle socket. */
  readonly what: string;
  readonly say: (socket: Socket) => unknown;
}

const FAREWELLS: readonly Farewell[] = [
  { what: "reset", say: (socket) => socket.abort() },
  { what: "closed", say: (socket) => socket.close() },
  { what: "half-closed", say: (socket) => socket.closeWrite() },
  { what: "sent bytes nobody asked for", say: (socket) => socket.write(bytesOf("408")) },
];

for (const { what, say } of FAREWELLS) {
  const name = `SocketPool, real sockets: an idle socket that the peer ${what} serves no task (P3)`;
  test(name, async () => {
    const peer = await echoPeer();
    const { address: target } = peer.listener;
    const pool = new SocketPool({ transport: systemTransport(), target, maxSize: 2 });
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    for (const { socket } of leases) await talk(socket, "here");
    for (const lease of leases) lease.release();
    for (const socket of peer.sockets) void say(socket);
    const told = () => leases.every(({ socket }) => socket.state !== "open" || socket.hasUnread);
    await eventually(told, () => "the runtime did not tell");
    assertEquals(await pool.use(({ socket }) => talk(socket, "anew")), "anew");
    assertEquals(peer.sockets.length, 3);
    await pool.close();
    await peer.end();
  });
}

test("SocketPool, real sockets: what a task left unread reaches no other task (P3)", async () => {
  const peer = await echoPeer();
  const { address: target } = peer.listener;
  const transport = systemTransport();
  const pool = new SocketPool({ transport, target, maxSize: 1 });
  const lease = await pool.acquire();
  await lease.socket.write(bytesOf("left over"));
  // Deno tells of bytes only to who reads, and the pool reads when the socket is idle.
  const tells = transport.name !== "deno";
  if (tells) await eventually(() => lease.socket.hasUnread, () => "nothing came back");
  lease.release();
  if (!tells) await eventually(() => pool.stats().size === 0, () => "nothing was found");
  assertEquals(await pool.use(({ socket }) => talk(socket, "anew")), "anew");
  assertEquals(peer.sockets.length, 2);
  await pool.close();
  await peer.end();
});

test("SocketPool, real sockets: nobody listens: each waiter learns it at once (P2)", async () => {
  const transport = systemTransport();
  const listener = await transport.listen();
  const target = listener.address;
  await listener.close();
  const pool = new SocketPool({ transport, target, maxSize: 2 });
  const asked = Array.from({ length: 6 }, () => rejection(pool.acquire()));
  for (const error of await Promise.all(asked)) {
    const { code, reason } = error as Error & { code?: string; reason?: string };
    assertEquals([code, reason], ["CONNECT_FAILED", "refused"]);
  }
  assertEquals(pool.stats().size, 0);
  await pool.close();
});
