// What every transport must do, whatever stands behind it. A runtime's own test file names its
// transport and calls `transportContract`; what a transport cannot do is skipped by its declared
// capabilities, and then it must refuse with UNSUPPORTED.
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import {
  createSocket,
  detachSocket,
  isJackfieldError,
  type JackfieldError,
  type Listener,
  type Socket,
  type Transport,
} from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { runtime, test } from "../harness.ts";
import { silentPort } from "./silent_host.ts";
import {
  bytesOf,
  connectedPair,
  countDescriptors,
  descriptorsBack,
  echoServer,
  eventually,
  fixture,
  pattern,
  readAll,
  readExactly,
  rejection,
  sha256,
  sleep,
  textOf,
} from "./tools.ts";
import { watchContract } from "./watch_contract.ts";

/** Options of {@linkcode transportContract}. */
export interface ContractOptions {
  /** The transport; called in each test. */
  readonly make: () => Transport;
  /** Left out here, with the reason. */
  readonly skip?: string | false;
  /** A transport whose `abort` sends a reset, to play the peer. */
  readonly peer?: () => Transport;
  /** Whether real addresses, names and time stand behind it. @default {true} */
  readonly real?: boolean;
}

const LOOPBACK = "127.0.0.1";
/** Loopback's broadcast address: TCP cannot reach it (ip(7)), and nothing leaves the host. */
const UNREACHABLE = "127.255.255.255";
/** An address for documentation (RFC 5737), which no host has. */
const FOREIGN = "192.0.2.1";

