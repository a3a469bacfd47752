// What the watch and `isBusy` keep to, on a driver that does what it is told.
import { assertEquals, assertThrows } from "@std/assert";
import { createSocket, detachSocket, type JackfieldError, type Socket } from "../../src/core.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { deferred, ENDS, FakeDriver, fakeSocket, systemError } from "./fakes.ts";
import { bytesOf, rejection } from "./tools.ts";

const clock = new VirtualClock();

/** A driver of a runtime that tells only who reads. */
class LookingDriver extends FakeDriver {
  isLookingAhead = false;

  lookAhead(): void {
    this.calls.push("look");
    this.isLookingAhead = true;
  }

  startTls(): Promise<FakeDriver> {
    this.calls.push("startTls");
    return Promise.resolve(new FakeDriver());
  }
}

/** A socket that is watched, and what was told. */
function watched(facts = {}): { socket: Socket; driver: FakeDriver; told: string[] } {
  const { socket, driver } = fakeSocket(facts);
  const told: string[] = [];
  socket.watch(() => told.push(socket.state));
  return { socket, driver, told };
}

test("Socket.isBusy is true while a read, a write or the end of the stream is on its way", async () => {
  const { socket, driver } = fakeSocket();
  assertEquals(socket.isBusy, false);
  const answer = deferred<string>();
  driver.reads.push(answer.promise);
  const reading = socket.read(new Uint8Array(1));
  assertEquals(socket.isBusy, true);
  answer.resolve("x");
  await reading;
  assertEquals(socket.isBusy, false);
  const [first, second, halved] = [deferred<number>(), deferred<number>(), deferred()];
  driver.writes.push(first.promise, second.promise);
  driver.halving = () => halved.promise;
  const writing = [socket.write(bytesOf("one")), socket.write(bytesOf("two"))];
  first.resolve(3);
  await writing[0];
  assertEquals(socket.isBusy, true);
  second.resolve(3);
  await writing[1];
  assertEquals(socket.isBusy, false);
  const ending = socket.closeWrite();
  assertEquals(socket.isBusy, true);
  halved.resolve();
  await ending;
  assertEquals(socket.isBusy, false);
});

test("Socket.isBusy is false after reads and writes that were refused or failed", async () => {
  const { socket, driver } = fakeSocket();
  driver.writes.push(systemError("EPIPE"));
  await rejection(socket.write(bytesOf("x")));
  assertEquals(socket.isBusy, false);
  driver.reads.push(systemError("ECONNRESET"));
  await rejection(socket.read(new Uint8Array(1)));
  assertEquals(socket.isBusy, false);
  await rejection(socket.read(new Uint8Array(1)));
  await rejection(socket.write(bytesOf("x")));
  assertEquals(socket.isBusy, false);
});

test("Socket.watch() tells once of bytes", () => {
  const { socket, driver, told } = watched();
  assertEquals(socket.isBusy, false);
  driver.watcher!.arrived();
  driver.watcher!.arrived();
  assertEquals(told, ["open"]);
});

test("Socket.watch() tells of the end when the socket has moved on", async () => {
  const { socket, driver, told } = watched();
  driver.watcher!.ended();
  assertEquals(told, ["half-closed"]);
  assertEquals([await socket.read(new Uint8Array(1)), driver.calls], [null, []]);
  const both = watched({ ended: { read: false, write: true } });
  both.driver.watcher!.ended();
  await both.socket.closed;
  assertEquals([both.told, both.socket.state], [["closed"], "closed"]);
});

test("Socket.watch() tells of a failure when the socket has given the descriptor back", async () => {
  const { socket, driver, told } = watched();
  driver.watcher!.failed(systemError("ECONNRESET"));
  assertEquals([told, driver.calls], [["closed"], ["abort"]]);
  const error = await rejection(socket.closed);
  assertEquals(error.code, "SOCKET_RESET");
  assertEquals(await rejection(socket.read(new Uint8Array(1))) === error, true);
});

test("Socket.watch() tells of an end that the runtime tells unasked", async () => {
  const { socket, driver, told } = watched();
  driver.watcher!.gone(systemError("ECONNRESET"));
  driver.watcher!.gone();
  assertEquals(told, ["closed"]);
  assertEquals((await rejection(socket.closed)).code, "SOCKET_RESET");
});

test("Socket without a watch leaves what came to the next reader", async () => {
  const { socket, driver } = fakeSocket();
  driver.watcher!.arrived();
  driver.watcher!.ended();
  driver.watcher!.failed(systemError("ECONNRESET"));
  assertEquals([socket.state, driver.calls], ["open", []]);
  driver.reads.push("x");
  assertEquals(await socket.read(new Uint8Array(1)), 1);
});

