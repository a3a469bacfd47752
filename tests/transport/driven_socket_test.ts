import { assertEquals, assertThrows } from "@std/assert";
import { createSocket, detachSocket, type Socket, type SocketDriver } from "../../src/core.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { deferred, ENDS, FakeDriver, fakeSocket, systemError } from "./fakes.ts";
import { bytesOf, rejection, textOf } from "./tools.ts";

const clock = new VirtualClock();

async function readText(socket: Socket, length = 100): Promise<string | null> {
  const buffer = new Uint8Array(length);
  const count = await socket.read(buffer);
  return count === null ? null : textOf(buffer.subarray(0, count));
}

test("Socket.write() goes on after a partial write", async () => {
  const { socket, driver } = fakeSocket();
  driver.writes.push(2, Promise.resolve(3));
  assertEquals(await socket.write(bytesOf("abcdefgh")), 8);
  assertEquals(driver.calls, ["write abcdefgh", "write cdefgh", "write fgh"]);
});

test("Socket.write() keeps overlapping writes in order", async () => {
  const { socket, driver } = fakeSocket();
  const first = deferred<number>();
  driver.writes.push(first.promise);
  const writing = [socket.write(bytesOf("one")), socket.write(bytesOf("two"))];
  const ending = socket.closeWrite();
  assertEquals((await rejection(socket.write(bytesOf("late")))).code, "SOCKET_CLOSED");
  await clock.settle();
  assertEquals(driver.calls, ["write one"]);
  first.resolve(1);
  assertEquals(await Promise.all(writing), [3, 3]);
  await ending;
  assertEquals(driver.calls, ["write one", "write ne", "write two", "closeWrite"]);
});

test("Socket.write() that fails ends the writing only: an answer may already be here", async () => {
  const { socket, driver } = fakeSocket();
  driver.writes.push(systemError("EPIPE"));
  driver.reads.push("answer", null);
  const overlapping = [
    rejection(socket.write(bytesOf("one"))),
    rejection(socket.write(bytesOf("x"))),
  ];
  for (const error of await Promise.all(overlapping)) assertEquals(error.code, "SOCKET_RESET");
  assertEquals(driver.calls, ["write one"]); // the second one was not tried
  assertEquals(socket.state, "half-closed");
  assertEquals((await rejection(socket.write(bytesOf("more")))).code, "SOCKET_RESET");
  assertEquals(await readText(socket), "answer");
  assertEquals(await readText(socket), null);
  await socket.closed;
  assertEquals([socket.state, driver.calls.at(-1)], ["closed", "close"]);
});

test("Socket.read() that fails breaks the socket and gives the descriptor back", async () => {
  const { socket, driver } = fakeSocket();
  driver.reads.push(systemError("ECONNRESET"));
  const error = await rejection(socket.read(new Uint8Array(1)));
  assertEquals([error.code, socket.state], ["SOCKET_RESET", "closed"]);
  assertEquals(driver.calls, ["read", "abort"]);
  for (const later of [socket.read(new Uint8Array(1)), socket.write(bytesOf("x")), socket.closed]) {
    assertEquals(await rejection(later) === error, true);
  }
  await socket.close(); // never rejects
});

test("Socket closes by itself when both directions have ended, whichever was first", async () => {
  for (const first of ["read", "write"] as const) {
    const { socket, driver } = fakeSocket();
    driver.reads.push(null);
    if (first === "write") await socket.closeWrite();
    assertEquals(await readText(socket), null);
    if (first === "read") {
      assertEquals(socket.state, "half-closed");
      await socket.closeWrite();
    }
    await socket.closed;
    assertEquals(socket.state, "closed");
    assertEquals(driver.calls.toSorted(), ["close", "closeWrite", "read"]);
  }
});

test("Socket closes by itself when the peer ends while the own end is on its way", async () => {
  const { socket, driver } = fakeSocket();
  const halved = deferred();
  driver.halving = () => halved.promise;
  driver.reads.push(null);
  const ending = socket.closeWrite();
  assertEquals(await readText(socket), null);
  assertEquals(socket.state, "half-closed");
  halved.resolve();
  await ending;
  await socket.closed;
  assertEquals(driver.calls.at(-1), "close");
});

test("Socket.close() waits for the writes that came first", async () => {
  const { socket, driver } = fakeSocket();
  const first = deferred<number>();
  driver.writes.push(first.promise);
  const writing = [socket.write(bytesOf("one")), socket.write(bytesOf("two"))];
  const closing = socket.close();
  assertEquals(socket.state, "closing");
  await clock.settle();
  assertEquals(driver.calls, ["write one"]);
  first.resolve(3);
  await closing;
  assertEquals(await Promise.all(writing), [3, 3]);
  assertEquals(driver.calls, ["write one", "write two", "close"]);
});

