import { assertEquals, assertThrows } from "@std/assert";
import { AcceptQueue, DEFAULT_MAX_PENDING, type JackfieldError } from "../../src/core.ts";
import { test } from "../harness.ts";
import { fakeSocket, systemError } from "./fakes.ts";
import { rejection } from "./tools.ts";

const address = { hostname: "127.0.0.1", port: 80 };

test("AcceptQueue gives connections in the order in which they came", async () => {
  const queue = new AcceptQueue(address);
  const sockets = Array.from({ length: 3 }, () => fakeSocket().socket);
  for (const socket of sockets) queue.push(socket);
  for (const socket of sockets) assertEquals(await queue.take() === socket, true);
});

test("AcceptQueue serves those who wait in their order", async () => {
  const queue = new AcceptQueue(address);
  const taken = [queue.take(), queue.take()];
  const [first, second] = [fakeSocket().socket, fakeSocket().socket];
  queue.push(first);
  queue.push(second);
  assertEquals(await taken[0] === first, true);
  assertEquals(await taken[1] === second, true);
});

test("AcceptQueue resets what comes beyond maxPending, and says so once for each", async () => {
  const queue = new AcceptQueue(address, 2);
  const all = Array.from({ length: 4 }, () => fakeSocket());
  for (const { socket } of all) queue.push(socket);
  assertEquals(all.map(({ socket }) => socket.state), ["open", "open", "closed", "closed"]);
  assertEquals(all.map(({ driver }) => driver.calls), [[], [], ["abort"], ["abort"]]);
  for (let times = 0; times < 2; times++) {
    const error = await rejection(queue.take()) as JackfieldError;
    assertEquals([error.code, error.operation, error.limit], ["SOCKET_ABORTED", "accept", 2]);
    assertEquals(
      error.message,
      "Cannot accept on 127.0.0.1:80: 2 connections already wait, accept faster or raise maxPending",
    );
  }
  assertEquals(await queue.take() === all[0]!.socket, true);
  const { socket } = fakeSocket();
  queue.push(socket); // there is room again
  assertEquals(await queue.take() === all[1]!.socket, true);
  assertEquals(await queue.take() === socket, true);
});

test("AcceptQueue keeps a bounded number of failures", async () => {
  const queue = new AcceptQueue(address);
  for (let at = 0; at < 1000; at++) queue.fail(systemError(`E${at}`));
  const { socket } = fakeSocket();
  queue.push(socket);
  let failures = 0;
  for (;; failures++) {
    const taken = await queue.take().catch(() => undefined);
    if (taken === socket) break;
  }
  assertEquals(failures, 16);
});

test("AcceptQueue tells a failure to one who waits", async () => {
  const queue = new AcceptQueue(address);
  const failing = rejection(queue.take());
  const waiting = queue.take();
  queue.fail(systemError("ECONNABORTED"));
  assertEquals((await failing).code, "ECONNABORTED");
  const { socket } = fakeSocket();
  queue.push(socket);
  assertEquals(await waiting === socket, true);
});

test("AcceptQueue.close() resets what waits, rejects who waits, and resets what comes after", async () => {
  const queue = new AcceptQueue(address);
  const waiting = new AcceptQueue(address);
  const [before, after] = [fakeSocket().socket, fakeSocket().socket];
  queue.push(before);
  const pending = [rejection(waiting.take()), rejection(waiting.take())];
  queue.close();
  waiting.close();
  queue.push(after);
  assertEquals([before.state, after.state], ["closed", "closed"]);
  assertEquals((await Promise.all(pending)).length, 2);
});

test("AcceptQueue refuses a bound that is none", () => {
  for (const bound of [0, -1, NaN]) {
    assertThrows(() => new AcceptQueue(address, bound), RangeError, `maxPending "${bound}"`);
  }
  assertEquals(DEFAULT_MAX_PENDING, 4096);
});

/** A queue of so many that can stop its runtime, and what it told it. */
function stoppable(maxPending: number) {
  const told: string[] = [];
  const gate = { stop: () => void told.push("stop"), start: () => void told.push("start") };
  return { told, gate, queue: new AcceptQueue(address, maxPending, { gate }) };
}

test("AcceptQueue stops its runtime when maxPending wait, and starts it when all are taken", async () => {
  const { queue, told } = stoppable(2);
  const all = Array.from({ length: 4 }, () => fakeSocket().socket);
  queue.push(all[0]!);
  assertEquals(told, []);
  for (const late of all.slice(1)) queue.push(late); // Two have come in the same turn.
  assertEquals(told, ["stop"]);
  for (const socket of all) assertEquals(await queue.take() === socket, true);
  assertEquals(told, ["stop"]);
  const waiting = queue.take();
  assertEquals(told, ["stop", "start"]);
  const { socket } = fakeSocket();
  queue.push(socket);
  assertEquals(await waiting === socket, true);
});

test("AcceptQueue counts connections that are not ready among those that wait", async () => {
  const { queue, told } = stoppable(2);
  const waiting = queue.take();
  queue.expect();
  queue.expect();
  assertEquals(told, ["stop"]);
  const { socket } = fakeSocket();
  queue.ready();
  queue.push(socket);
  assertEquals(await waiting === socket, true);
  const next = rejection(queue.take());
  assertEquals(told, ["stop", "start"]);
  queue.ready();
  queue.fail(systemError("ECONNRESET"));
  await next;
});

test("AcceptQueue tells who waits that it cannot start, and tries again for the next one", async () => {
  const { queue, gate } = stoppable(1);
  const first = fakeSocket().socket;
  queue.push(first);
  assertEquals(await queue.take() === first, true);
  const start = gate.start;
  gate.start = () => {
    throw systemError("EMFILE");
  };
  assertEquals((await rejection(queue.take())).code, "EMFILE");
  gate.start = start;
  const waiting = queue.take();
  const second = fakeSocket().socket;
  queue.push(second);
  assertEquals(await waiting === second, true);
});

test("AcceptQueue.pause() stops although somebody waits, until resume()", async () => {
  const { queue, told } = stoppable(4);
  const waiting = queue.take();
  queue.pause();
  queue.pause();
  assertEquals(told, ["stop"]);
  const [first, second] = [fakeSocket().socket, fakeSocket().socket];
  queue.push(first); // It came in the turn in which accepting stopped.
  queue.push(second);
  assertEquals(await waiting === first, true);
  assertEquals(queue.takeWaiting().map((socket) => socket === second), [true]);
  const next = queue.take();
  assertEquals(told, ["stop"]);
  queue.start(); // To be copied it has to accept;
  queue.pause(); // and then stops again.
  assertEquals(told, ["stop", "start", "stop"]);
  queue.resume();
  assertEquals(told, ["stop", "start", "stop", "start"]);
  queue.push(second);
  assertEquals(await next === second, true);
});
