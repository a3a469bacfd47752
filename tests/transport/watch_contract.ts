// What `Socket.watch` must do on every transport: the rows of `transportContract` about it.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  createSocket,
  detachSocket,
  type JackfieldError,
  type Socket,
  type Transport,
} from "../../src/core.ts";
import {
  bytesOf,
  connectedPair,
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

/** More than any driver takes out of the kernel at once for a watch. */
const LONG_BYTES = 100_000;
/** Longer than bytes take on loopback, for what must not happen. */
const QUIET_MS = 20;

/** How the contract registers a row. */
export type Check = (
  what: string,
  fn: (transport: Transport) => Promise<void>,
  skip?: string | false,
) => void;

/** Options of {@linkcode watchContract}. */
export interface WatchContractOptions {
  /** A transport whose `abort` sends a reset, to play the peer. */
  readonly peer?: () => Transport;
  /** Whether a watch is a read that cannot be taken back, which no TLS can be put upon. */
  readonly watchReads: boolean;
  /** Why TLS is left out, or `false`. */
  readonly noTls: string | false;
}

/** Counts how often a watch tells. */
class Told {
  times = 0;
  readonly told: () => void = () => {
    this.times++;
  };

  async once(): Promise<void> {
    await eventually(() => this.times > 0, () => "nothing was told");
    assertEquals(this.times, 1);
  }
}

/** Register the rows. */
export function watchContract(check: Check, options: WatchContractOptions): void {
  const { peer, watchReads, noTls } = options;

  check("tells a watcher of the end of the stream", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const watch = new Told();
    near.watch(watch.told);
    assertEquals([near.hasUnread, near.state, near.isBusy], [false, "open", false]);
    await far.closeWrite();
    await watch.once();
    assertEquals([near.hasUnread, near.state, near.isBusy], [true, "half-closed", false]);
    assertEquals(await near.read(new Uint8Array(1)), null);
    await near.write(bytesOf("late"));
    assertEquals(textOf(await readExactly(far, 4)), "late");
    assertEquals(watch.times, 1);
    await end();
  });

  check("tells a watcher of bytes, and the next reader gets them all", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    for (const length of [1, LONG_BYTES]) {
      const watch = new Told();
      near.watch(watch.told);
      const sent = pattern(length);
      const writing = far.write(sent);
      await watch.once();
      assertEquals([near.hasUnread, near.state, near.isBusy], [true, "open", false]);
      assertEquals(sha256(await readExactly(near, length)), sha256(sent));
      await writing;
      assertEquals([watch.times, near.hasUnread], [1, false]);
    }
    await end();
  });

  check("tells a watcher of a reset", async (transport) => {
    const { near, far, end } = await connectedPair(transport, peer?.());
    const watch = new Told();
    near.watch(watch.told);
    far.abort();
    await watch.once();
    assertEquals([near.state, near.isBusy], ["closed", false]);
    assertEquals((await rejection(near.closed)).code, "SOCKET_RESET");
    assertEquals((await rejection(near.read(new Uint8Array(1)))).code, "SOCKET_RESET");
    assertEquals((await rejection(near.write(bytesOf("x")))).code, "SOCKET_RESET");
    near.watch(watch.told); // has nothing to tell
    await end();
    assertEquals(watch.times, 1);
  });

  check("tells who watches a half-closed socket that it closes by itself", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const watch = new Told();
    await near.closeWrite();
    near.watch(watch.told);
    await far.closeWrite();
    await watch.once();
    await near.closed;
    await end();
    assertEquals(watch.times, 1);
  });

  check("tells nobody who has taken back a watch", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const [first, second] = [new Told(), new Told()];
    near.watch(first.told);
    near.watch(undefined);
    await far.write(bytesOf("abc"));
    await sleep(QUIET_MS);
    assertEquals(near.isBusy, false);
    assertEquals(textOf(await readExactly(near, 3)), "abc");
    near.watch(first.told);
    near.watch(second.told); // takes the place of the other
    await far.write(bytesOf("def"));
    await second.once();
    assertEquals(textOf(await readExactly(near, 3)), "def");
    await far.closeWrite();
    await sleep(QUIET_MS);
    assertEquals([near.state, await near.read(new Uint8Array(1))], ["open", null]);
    assertEquals([first.times, second.times], [0, 1]);
    await end();
  });

  check("ends a watch with the next read, which gets what comes", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const watch = new Told();
    near.watch(watch.told);
    const into = new Uint8Array(3);
    const reading = near.read(into);
    assertEquals(near.isBusy, true);
    const busy = assertThrows(() => near.watch(watch.told)) as JackfieldError;
    assertEquals(busy.code, "SOCKET_BUSY");
    assertEquals((await rejection(near.read(into))).code, "SOCKET_BUSY");
    await far.write(bytesOf("abcdefgh"));
    assertEquals([await reading, textOf(into), near.isBusy], [3, "abc", false]);
    assertEquals(textOf(await readExactly(near, 5)), "defgh");
    await far.write(bytesOf("more"));
    await sleep(QUIET_MS);
    assertEquals(textOf(await readExactly(near, 4)), "more");

    near.watch(watch.told);
    const ending = near.read(into);
    await far.closeWrite();
    assertEquals([await ending, near.state], [null, "half-closed"]);
    assertEquals(watch.times, 0);
    await end();
  });

  check("fails the read that took over a watch when the peer resets", async (transport) => {
    const { near, far, end } = await connectedPair(transport, peer?.());
    const watch = new Told();
    near.watch(watch.told);
    const reading = rejection(near.read(new Uint8Array(1)));
    far.abort();
    assertEquals([(await reading).code, near.state], ["SOCKET_RESET", "closed"]);
    await end();
    assertEquals(watch.times, 0);
  });

  check("watches between the tasks of a long life", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const watch = new Told();
    for (let task = 0; task < 200; task++) {
      near.watch(watch.told);
      if (task % 3 === 0) await sleep(0); // a socket may be idle for a while, or not at all
      near.watch(undefined);
      const message = pattern(1 + task * 17, task);
      await near.write(message);
      await far.write(await readExactly(far, message.byteLength));
      assertEquals(sha256(await readExactly(near, message.byteLength)), sha256(message));
      assertEquals([near.isBusy, near.hasUnread, near.state], [false, false, "open"]);
    }
    near.watch(watch.told);
    await far.close();
    await watch.once();
    await end();
  });

  check("moves a connection that is watched to another socket", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const [first, second, third] = [new Told(), new Told(), new Told()];
    near.watch(first.told);
    const moved = renew(near);
    await far.write(bytesOf("abc"));
    await sleep(QUIET_MS);
    assertEquals(textOf(await readExactly(moved, 3)), "abc");
    moved.watch(second.told);
    await far.write(bytesOf("def"));
    await second.once();
    const again = renew(moved);
    assertEquals(again.hasUnread, true);
    assertEquals(textOf(await readExactly(again, 3)), "def");
    again.watch(third.told);
    await far.closeWrite();
    await third.once();
    const last = renew(again);
    assertEquals([last.state, await last.read(new Uint8Array(1))], ["half-closed", null]);
    assertEquals([first.times, second.times, third.times], [0, 1, 1]);
    await last.close();
    await end();
  });

  check("closes and aborts a socket that is watched", async (transport) => {
    for (const how of ["close", "abort", "closeWrite and close"]) {
      const { near, far, end } = await connectedPair(transport);
      const watch = new Told();
      near.watch(watch.told);
      if (how === "abort") near.abort();
      if (how === "closeWrite and close") await near.closeWrite();
      await near.close();
      assertEquals(near.state, "closed");
      await readAll(far).catch((error) => assertEquals(error.code, "SOCKET_RESET"));
      await end();
      assertEquals(watch.times, 0, how);
    }
  });

  check("aborts with bytes that a watch has found", async (transport) => {
    const { near, far, end } = await connectedPair(transport);
    const watch = new Told();
    near.watch(watch.told);
    await far.write(bytesOf("unread"));
    await watch.once();
    const reason = new Error("enough");
    near.abort(reason);
    assertEquals(await rejection(near.read(new Uint8Array(1))), reason);
    await end();
  });

  const cert = { cert: fixture("tls/server.pem"), key: fixture("tls/server.key") };
  const tls = { caCerts: [fixture("tls/ca.pem")] };

  check("watches a TLS connection", async (transport) => {
    const listener = await transport.listen({ port: 0, tls: cert });
    const [near, far] = await Promise.all([
      transport.connect({ ...listener.address, tls }),
      listener.accept(),
    ]);
    const watch = new Told();
    near.watch(watch.told);
    await near.write(bytesOf("x"));
    await readExactly(far, 1);
    assertEquals(watch.times, 0);
    const sent = pattern(LONG_BYTES);
    const writing = far.write(sent);
    await watch.once();
    assertEquals(sha256(await readExactly(near, LONG_BYTES)), sha256(sent));
    await writing;
    const last = new Told();
    near.watch(last.told);
    await far.close();
    await last.once();
    assertEquals(await near.read(new Uint8Array(1)), null);
    await Promise.all([near.close(), listener.close()]);
    assertEquals(watch.times, 1);
  }, noTls);

  check("puts TLS on a connection that was watched", async (transport) => {
    const listener = await transport.listen({ port: 0 });
    const clear = await transport.connect(listener.address);
    const far = await listener.accept();
    clear.watch(() => {});
    clear.watch(undefined);
    if (watchReads) {
      assertEquals((await rejection(clear.startTls(tls))).code, "SOCKET_BUSY");
      assertEquals(clear.state, "open");
    }
    // What a protocol does before it: the answer is what the watch waited for.
    await far.write(bytesOf("go"));
    assertEquals(textOf(await readExactly(clear, 2)), "go");
    const error = await rejection(Promise.all([clear.startTls(tls), answerNonsense(far)]));
    assertEquals((error as JackfieldError).reason, "tls"); // the handshake went out
    await Promise.all([far.close(), listener.close()]);
  }, noTls);
}

/** The connection in a socket of its own. */
function renew(socket: Socket): Socket {
  const { driver, ...facts } = detachSocket(socket);
  assertEquals(socket.state, "gone");
  return createSocket(driver, facts);
}

async function answerNonsense(far: Socket): Promise<void> {
  const hello = new Uint8Array(1);
  await far.read(hello);
  assert(hello[0] === 22, "no handshake (RFC 8446, section 5.1)");
  await far.write(bytesOf("this is no TLS at all"));
}