test("Socket.close() gives up on writes that do not drain within 30 seconds", async () => {
  const clock = new VirtualClock();
  const { socket, driver } = fakeSocket({ clock });
  driver.writes.push(deferred<number>().promise);
  const writing = [
    rejection(socket.write(bytesOf("one"))),
    rejection(socket.write(bytesOf("two"))),
  ];
  let closed = false;
  const closing = socket.close().then(() => closed = true);
  const ended = rejection(socket.closed);
  await clock.advance(29_999);
  assertEquals([closed, socket.state], [false, "closing"]);
  await clock.advance(1);
  await closing;
  assertEquals([driver.calls, socket.state], [["write one", "abort"], "closed"]);
  const error = await ended;
  assertEquals(error.code, "SOCKET_ABORTED");
  assertEquals(
    error.message,
    "Cannot close socket to 192.0.2.1:80: it did not drain within 30000 ms",
  );
  for (const one of await Promise.all(writing)) assertEquals(one === error, true);
});

test("Socket.close() leaves no timer", async () => {
  const clock = new VirtualClock();
  const { socket, driver } = fakeSocket({ clock });
  const closing = deferred();
  driver.closing = () => closing.promise;
  const done = socket.close();
  assertEquals(clock.pending, 1);
  closing.resolve();
  await done;
  assertEquals(clock.pending, 0);
});

test("Socket.close() survives a driver that throws, and still gives the descriptor back", async () => {
  const failures: (() => void | Promise<void>)[] = [
    () => {
      throw new Error("broken");
    },
    () => Promise.reject(new Error("broken")),
  ];
  for (const closing of failures) {
    const { socket, driver } = fakeSocket();
    driver.closing = closing;
    await socket.close();
    await socket.closed;
    assertEquals([driver.calls, socket.state], [["close", "abort"], "closed"]);
  }
});

test("Socket.abort() cuts a close short", async () => {
  const { socket, driver } = fakeSocket();
  driver.writes.push(deferred<number>().promise);
  const reason = new Error("enough");
  const writing = rejection(socket.write(bytesOf("one")));
  const closing = socket.close();
  socket.abort(reason);
  await closing;
  assertEquals(await writing === reason, true);
  assertEquals(await rejection(socket.closed) === reason, true);
  assertEquals(driver.calls, ["write one", "abort"]);
});

test("Socket hears from its driver that the connection is over", async () => {
  const clean = fakeSocket();
  clean.driver.watcher!.gone();
  await clean.socket.closed;
  assertEquals(clean.socket.state, "closed");
  assertEquals((await rejection(clean.socket.write(bytesOf("x")))).code, "SOCKET_CLOSED");

  const broken = fakeSocket();
  broken.driver.watcher!.gone(systemError("ECONNRESET"));
  broken.driver.watcher!.gone();
  const error = await rejection(broken.socket.closed);
  assertEquals([error.code, broken.socket.state], ["SOCKET_RESET", "closed"]);
  assertEquals(await rejection(broken.socket.write(bytesOf("x"))) === error, true);
});

test("Socket.read() still gives what arrived before the connection broke", async () => {
  const { socket, driver } = fakeSocket();
  driver.reads.push("last words", systemError("ECONNRESET"));
  driver.watcher!.gone(systemError("ECONNRESET"));
  assertEquals(await readText(socket), "last words");
  assertEquals((await rejection(socket.read(new Uint8Array(1)))).code, "SOCKET_RESET");
});

test("Socket ignores what its driver tells while it closes, and after it was handed off", async () => {
  const closing = fakeSocket();
  const hold = deferred();
  closing.driver.closing = () => hold.promise;
  const done = closing.socket.close();
  closing.driver.watcher!.gone(systemError("ECONNRESET"));
  hold.resolve();
  await done;
  await closing.socket.closed;

  const handed = fakeSocket();
  const old = handed.driver.watcher!;
  const { driver, ...facts } = detachSocket(handed.socket);
  const next = createSocket(driver, facts);
  old.gone(systemError("ECONNRESET"));
  assertEquals([handed.socket.state, next.state], ["gone", "open"]);
  await handed.socket.closed;
  assertEquals((await rejection(handed.socket.read(new Uint8Array(1)))).code, "SOCKET_GONE");
});

test("detachSocket() takes along unread bytes and ended directions", async () => {
  const { socket, driver } = fakeSocket({ unread: bytesOf("abc") });
  assertEquals(await readText(socket, 1), "a");
  await socket.closeWrite();
  const { driver: moved, ...facts } = detachSocket(socket);
  assertEquals(moved === driver, true);
  assertEquals(facts.ended, { read: false, write: true });
  const next = createSocket(moved, facts);
  assertEquals(next.state, "half-closed");
  assertEquals((await rejection(next.write(bytesOf("x")))).code, "SOCKET_CLOSED");
  driver.reads.push("def", null);
  assertEquals([await readText(next), await readText(next), await readText(next)], [
    "bc",
    "def",
    null,
  ]);
  await next.closed;
});

