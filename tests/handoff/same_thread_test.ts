import { assertEquals, assertThrows } from "@std/assert";
import { handOff, isJackfieldError, type Socket, type Transport } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import {
  bytesOf,
  connectedPair,
  pattern,
  readAll,
  readExactly,
  rejection,
  sha256,
  textOf,
} from "../transport/tools.ts";

/** Everything rejects with the code from now on. */
async function assertDead(socket: Socket, code: string): Promise<void> {
  assertEquals((await rejection(socket.read(new Uint8Array(1)))).code, code);
  assertEquals((await rejection(socket.write(bytesOf("x")))).code, code);
  assertEquals((await rejection(socket.closeWrite())).code, code);
  const error = assertThrows(() => handOff(socket));
  assertEquals((error as { code?: string }).code, code);
  await socket.close();
}

const makers: [string, () => Transport][] = [["memory", memoryTransport], [
  "system",
  systemTransport,
]];

for (const [kind, make] of makers) {
  test(`handOff() keeps every byte of both directions, ${kind} (D1)`, async () => {
    const { near, far, listener } = await connectedPair(make());
    const [down, up] = [pattern(400_000, 1), pattern(300_000, 2)];
    const half = up.byteLength / 2;
    const received: Uint8Array[] = [];
    const peer = (async () => {
      await near.write(up.subarray(0, half));
      const all = await readExactly(near, down.byteLength);
      await near.write(up.subarray(half));
      await near.closeWrite();
      return all;
    })();
    let owner = far;
    // In pieces, with a new owner before each of them.
    for (let at = 0; at < half; at += 50_000) {
      owner = handOff(owner);
      received.push(await readExactly(owner, Math.min(50_000, half - at)));
    }
    for (let at = 0; at < down.byteLength; at += 100_000) {
      owner = handOff(owner);
      await owner.write(down.subarray(at, at + 100_000));
    }
    owner = handOff(owner);
    received.push(await readAll(owner));
    assertEquals(sha256(await peer), sha256(down));
    assertEquals(
      sha256(new Uint8Array(await new Blob(received as never).arrayBuffer())),
      sha256(up),
    );
    await Promise.all([near.close(), owner.close(), listener.close()]);
  });

  test(`handOff() leaves the peer with one connection, ${kind} (D1, D2)`, async () => {
    const { near, far, listener } = await connectedPair(make());
    const owner = handOff(far);
    assertEquals(owner.remoteAddress, near.localAddress);
    assertEquals(owner.localAddress, far.localAddress);
    assertEquals([far.state, owner.state, near.state], ["gone", "open", "open"]);
    await far.closed; // Resolves: for the old owner it is over.
    await owner.write(bytesOf("same"));
    assertEquals(textOf(await readExactly(near, 4)), "same");
    await Promise.all([near.close(), owner.close(), listener.close()]);
  });

  test(`handOff() makes every use of the old handle reject with SOCKET_GONE, ${kind} (D2)`, async () => {
    const { near, far, listener } = await connectedPair(make());
    const owner = handOff(far);
    await assertDead(far, "SOCKET_GONE");
    far.abort(new Error("too late"));
    await near.write(bytesOf("alive"));
    assertEquals(textOf(await readExactly(owner, 5)), "alive");
    await Promise.all([near.close(), owner.close(), listener.close()]);
  });

  test(`handOff() puts unread bytes first, the newest owner's before the older, ${kind}`, async () => {
    const { near, far, listener } = await connectedPair(make());
    await near.write(bytesOf("wire"));
    await near.closeWrite();
    const first = handOff(far, bytesOf("two "));
    const second = handOff(first, bytesOf("one "));
    const third = handOff(second, new Uint8Array(0));
    const part = new Uint8Array(3);
    assertEquals(await third.read(part), 3);
    const last = handOff(third); // With what is left of the unread bytes.
    assertEquals(textOf(part) + textOf(await readAll(last)), "one two wire");
    await Promise.all([near.close(), last.close(), listener.close()]);
  });

  test(`handOff() refuses a socket with a read on the way, which goes on, ${kind}`, async () => {
    const { near, far, listener } = await connectedPair(make());
    const buffer = new Uint8Array(8);
    const reading = far.read(buffer);
    const error = assertThrows(() => handOff(far));
    assertEquals(isJackfieldError(error, "SOCKET_BUSY"), true);
    assertEquals(far.state, "open");
    await near.write(bytesOf("late"));
    const count = await reading;
    assertEquals(textOf(buffer.subarray(0, count!)), "late");
    const owner = handOff(far);
    await Promise.all([near.close(), owner.close(), listener.close()]);
  });

  test(`handOff() refuses a socket with a write on the way, ${kind}`, async () => {
    const { near, far, listener } = await connectedPair(make());
    const writing = far.write(pattern(8 * 2 ** 20)); // More than any buffer takes.
    const error = assertThrows(() => handOff(far));
    assertEquals(isJackfieldError(error, "SOCKET_BUSY"), true);
    await readExactly(near, 8 * 2 ** 20);
    await writing;
    const owner = handOff(far);
    await Promise.all([near.close(), owner.close(), listener.close()]);
  });

  test(`handOff() keeps a socket half-closed that the peer has ended, ${kind}`, async () => {
    const { near, far, listener } = await connectedPair(make());
    await near.closeWrite();
    assertEquals(await far.read(new Uint8Array(1)), null);
    const owner = handOff(far, bytesOf("left"));
    assertEquals(owner.state, "half-closed");
    assertEquals(textOf(await readAll(owner)), "left");
    await owner.write(bytesOf("answer"));
    assertEquals(textOf(await readExactly(near, 6)), "answer");
    await Promise.all([near.close(), owner.close(), listener.close()]);
  });

  test(`handOff() keeps a socket half-closed whose write side is closed, ${kind}`, async () => {
    const { near, far, listener } = await connectedPair(make());
    await far.closeWrite();
    const owner = handOff(far);
    assertEquals(owner.state, "half-closed");
    assertEquals((await rejection(owner.write(bytesOf("x")))).code, "SOCKET_CLOSED");
    assertEquals(await near.read(new Uint8Array(1)), null);
    await near.write(bytesOf("more"));
    await near.closeWrite();
    assertEquals(textOf(await readAll(owner)), "more");
    await Promise.all([near.close(), owner.close(), listener.close()]);
  });

  test(`handOff() refuses a closed socket and an aborted one, ${kind}`, async () => {
    const { near, far, listener } = await connectedPair(make());
    await near.close();
    await assertDead(near, "SOCKET_CLOSED");
    const reason = new Error("enough");
    far.abort(reason);
    assertEquals(assertThrows(() => handOff(far)), reason);
    await listener.close();
  });
}

test("handOff() refuses a socket that no transport of this package made", () => {
  const error = assertThrows(() => handOff({} as Socket));
  assertEquals(isJackfieldError(error, "UNSUPPORTED"), true);
});