test("Socket.watch() ends with undefined, a read, close, abort and a handoff", async () => {
  const enders: ((socket: Socket) => unknown)[] = [
    (socket) => socket.watch(undefined),
    (socket) => socket.read(new Uint8Array(1)),
    (socket) => socket.close(),
    (socket) => socket.abort(),
    (socket) => detachSocket(socket),
  ];
  for (const end of enders) {
    const { socket, driver, told } = watched();
    driver.reads.push("x");
    await end(socket);
    driver.watcher!.arrived();
    driver.watcher!.ended();
    driver.watcher!.failed(systemError("EPIPE"));
    driver.watcher!.gone();
    assertEquals(told, [], String(end));
  }
});

test("Socket.watch() takes the place of the watch before", () => {
  const { socket, driver, told } = watched();
  socket.watch(() => told.push("second"));
  driver.watcher!.arrived();
  assertEquals(told, ["second"]);
});

test("Socket.watch() throws SOCKET_BUSY while a read is pending, and not while a write is", () => {
  const { socket, driver } = fakeSocket();
  driver.writes.push(deferred<number>().promise);
  void rejection(socket.write(bytesOf("x")));
  socket.watch(() => {});
  void rejection(socket.read(new Uint8Array(1)));
  const error = assertThrows(() => socket.watch(() => {})) as JackfieldError;
  assertEquals(error.code, "SOCKET_BUSY");
  assertEquals(error.message, "Cannot watch socket to 192.0.2.1:80: a read is pending");
  socket.watch(undefined);
  socket.abort();
  socket.watch(() => {}); // nothing can come any more
});

test("Socket.watch() loses no bytes that lie before an end or a failure", async () => {
  const ended = watched({ unread: bytesOf("ab"), ended: { read: false, write: true } });
  ended.driver.watcher!.ended();
  assertEquals([ended.told, ended.socket.state], [["half-closed"], "half-closed"]);
  assertEquals(await ended.socket.read(new Uint8Array(9)), 2);
  ended.driver.reads.push(null);
  assertEquals(await ended.socket.read(new Uint8Array(9)), null);
  await ended.socket.closed;

  const failed = watched({ unread: bytesOf("ab") });
  failed.driver.watcher!.failed(systemError("ECONNRESET"));
  assertEquals([failed.told, failed.socket.state], [["open"], "open"]);
  assertEquals(await failed.socket.read(new Uint8Array(9)), 2);
  failed.driver.reads.push(systemError("ECONNRESET"));
  assertEquals((await rejection(failed.socket.read(new Uint8Array(9)))).code, "SOCKET_RESET");
});

test("Socket.watch() lets whoever is told use the socket at once", async () => {
  const { socket, driver } = fakeSocket();
  driver.reads.push("abc");
  const told = deferred<Promise<number | null>>();
  socket.watch(() => {
    told.resolve(socket.read(new Uint8Array(9)));
  });
  driver.watcher!.arrived();
  assertEquals(await (await told.promise), 3);
  socket.watch(() => void socket.close());
  driver.watcher!.ended();
  await socket.closed;
  assertEquals(socket.state, "closed");
});

test("Socket.watch() reports what the one who is told throws, and the driver goes on", () => {
  const { socket, driver } = fakeSocket();
  const failure = new Error("broken");
  socket.watch(() => {
    throw failure;
  });
  const reports: (() => void)[] = [];
  const original = globalThis.queueMicrotask;
  globalThis.queueMicrotask = (report) => void reports.push(report as () => void);
  try {
    driver.watcher!.ended();
  } finally {
    globalThis.queueMicrotask = original;
  }
  assertEquals(socket.state, "half-closed");
  assertEquals(assertThrows(() => reports[0]!()) === failure, true);
});

test("Socket.watch() has its driver look ahead, unless the end of the stream was read", async () => {
  const driver = new LookingDriver();
  const socket = createSocket(driver, ENDS);
  socket.watch(() => {});
  socket.watch(undefined);
  assertEquals(driver.calls, ["look"]);
  driver.reads.push(null);
  await socket.read(new Uint8Array(1));
  socket.watch(() => {});
  assertEquals(driver.calls, ["look", "read"]);
  await socket.close();
  socket.watch(() => {});
  assertEquals(driver.calls, ["look", "read", "close"]);
});

test("Socket.startTls() rejects with SOCKET_BUSY while its driver looks ahead", async () => {
  const driver = new LookingDriver();
  const socket = createSocket(driver, { ...ENDS, clock });
  socket.watch(() => {});
  const error = await rejection(socket.startTls());
  assertEquals([error.code, socket.state, driver.calls], ["SOCKET_BUSY", "open", ["look"]]);
  driver.isLookingAhead = false;
  const secured = await socket.startTls();
  assertEquals([socket.state, secured.state], ["gone", "open"]);
  await secured.close();
});