test("detachSocket() refuses a socket that is busy, closed, gone or not ours", async () => {
  const reading = fakeSocket();
  void rejection(reading.socket.read(new Uint8Array(1)));
  assertThrows(() => detachSocket(reading.socket), Error, "a read or write is pending");
  const writing = fakeSocket();
  writing.driver.writes.push(deferred<number>().promise);
  void rejection(writing.socket.write(bytesOf("x")));
  assertThrows(() => detachSocket(writing.socket), Error, "a read or write is pending");
  reading.socket.abort();
  writing.socket.abort();
  const closed = fakeSocket();
  await closed.socket.close();
  assertThrows(() => detachSocket(closed.socket), Error, "it is closed");
  const gone = fakeSocket();
  detachSocket(gone.socket);
  assertThrows(() => detachSocket(gone.socket), Error, "it was handed to another owner");
  const foreign = { ...fakeSocket().socket } as Socket;
  assertThrows(() => detachSocket(foreign), Error, "was not made by a transport of this package");
});

/** A driver that can be secured; the test settles the handshake. */
class SecurableDriver extends FakeDriver {
  readonly handshake: PromiseWithResolvers<SocketDriver> = deferred<SocketDriver>();

  startTls({ serverName }: { serverName?: string }): Promise<SocketDriver> {
    this.calls.push(`startTls ${serverName}`);
    return this.handshake.promise;
  }
}

function securable(facts = {}) {
  const driver = new SecurableDriver();
  const clock = new VirtualClock();
  return { driver, clock, socket: createSocket(driver, { ...ENDS, clock, ...facts }) };
}

test("Socket.startTls() gives a new socket, and the old one is gone", async () => {
  const { socket, driver, clock } = securable({ targetName: "a.test" });
  const securing = socket.startTls();
  assertEquals(socket.state, "gone");
  const secured = new FakeDriver();
  driver.handshake.resolve(secured);
  const next = await securing;
  assertEquals([next.state, next.remoteAddress], ["open", ENDS.remoteAddress]);
  assertEquals([driver.calls, clock.pending], [["startTls a.test"], 0]);
  await next.close();
  assertEquals(secured.calls, ["close"]);
});

test("Socket.startTls() refuses bytes that arrived before, and closes the connection", async () => {
  const { socket, driver } = securable({ unread: bytesOf("forged") });
  const error = await rejection(socket.startTls());
  assertEquals([error.code, socket.state], ["SOCKET_FAILED", "closed"]);
  assertEquals(
    error.message,
    "Cannot secure socket to 192.0.2.1:80: bytes arrived before the handshake",
  );
  assertEquals(driver.calls, ["abort"]);
});

test("Socket.startTls() gives the descriptor back when the handshake fails or takes too long", async () => {
  const failed = securable();
  const failing = rejection(failed.socket.startTls());
  failed.driver.handshake.reject(new Error("bad certificate"));
  assertEquals((await failing).code, "CONNECT_FAILED");
  assertEquals(failed.driver.calls, ["startTls 192.0.2.1", "abort"]);

  const slow = securable();
  const late = rejection(slow.socket.startTls({ timeoutMs: 50 }));
  await slow.clock.advance(50);
  assertEquals((await late).code, "CONNECT_TIMEOUT");
  assertEquals(slow.driver.calls, ["startTls 192.0.2.1", "abort"]);
  const secured = new FakeDriver();
  slow.driver.handshake.resolve(secured);
  await slow.clock.settle();
  assertEquals(secured.calls, ["abort"]);

  const stop = new AbortController();
  const stopped = securable();
  const reason = new Error("enough");
  const pending = rejection(stopped.socket.startTls({ signal: stop.signal }));
  stop.abort(reason);
  assertEquals(await pending === reason, true);
  assertEquals(stopped.driver.calls.at(-1), "abort");
});

test("Socket.startTls() closes the connection when the signal was aborted before", async () => {
  const { socket, driver } = securable();
  const reason = new Error("enough");
  assertEquals(
    await rejection(socket.startTls({ signal: AbortSignal.abort(reason) })) === reason,
    true,
  );
  assertEquals([driver.calls, socket.state], [["abort"], "closed"]);
});

test("Socket.startTls() leaves the connection alone when it cannot even begin", async () => {
  const { socket, driver } = securable();
  for (const timeoutMs of [0, -1, NaN]) {
    const error = await rejection(socket.startTls({ timeoutMs }));
    assertEquals(error.message.includes(`timeoutMs "${timeoutMs}"`), true, String(error));
  }
  const reading = rejection(socket.read(new Uint8Array(1)));
  assertEquals((await rejection(socket.startTls())).code, "SOCKET_BUSY");
  assertEquals([driver.calls, socket.state], [["read"], "open"]);
  socket.abort();
  await reading;
  const plain = fakeSocket();
  assertEquals((await rejection(plain.socket.startTls())).code, "UNSUPPORTED");
  assertEquals(plain.socket.state, "open");
});

test("Socket is disposable, synchronously and asynchronously", async () => {
  const first = fakeSocket();
  first.socket[Symbol.dispose]();
  await first.socket.closed;
  const second = fakeSocket();
  await second.socket[Symbol.asyncDispose]();
  assertEquals([first.driver.calls, second.driver.calls], [["close"], ["close"]]);
});