/** Register the contract's tests for one transport. */
export function transportContract(name: string, options: ContractOptions): void {
  const { make, peer, real = true, skip: skipAll = false } = options;
  if (skipAll !== false) {
    test(`${name} transport: keeps the contract`, { skip: skipAll }, () => {});
    return;
  }
  const { capabilities: can } = make();

  function check(
    what: string,
    fn: (transport: Transport) => Promise<void>,
    skip: string | false = false,
  ): void {
    test(`${name} transport: ${what}`, { skip }, async () => {
      const transport = make();
      const before = countDescriptors();
      await fn(transport);
      if (real) await descriptorsBack(before);
      const { openEnds } = transport as { openEnds?: number };
      if (openEnds !== undefined) assertEquals(openEnds, 0, "ends of connections left open");
    });
  }
  const onlyReal = real ? false : "not a matter of memory";

  check("warms up what the runtime opens once", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    await near.write(bytesOf("x"));
    await readExactly(far, 1);
    await end();
    if (real) {
      await transport.host.names?.lookup("localhost");
      const silent = await silentPort();
      await silent.end();
      await sleep(50);
    }
  });

  check("connects over IPv4 and IPv6 and knows both ends", async (transport) => {
    for (const hostname of [LOOPBACK, "::1"]) {
      const listener = await transport.listen({ hostname, port: 0 });
      assertEquals(listener.address.hostname, hostname);
      assert(listener.address.port > 0);
      const near = await transport.connect(listener.address);
      const far = await listener.accept();
      assertEquals(near.remoteAddress, listener.address);
      assertEquals(far.localAddress, listener.address);
      assertEquals(far.remoteAddress, near.localAddress);
      assertEquals(near.localAddress.hostname, hostname);
      await Promise.all([near.close(), far.close(), listener.close()]);
    }
  });

  /** One after the other: more at once than the backlog has room for would come a second later. */
  async function connectMany(transport: Transport, count: number, to: Listener): Promise<Socket[]> {
    const sockets: Socket[] = [];
    while (sockets.length < count) sockets.push(await transport.connect(to.address));
    return sockets;
  }

  systemTransport(); // In Bun the native part is needed to stop; this says where it is.
  const noStop = runtime === "bun" && make().host.checkDescriptors?.() !== undefined;
  for (const transferable of can.transferable ? [false, true] : [false]) {
    const kind = transferable ? "of transferable sockets " : "";
    check(
      `a listener ${kind}with maxPending leaves what nobody accepts in the kernel`,
      async (transport) => {
        const [maxPending, clients] = [6, 12];
        const listener = await transport.listen({ maxPending, transferable });
        const before = countDescriptors() ?? 0;
        const nears = await connectMany(transport, clients, listener);
        // A turn of the loop may bring one more, and a duplicate of the listener is one.
        const most = before + clients + maxPending + 2;
        const tooMany = () => `${countDescriptors()} descriptors, expected ${most} or less`;
        if (real) await eventually(() => (countDescriptors() ?? 0) <= most, tooMany);
        for (const near of nears) await near.write(bytesOf("first"));
        for (const near of nears) await near.write(bytesOf("second"));
        for (let at = 0; at < clients; at++) {
          const far = await listener.accept();
          assertEquals(textOf(await readExactly(far, 11)), "firstsecond");
          await far.close();
        }
        await Promise.all(nears.map((near) => near.close()));
        const [late] = await connectMany(transport, 1, listener); // It goes on.
        await (await listener.accept()).close();
        await late!.close();
        const waiting = await connectMany(transport, maxPending + 1, listener);
        await listener.close(); // While it does not accept.
        await Promise.all(waiting.map((near) => near.close()));
      },
      noStop && "this runtime cannot stop here",
    );
  }

  check("takes an IPv6 literal in brackets", async (transport) => {
    const listener = await transport.listen({ hostname: "::1", port: 0 });
    const near = await transport.connect({ hostname: "[::1]", port: listener.address.port });
    const far = await listener.accept();
    await Promise.all([near.close(), far.close(), listener.close()]);
  });

  check("connects by host name to whatever it stands for", async (transport) => {
    for (const { hostname } of await transport.host.names!.lookup("localhost")) {
      const listener = await transport.listen({ hostname, port: 0 });
      const near = await transport.connect({ hostname: "localhost", port: listener.address.port });
      assertEquals(near.remoteAddress.hostname, hostname);
      const far = await listener.accept();
      await Promise.all([near.close(), far.close(), listener.close()]);
    }
  }, onlyReal);

  check("listens by host name on everything the name stands for", async (transport) => {
    const names = await transport.host.names!.lookup("localhost");
    const listener = await transport.listen({ hostname: "localhost", port: 0 });
    assertEquals(
      listener.addresses.map((address) => address.hostname).sort(),
      [...new Set(names.map((found) => found.hostname))].sort(),
    );
    assertEquals(new Set(listener.addresses.map((address) => address.port)).size, 1);
    assertEquals(listener.address, listener.addresses[0]!);
    for (const address of listener.addresses) {
      const near = await transport.connect(address);
      const far = await listener.accept();
      assertEquals(far.localAddress, address);
      await Promise.all([near.close(), far.close()]);
    }
    await listener.close();
  }, onlyReal);

  check("says that a host name does not resolve", async (transport) => {
    const hostname = "no-such-name.invalid"; // RFC 6761: never exists
    const error = await rejection(transport.connect({ hostname, port: 80 })) as JackfieldError;
    assert(["CONNECT_FAILED", "NAME_NOT_FOUND"].includes(error.code), String(error));
    assertEquals(error.reason, "name");
    const other = await rejection(transport.listen({ hostname, port: 0 })) as JackfieldError;
    assertEquals([other.code, other.reason], ["NAME_NOT_FOUND", "name"]);
  }, onlyReal);

  check("says that a connection was refused", async (transport) => {
    const listener = await transport.listen({ port: 0 });
    await listener.close();
    let released = 0;
    const error = await rejection(
      transport.connect(listener.address, { onReleased: () => released++ }),
    ) as JackfieldError;
    assert(isJackfieldError(error, "CONNECT_FAILED"), String(error));
    assertEquals(error.reason, "refused");
    assertEquals(error.address, listener.address);
    assertStringIncludes(error.message, `Cannot connect to 127.0.0.1:${listener.address.port}`);
    assert(error.cause instanceof Error);
    assertEquals(released, 1);
  });

  check("says that an address is unreachable", async (transport) => {
    const hostname = real ? UNREACHABLE : "unreachable.test";
    const error = await rejection(transport.connect({ hostname, port: 9 })) as JackfieldError;
    assertEquals(error.code, "CONNECT_FAILED");
    // node:net in Bun calls every failed connect a refusal, whatever the kernel said.
    const isNetInBun = real && runtime === "bun" && transport.name === "node";
    assertEquals(error.reason, isNetInBun ? "refused" : "unreachable");
  });

  check("gives up connecting when the time is over, or the signal says so", async (transport) => {
    const silent = real ? await silentPort() : { port: 9, end: () => Promise.resolve() };
    const target = { hostname: real ? LOOPBACK : "silent.test", port: silent.port };
    let released = 0;
    const onReleased = () => released++;
    const start = performance.now();
    const error = await rejection(
      transport.connect(target, { timeoutMs: 50, onReleased }),
    ) as JackfieldError;
    assertEquals([error.code, error.phase, error.limit], ["CONNECT_TIMEOUT", "connect", 50]);
    assertLess(performance.now() - start, 2000);

    const reason = new Error("enough");
    const stop = new AbortController();
    const pending = rejection(transport.connect(target, { signal: stop.signal, onReleased }));
    await sleep(20);
    stop.abort(reason);
    assertEquals(await pending, reason);

    assertEquals(await rejection(transport.connect(target, { signal: stop.signal })), reason);
    if (can.cancelConnect) {
      await eventually(() => released === 2, () => `${released} of 2 attempts released`);
    }
    await silent.end();
    await eventually(() => released === 2, () => `${released} of 2 attempts released`);
  });

  check("ignores the signal once the connection stands", async (transport) => {
    const listener = await transport.listen({ port: 0 });
    const stop = new AbortController();
    const near = await transport.connect(listener.address, { signal: stop.signal });
    const far = await listener.accept();
    stop.abort();
    await near.write(bytesOf("still here"));
    assertEquals(textOf(await readExactly(far, 10)), "still here");
    await Promise.all([near.close(), far.close(), listener.close()]);
  });

  check("closes each direction on its own", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    await near.write(bytesOf("question"));
    await near.closeWrite();
    assertEquals(near.state, "half-closed");
    assertEquals(textOf(await readAll(far)), "question");
    assertEquals(far.state, "half-closed");
    const error = await rejection(near.write(bytesOf("more")));
    assertEquals(error.code, "SOCKET_CLOSED");
    await far.write(bytesOf("answer"));
    await far.closeWrite();
    await far.closed;
    assertEquals(far.state, "closed");
    assertEquals(textOf(await readAll(near)), "answer");
    await near.closed;
    assertEquals(near.state, "closed");
    await end();
  });

  check("closes each direction on its own, the far side first", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    await far.closeWrite();
    assertEquals(await near.read(new Uint8Array(1)), null);
    await near.write(bytesOf("late"));
    await near.close();
    assertEquals(textOf(await readAll(far)), "late");
    await end();
  });

  check("gives the end of the stream again and again", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    await far.closeWrite();
    for (let times = 0; times < 3; times++) {
      assertEquals(await near.read(new Uint8Array(8)), null);
    }
    await end();
  });

  check("reads into a small buffer without losing bytes", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    await near.write(bytesOf("abcdefgh"));
    assertEquals(await far.read(new Uint8Array(0)), 0);
    assertEquals(textOf(await readExactly(far, 3)), "abc");
    assertEquals(textOf(await readExactly(far, 5)), "defgh");
    assertEquals(await near.write(new Uint8Array(0)), 0);
    await end();
  });

  check("refuses a second read while one is pending", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const first = far.read(new Uint8Array(4));
    assertEquals((await rejection(far.read(new Uint8Array(4)))).code, "SOCKET_BUSY");
    await near.write(bytesOf("ok"));
    assertEquals(await first, 2);
    await end();
  });

  check("says that the peer reset the connection", async (transport) => {
    const { near, far, end } = await connectedPair(transport, peer?.());
    const reading = rejection(near.read(new Uint8Array(1)));
    far.abort();
    assertEquals((await reading).code, "SOCKET_RESET");
    assertEquals(near.state, "closed");
    assertEquals((await rejection(near.closed)).code, "SOCKET_RESET");
    assertEquals((await rejection(near.write(bytesOf("x")))).code, "SOCKET_RESET");
    assertEquals((await rejection(near.read(new Uint8Array(1)))).code, "SOCKET_RESET");
    await end();
  });

  check("says that the peer reset while this side writes", async (transport) => {
    const { near, far, end } = await connectedPair(transport, peer?.());
    const writing = rejection((async () => {
      for (;;) await near.write(new Uint8Array(256 * 1024));
    })());
    await sleep(20);
    far.abort();
    const broken = await writing;
    assertEquals(broken.code, "SOCKET_RESET", String(broken.cause));
    near.abort();
    await end();
  });

  check("rejects what is pending and what follows after close", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const reading = rejection(near.read(new Uint8Array(1)));
    const closing = near.close();
    assertEquals(near.close(), closing);
    await closing;
    assertEquals((await reading).code, "SOCKET_CLOSED");
    assertEquals((await rejection(near.read(new Uint8Array(1)))).code, "SOCKET_CLOSED");
    const error = await rejection(near.write(bytesOf("x"))) as JackfieldError;
    assertEquals(error.code, "SOCKET_CLOSED");
    assertStringIncludes(error.message, "it is closed");
    assertEquals((await rejection(near.closeWrite())).code, "SOCKET_CLOSED");
    assertEquals(near.state, "closed");
    await near.closed;
    near.abort(); // too late to matter
    assertEquals(await far.read(new Uint8Array(1)), null);
    await end();
  });

  check("rejects what is pending and what follows with the reason of abort", async (transport) => {
    const { near, end } = await connectedPair(transport);
    const reason = new Error("enough");
    const reading = rejection(near.read(new Uint8Array(1)));
    const writing = rejection(near.write(new Uint8Array(64 * 2 ** 20)));
    await sleep(10);
    near.abort(reason);
    near.abort(new Error("the first reason counts"));
    assertEquals(await reading, reason);
    assertEquals(await writing, reason);
    assertEquals(await rejection(near.read(new Uint8Array(1))), reason);
    assertEquals(await rejection(near.write(new Uint8Array(1))), reason);
    assertEquals(await rejection(near.closed), reason);
    assertEquals(near.state, "closed");
    await near.close();
    await end();
  });

  check("aborts while it closes", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const reading = far.read(new Uint8Array(1)).catch(() => far.abort());
    const closing = far.close();
    far.abort();
    await closing;
    await reading;
    assertEquals(far.state, "closed");
    near.abort();
    await end();
  });

  check("sends what was written before it closes", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const size = 8 * 2 ** 20;
    const received = readAll(far);
    void near.write(pattern(size));
    await near.close();
    assertEquals(sha256(await received), sha256(pattern(size)));
    await end();
  });

  check("survives clients that reset before they are accepted", async (transport) => {
    const errors: unknown[] = [];
    const listener = await transport.listen({ port: 0, onError: (error) => errors.push(error) });
    const hostile = peer?.() ?? transport;
    for (let times = 0; times < 20; times++) {
      const socket = await hostile.connect(listener.address);
      socket.abort();
    }
    const served = echoServer(listener);
    const near = await transport.connect(listener.address);
    await near.write(bytesOf("alive"));
    assertEquals(textOf(await readExactly(near, 5)), "alive");
    await near.close();
    await listener.close();
    await served;
  });

  check("keeps 30,000 small writes in order", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const count = 30_000;
    const received = readAll(far);
    const view = new Uint32Array(count).map((_, index) => index);
    const bytes = new Uint8Array(view.buffer);
    const writes: Promise<number>[] = [];
    for (let index = 0; index < count; index++) {
      writes.push(near.write(bytes.subarray(index * 4, index * 4 + 4)));
    }
    assert((await Promise.all(writes)).every((written) => written === 4));
    await near.close();
    assertEquals(sha256(await received), sha256(bytes));
    await end();
  });

  check("carries 64 MiB both ways with equal digests", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const block = pattern(4 * 2 ** 20);
    const send = async (socket: Socket) => {
      for (let times = 0; times < 16; times++) await socket.write(block);
      await socket.closeWrite();
    };
    const whole = new Uint8Array(64 * 2 ** 20);
    for (let times = 0; times < 16; times++) whole.set(block, times * block.byteLength);
    const [atFar, atNear] = await Promise.all([readAll(far), readAll(near), send(near), send(far)]);
    const expected = sha256(whole);
    assertEquals(sha256(atFar), expected);
    assertEquals(sha256(atNear), expected);
    await end();
  });

  check("holds the writer back when the reader is slow", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const chunk = pattern(64 * 1024);
    const total = 256;
    let taken = 0;
    const writing = (async () => {
      for (let times = 0; times < total; times++) taken += await near.write(chunk);
    })();
    let before = -1;
    while (taken !== before) {
      before = taken;
      await sleep(100);
    }
    // What was taken lies in the kernel's two buffers (tcp_wmem, tcp_rmem) and in at most 64 KiB
    // and one chunk on the reading side; nothing is kept on the writing side.
    assertLess(taken, 12 * 2 ** 20, `${taken} bytes taken without a reader`);
    const received = await readExactly(far, total * chunk.byteLength);
    await writing;
    assertEquals(taken, total * chunk.byteLength);
    assertEquals(sha256(received.subarray(-chunk.byteLength)), sha256(chunk));
    await end();
  });

  check("writes some: what the kernel takes, and never the same twice", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const bytes = pattern(24 * 2 ** 20);
    let taken = 0;
    const writing = (async () => {
      while (taken < bytes.byteLength) {
        const count = await near.writeSome(bytes.subarray(taken));
        assert(count >= 1, "resolved without a byte");
        taken += count;
      }
    })();
    await sleep(100); // The kernel's buffers are full by now.
    const received = await readExactly(far, bytes.byteLength);
    await writing;
    assertEquals(taken, bytes.byteLength);
    assertEquals(sha256(received), sha256(bytes));
    assertEquals(await near.writeSome(new Uint8Array(0)), 0);
    near.abort();
    assertEquals((await rejection(near.writeSome(bytes))).code, "SOCKET_ABORTED");
    await end();
  });

  check("keeps the order of writes of both kinds", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const chunk = pattern(8 * 2 ** 20, 1);
    const first = near.write(chunk); // more than the kernel takes at once
    const some = near.writeSome(bytesOf("some"));
    const last = near.write(bytesOf("last"));
    const received = await readExactly(far, chunk.byteLength + 8);
    assertEquals([await first, await some, await last], [chunk.byteLength, 4, 4]);
    assertEquals(textOf(received.subarray(-8)), "somelast");
    await end();
  });

  check("needs the bytes of a write no longer once it has resolved", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const size = 256 * 1024;
    const rounds = 64;
    const buffer = new Uint8Array(size);
    const writing = (async () => {
      for (let round = 0; round < rounds; round++) await near.write(buffer.fill(round));
      buffer.fill(255);
    })();
    await sleep(100); // The kernel's buffers are full by now.
    for (let round = 0; round < rounds; round++) {
      const received = await readExactly(far, size);
      assert(received.every((byte) => byte === round), `bytes of round ${round} were changed`);
    }
    await writing;
    await end();
  });

  check("rejects a pending accept when it is closed", async (transport) => {
    const listener = await transport.listen({ port: 0 });
    const pending = rejection(listener.accept());
    const iterated = (async () => {
      for await (const socket of listener) socket.abort();
    })();
    const closing = listener.close();
    assertEquals(listener.close(), closing);
    await closing;
    assertEquals((await pending).code, "LISTENER_CLOSED");
    assertEquals((await rejection(listener.accept())).code, "LISTENER_CLOSED");
    await iterated;
  });

  check("closes what was accepted by nobody", async (transport) => {
    const listener = await transport.listen({ port: 0 });
    const near = await transport.connect(listener.address);
    await sleep(20);
    await listener.close();
    const buffer = new Uint8Array(1);
    const outcome = await near.read(buffer).catch((error: JackfieldError) => error.code);
    assert(outcome === null || outcome === "SOCKET_RESET", String(outcome));
    await near.close();
  });

  check("listens on the same port again at once", async (transport) => {
    const first = await transport.listen({ port: 0 });
    const near = await transport.connect(first.address);
    const far = await first.accept();
    await first.close();
    await far.close();
    await near.close();
    const second = await transport.listen({ port: first.address.port });
    assertEquals(second.address, first.address);
    await second.close();
  });

  check("says that a port is in use", async (transport) => {
    const listener = await transport.listen({ port: 0 });
    const error = await rejection(
      transport.listen({ port: listener.address.port }),
    ) as JackfieldError;
    assertEquals([error.code, error.reason], ["LISTEN_FAILED", "address-in-use"]);
    assertStringIncludes(error.message, `127.0.0.1:${listener.address.port}`);
    await listener.close();
  });

  check("holds 1,000 connections at once", async (transport) => {
    const listener = await transport.listen({ port: 0 });
    const served = echoServer(listener);
    const sockets = await Promise.all(
      Array.from({ length: 1000 }, () => transport.connect(listener.address)),
    );
    const ports = new Set(sockets.map((socket) => socket.localAddress.port));
    assertEquals(ports.size, 1000);
    await Promise.all(sockets.map(async (socket, index) => {
      await socket.write(bytesOf(String(index).padStart(4, "0")));
      assertEquals(Number(textOf(await readExactly(socket, 4))), index);
    }));
    await Promise.all(sockets.map((socket) => socket.close()));
    await listener.close();
    await served;
  });

  check("serves code that was written for a Deno.Conn", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    interface Reader {
      read(into: Uint8Array): Promise<number | null>;
    }
    interface Writer {
      write(bytes: Uint8Array): Promise<number>;
    }
    async function copy(from: Reader, to: Writer): Promise<number> {
      const buffer = new Uint8Array(32 * 1024);
      let copied = 0;
      for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
        let written = 0;
        while (written < count) written += await to.write(buffer.subarray(written, count));
        copied += written;
      }
      return copied;
    }
    interface ConnLike extends Reader, Writer {
      close(): void;
      closeWrite(): Promise<void>;
      readonly readable: ReadableStream<Uint8Array>;
      readonly writable: WritableStream<Uint8Array>;
    }
    const conn: ConnLike = near;
    const source = pattern(300_000);
    let at = 0;
    const copied = copy({
      read(into) {
        if (at === source.byteLength) return Promise.resolve(null);
        const part = source.subarray(at, at + into.byteLength);
        into.set(part);
        at += part.byteLength;
        return Promise.resolve(part.byteLength);
      },
    }, conn).then(async (count) => {
      await conn.closeWrite();
      return count;
    });
    assertEquals(sha256(await readAll(far)), sha256(source));
    assertEquals(await copied, source.byteLength);
    conn.close();
    await end();
  });

  check("offers both directions as streams", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    assertEquals(near.readable, near.readable);
    const source = pattern(500_000);
    const sent = new Response(source).body!.pipeTo(near.writable);
    const received: Uint8Array[] = [];
    for await (const chunk of far.readable) received.push(chunk);
    await sent;
    assertEquals(
      sha256(new Uint8Array(await new Blob(received as BlobPart[]).arrayBuffer())),
      sha256(source),
    );
    await near.readable.cancel();
    await near.closed;
    await end();
  });

  check(
    "moves a connection while a read is pending, where the read can be taken back",
    async (transport) => {
      const { near, far, end } = await connectedPair(transport);
      const into = new Uint8Array(8);
      const pending = rejection(near.read(into));
      let moved: Socket;
      try {
        const { driver, ...facts } = detachSocket(near, { whileReading: true });
        moved = createSocket(driver, facts);
      } catch (error) {
        assertEquals((error as JackfieldError).code, "SOCKET_BUSY");
        near.abort();
        await pending;
        return await end();
      }
      assertEquals((await pending).code, "SOCKET_GONE");
      await far.write(bytesOf("for the next"));
      await far.closeWrite();
      assertEquals(textOf(await readAll(moved)), "for the next");
      assertEquals(into, new Uint8Array(8));
      await moved.close();
      await end();
    },
  );

  check("moves a connection to another socket", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const pending = near.read(new Uint8Array(1));
    try {
      detachSocket(near);
      throw new Error("a socket with a pending read was detached");
    } catch (error) {
      assertEquals((error as JackfieldError).code, "SOCKET_BUSY");
    }
    await far.write(bytesOf("x"));
    await pending;
    const { driver, ...facts } = detachSocket(near);
    assertEquals(near.state, "gone");
    await near.closed;
    for (
      const use of [
        () => near.read(new Uint8Array(1)),
        () => near.write(bytesOf("x")),
        () => near.closeWrite(),
        () => near.startTls(),
      ]
    ) {
      assertEquals((await rejection(use())).code, "SOCKET_GONE");
    }
    await near.close();
    near.abort();
    const moved = createSocket(driver, { ...facts, unread: bytesOf("left over ") });
    assertEquals(moved.localAddress, near.localAddress);
    await far.write(bytesOf("and new"));
    await far.closeWrite();
    assertEquals(textOf(await readAll(moved)), "left over and new");
    await moved.write(bytesOf("back"));
    await moved.close();
    assertEquals(textOf(await readAll(far)), "back");
    await end();
  });

  watchContract(check, {
    peer,
    watchReads: name === "deno",
    noTls: !(can.tls && can.tlsListen && can.startTls) && "no TLS",
  });

  check("closes at the end of a block", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    await near[Symbol.asyncDispose]();
    assertEquals(near.state, "closed");
    far[Symbol.dispose]();
    await far.closed;
    await end();
  });

  check("sends small writes at once", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const tookMs = await bestOf(3, async () => {
      for (let round = 0; round < 20; round++) {
        // Two small writes before the answer: with Nagle's algorithm each round takes some 40 ms.
        await near.write(bytesOf("a"));
        await near.write(bytesOf("b"));
        await readExactly(far, 2);
        await far.write(bytesOf("c"));
        await readExactly(near, 1);
      }
    });
    assertLess(tookMs, 400);
    await end();
  });

  for (const kind of ["path", "abstract name"] as const) {
    check(`connects over a Unix socket by ${kind}`, async (transport) => {
      const unique = `jackfield-${name}-${runtime}-${Math.random().toString(36).slice(2)}`;
      const path = kind === "path" ? join(tmpdir(), unique) : `\0${unique}`;
      const missing = await rejection(transport.connect({ path })) as JackfieldError;
      assertEquals(missing.code, "CONNECT_FAILED");
      const listener = await transport.listen({ path });
      assertEquals(listener.address.path, path);
      const near = await transport.connect({ path });
      const far = await listener.accept();
      assertEquals(near.remoteAddress.path, path);
      await near.write(bytesOf("hello"));
      await near.closeWrite();
      assertEquals(textOf(await readAll(far)), "hello");
      await Promise.all([near.close(), far.close()]);
      // There is no reset: the peer sees an end, and whoever reads here the reason.
      const other = await transport.connect({ path });
      const end = await listener.accept();
      const reading = rejection(other.read(new Uint8Array(1)));
      const reason = new Error("enough");
      other.abort(reason);
      assertEquals([await reading, other.state], [reason, "closed"]);
      await end.read(new Uint8Array(1)).catch(() => {});
      await Promise.all([end.close(), listener.close()]);
      if (kind === "path") {
        assertEquals((await rejection(transport.connect({ path }))).code, "CONNECT_FAILED");
        rmSync(path, { force: true });
      }
    }, !can.unix && "no Unix sockets");
  }

  check("connects from an address and port of choice", async (transport) => {
    const listener = await transport.listen({ port: 0 });
    const near = await transport.connect(listener.address, { localAddress: "127.0.0.2" });
    const far = await listener.accept();
    assertEquals(near.localAddress.hostname, "127.0.0.2");
    assertEquals(far.remoteAddress, near.localAddress);
    const { port: localPort } = near.localAddress;
    const taken = await rejection(
      transport.connect(listener.address, { localAddress: "127.0.0.2", localPort }),
    ) as JackfieldError;
    assertEquals(taken.code, "CONNECT_FAILED");
    assert(["address-in-use", "address-not-available"].includes(taken.reason!), String(taken));
    assertStringIncludes(taken.message, "from 127.0.0.2");
    await Promise.all([near.close(), far.close()]);
    const again = await transport.connect(listener.address, {
      localAddress: "127.0.0.3",
      localPort,
    });
    assertEquals(again.localAddress, { hostname: "127.0.0.3", port: localPort });
    const other = await listener.accept();
    await Promise.all([again.close(), other.close(), listener.close()]);
  }, !can.localAddress && "no local address");

  check("connects by name from an address of choice", async (transport) => {
    const listener = await transport.listen({ port: 0 });
    const { port } = listener.address;
    const near = await transport.connect({ hostname: "localhost", port }, {
      localAddress: "127.0.0.2",
    });
    const far = await listener.accept();
    assertEquals(far.remoteAddress.hostname, "127.0.0.2");
    await Promise.all([near.close(), far.close(), listener.close()]);
  }, onlyReal || (!can.localAddress && "no local address"));

  check("says that a local address is not on this host", async (transport) => {
    const error = await rejection(
      transport.connect({ hostname: LOOPBACK, port: 9 }, { localAddress: FOREIGN }),
    ) as JackfieldError;
    assertEquals([error.code, error.reason], ["CONNECT_FAILED", "address-not-available"]);
  }, onlyReal || (!can.localAddress && "no local address"));

  check("shares a port between listeners", async (transport) => {
    const first = await transport.listen({ port: 0, reusePort: true });
    const second = await transport.listen({ port: first.address.port, reusePort: true });
    assertEquals(second.address, first.address);
    const served = [echoServer(first), echoServer(second)];
    for (let times = 0; times < 20; times++) {
      const near = await transport.connect(first.address);
      await near.write(bytesOf("x"));
      await readExactly(near, 1);
      await near.close();
    }
    await Promise.all([first.close(), second.close()]);
    await Promise.all(served);
  }, !can.reusePort && "no reusePort");

  check("accepts what can be handed to another process", async (transport) => {
    const listener = await transport.listen({ port: 0, transferable: true });
    const near = await transport.connect(listener.address, { transferable: true });
    const far = await listener.accept();
    await near.write(bytesOf("x"));
    await near.closeWrite();
    assertEquals(textOf(await readAll(far)), "x");
    await Promise.all([near.close(), far.close(), listener.close()]);
  }, !can.transferable && "nothing is transferable");

  const cert = { cert: fixture("tls/server.pem"), key: fixture("tls/server.key") };
  const caCerts = [fixture("tls/ca.pem")];

  check("secures connections on both sides", async (transport) => {
    const listener = await transport.listen({
      port: 0,
      tls: { ...cert, alpnProtocols: ["jackfield/1", "other"] },
    });
    const [near, far] = await Promise.all([
      transport.connect({ ...listener.address, tls: { caCerts, alpnProtocols: ["jackfield/1"] } }),
      listener.accept(),
    ]);
    assertEquals(near.alpnProtocol, "jackfield/1");
    assertEquals(far.alpnProtocol, "jackfield/1");
    const source = pattern(3 * 2 ** 20);
    const sent = near.write(source).then(() => near.closeWrite());
    assertEquals(sha256(await readAll(far)), sha256(source));
    await sent;
    await far.write(bytesOf("answer"));
    await far.close();
    assertEquals(textOf(await readAll(near)), "answer");
    await Promise.all([near.close(), far.close(), listener.close()]);
  }, !(can.tls && can.tlsListen) && "no TLS");

  check("answers small requests over TLS without delay", async (transport) => {
    const listener = await transport.listen({ port: 0, tls: cert });
    const [near, far] = await Promise.all([
      transport.connect({ ...listener.address, tls: { caCerts } }),
      listener.accept(),
    ]);
    const answer = pattern(64 * 1024);
    const tookMs = await bestOf(3, async () => {
      for (let round = 0; round < 20; round++) {
        await near.write(bytesOf("?"));
        await readExactly(far, 1);
        void far.write(answer);
        await readExactly(near, answer.byteLength);
      }
    });
    assertLess(tookMs, 400);
    await Promise.all([near.close(), far.close(), listener.close()]);
  }, !(can.tlsListen && can.tlsListenNoDelay) && "no noDelay on a TLS listener");

  check("refuses a certificate that does not fit", async (transport) => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push(error);
    const listener = await transport.listen({ port: 0, tls: cert, onError });
    const served = echoServer(listener);
    const { hostname, port } = listener.address;
    for (
      const tls of [
        { caCerts, serverName: "other.test" }, // not the certificate's name
        {}, // an authority that nobody trusts
      ]
    ) {
      const error = await rejection(
        transport.connect({ hostname, port, tls }),
      ) as JackfieldError;
      assertEquals([error.code, error.reason], ["CONNECT_FAILED", "tls"], String(error.cause));
    }
    const named = { hostname, port, tls: { caCerts, serverName: "jackfield.test" } };
    const near = await transport.connect(named);
    await near.write(bytesOf("x"));
    await readExactly(near, 1);
    await near.close();
    await listener.close();
    await served;
  }, !(can.tls && can.tlsListen) && "no TLS");

  check("gives up a TLS handshake that never ends", async (transport) => {
    const listener = await transport.listen({ port: 0 }); // speaks no TLS
    const target = { ...listener.address, tls: { caCerts } };
    let released = 0;
    const onReleased = () => released++;
    const accepted = (async () => [await listener.accept(), await listener.accept()])();
    const late = await rejection(transport.connect(target, { timeoutMs: 50, onReleased }));
    assertEquals(late.code, "CONNECT_TIMEOUT");
    const stop = new AbortController();
    const reason = new Error("enough");
    const pending = rejection(transport.connect(target, { signal: stop.signal, onReleased }));
    await sleep(30);
    stop.abort(reason);
    assertEquals(await pending, reason);
    await eventually(() => released === 2, () => `${released} of 2 attempts released`);
    for (const socket of await accepted) socket.abort();
    await listener.close();
  }, !can.tls && "no TLS");

  check("survives clients that speak no TLS", async (transport) => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push(error);
    const listener = await transport.listen({ port: 0, tls: cert, onError });
    const served = echoServer(listener);
    const clear = await transport.connect(listener.address);
    await clear.write(bytesOf("GET / HTTP/1.1\r\n\r\n"));
    await readAll(clear).catch(() => {});
    await clear.close();
    await eventually(() => errors.length > 0, () => "no error was reported");
    const near = await transport.connect({ ...listener.address, tls: { caCerts } });
    await near.write(bytesOf("x"));
    await readExactly(near, 1);
    await near.close();
    await listener.close();
    await served;
  }, !can.tlsListen && "no TLS");

  check("puts TLS on an open connection", async (transport) => {
    const secured = await transport.listen({ port: 0, tls: cert });
    const clear = await transport.connect(secured.address);
    const [near, far] = await Promise.all([clear.startTls({ caCerts }), secured.accept()]);
    assertEquals(clear.state, "gone");
    assertEquals((await rejection(clear.write(bytesOf("x")))).code, "SOCKET_GONE");
    assertEquals(near.localAddress, clear.localAddress);
    await near.write(bytesOf("secret"));
    assertEquals(textOf(await readExactly(far, 6)), "secret");
    await Promise.all([near.close(), far.close()]);

    const other = await transport.connect(secured.address);
    const error = await rejection(
      other.startTls({ caCerts, serverName: "other.test" }),
    ) as JackfieldError;
    assertEquals([error.code, error.reason], ["CONNECT_FAILED", "tls"]);
    await secured.close();
  }, !(can.startTls && can.tlsListen) && "no startTls");

  check("closes a TLS connection whose peer answers nothing", async (transport) => {
    const listener = await transport.listen({ port: 0, tls: cert });
    const [near, far] = await Promise.all([
      transport.connect({ ...listener.address, tls: { caCerts } }),
      listener.accept(),
    ]);
    const start = performance.now();
    await near.close();
    assertLess(performance.now() - start, 3000);
    far.abort();
    await listener.close();
  }, !(can.tls && can.tlsListen) && "no TLS");

  check("refuses what it cannot do instead of ignoring it", async (transport) => {
    const hostname = LOOPBACK;
    const cases: [boolean, () => Promise<unknown>][] = [
      [can.tls, () => transport.connect({ hostname, port: 1, tls: true })],
      [can.unix, () => transport.connect({ path: "/nowhere" })],
      [
        can.localAddress,
        () => transport.connect({ hostname, port: 1 }, { localAddress: hostname }),
      ],
      [can.transferable, () => transport.connect({ hostname, port: 1 }, { transferable: true })],
      [can.keepAlive, () => transport.connect({ hostname, port: 1 }, { keepAlive: true })],
      [can.noDelay, () => transport.connect({ hostname, port: 1 }, { noDelay: false })],
    ];
    for (const [able, use] of cases) {
      const error = await rejection(use()) as JackfieldError;
      assertEquals(error.code, able ? "CONNECT_FAILED" : "UNSUPPORTED", String(error));
      if (!able) assert(error.feature !== undefined);
    }
    if (!can.reusePort) {
      assertEquals((await rejection(transport.listen({ reusePort: true }))).code, "UNSUPPORTED");
    }
    if (can.tlsListen && !can.tlsListenNoDelay) {
      const options = { tls: cert, noDelay: true };
      assertEquals((await rejection(transport.listen(options))).code, "UNSUPPORTED");
    }
    if (!can.tlsListen) {
      assertEquals((await rejection(transport.listen({ tls: cert }))).code, "UNSUPPORTED");
    }
  });

  check("refuses bad arguments with the value and the limit", async (transport) => {
    const hostname = LOOPBACK;
    const cases: [string, () => Promise<unknown>][] = [
      ['port "0"', () => transport.connect({ hostname, port: 0 })],
      ['port "65536"', () => transport.connect({ hostname, port: 65_536 })],
      ['port "1.5"', () => transport.connect({ hostname, port: 1.5 })],
      ['hostname ""', () => transport.connect({ hostname: "", port: 1 })],
      ['timeoutMs "0"', () => transport.connect({ hostname, port: 1 }, { timeoutMs: 0 })],
      ['timeoutMs "NaN"', () => transport.connect({ hostname, port: 1 }, { timeoutMs: NaN })],
      [
        'localAddress "here"',
        () => transport.connect({ hostname, port: 1 }, { localAddress: "here" }),
      ],
      ["one family", () => transport.connect({ hostname, port: 1 }, { localAddress: "::1" })],
      ["without localAddress", () => transport.connect({ hostname, port: 1 }, { localPort: 1 })],
      ['port "-1"', () => transport.listen({ port: -1 })],
      ['maxPending "0"', () => transport.listen({ maxPending: 0 })],
      ['backlog "0"', () => transport.listen({ backlog: 0 })],
      ["together with path", () => transport.listen({ path: "/x", port: 1 })],
    ];
    for (const [part, use] of cases) {
      const error = await rejection(use());
      assert(error instanceof TypeError || error instanceof RangeError, `${part}: ${error}`);
      assertStringIncludes(error.message, part);
    }
  });
}

/** The shortest time of several tries, in milliseconds: a busy machine can only make it longer. */
async function bestOf(times: number, run: () => Promise<void>): Promise<number> {
  let best = Infinity;
  for (let time = 0; time < times; time++) {
    const start = performance.now();
    await run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
