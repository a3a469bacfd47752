import { assert, assertEquals } from "@std/assert";
import { createSocket, type RoomWaiter, type Socket, waitForRoom } from "../../src/core.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { systemTransport } from "../../mod.ts";
import { runtime, test } from "../harness.ts";
import { ENDS, FakeDriver, fakeSocket, systemError } from "./fakes.ts";
import { bytesOf, connectedPair, eventually, readAll, rejection, sleep } from "./tools.ts";

/** A driver that tells of room when the test says so. */
class RoomDriver extends FakeDriver {
  /** Who waits. */
  told: RoomWaiter | undefined;

  waitForRoom(told: RoomWaiter): boolean {
    this.calls.push("wait");
    this.told = told;
    return true;
  }
}

/** Keeps what it is told. */
class Told implements RoomWaiter {
  readonly heard: unknown[] = [];

  resolve(): void {
    this.heard.push("room");
  }

  reject(error: unknown): void {
    this.heard.push(error);
  }
}

function roomSocket(): { socket: Socket; driver: RoomDriver } {
  const driver = new RoomDriver();
  return { socket: createSocket(driver, ENDS), driver };
}

test("waitForRoom() has its turn like a write: writes and close() come after it", async () => {
  const clock = new VirtualClock();
  const { socket, driver } = roomSocket();
  const told = new Told();
  assert(waitForRoom(socket, told));
  assert(socket.isBusy);
  assert(!waitForRoom(socket, new Told()), "somebody has the turn");
  const writing = socket.write(bytesOf("x"));
  const closing = socket.close();
  await clock.settle();
  assertEquals(driver.calls, ["wait"]);
  driver.told!.resolve();
  assertEquals(told.heard, ["room"]);
  assertEquals(await writing, 1);
  await closing;
  assertEquals(driver.calls, ["wait", "write x", "close"]);
});

test("waitForRoom() tells of what broke the connection, as a write would", async () => {
  const { socket, driver } = roomSocket();
  const told = new Told();
  waitForRoom(socket, told);
  driver.told!.reject(systemError("EPIPE"));
  assertEquals((told.heard[0] as { code?: string }).code, "SOCKET_RESET");
  assert(await rejection(socket.write(bytesOf("x"))) === told.heard[0]);
  assert(!waitForRoom(socket, told), "nothing can be written any more");
});

test("waitForRoom() is refused where the driver does not tell, and by a socket that is over", () => {
  assert(!waitForRoom(fakeSocket().socket, new Told()));
  const { socket } = roomSocket();
  socket.abort();
  assert(!waitForRoom(socket, new Told()));
});

/** Write until the kernel takes less than it is given. */
async function fill(socket: Socket): Promise<void> {
  const piece = new Uint8Array(1 << 20);
  while (await socket.writeSome(piece) === piece.byteLength);
}

const skip = runtime === "node" && "Node takes every byte that it is given";

test("waitForRoom() tells when a reader has made room, and not before", { skip }, async () => {
  const { near, far, end } = await connectedPair(systemTransport());
  await fill(near);
  const told = new Told();
  assert(waitForRoom(near, told));
  assertEquals(told.heard, []);
  await sleep(30); // A kernel that still moved bytes to the reader's side has told by now.
  if (told.heard.length > 0) {
    await fill(near);
    told.heard.length = 0;
    assert(waitForRoom(near, told));
    await sleep(30);
  }
  assertEquals(told.heard, []);
  const reading = rejection(readAll(far));
  await eventually(() => told.heard.length > 0, () => "nothing was told");
  assertEquals(told.heard, ["room"]);
  assert(await near.writeSome(new Uint8Array(1 << 20)) > 0);
  far.abort();
  near.abort();
  await reading;
  await end();
});

test("waitForRoom() ends when the far end resets the connection", { skip }, async () => {
  const { near, far, end } = await connectedPair(systemTransport());
  await fill(near);
  const told = new Told();
  assert(waitForRoom(near, told));
  far.abort();
  await eventually(() => told.heard.length > 0, () => "nothing was told");
  assertEquals((await rejection(near.write(new Uint8Array(1 << 20)))).code, "SOCKET_RESET");
  await end();
});

test("waitForRoom() ends with an abort of the socket itself", { skip }, async () => {
  const { near, far, end } = await connectedPair(systemTransport());
  await fill(near);
  const told = new Told();
  assert(waitForRoom(near, told));
  near.abort(new Error("enough"));
  await eventually(() => told.heard.length > 0, () => "nothing was told");
  assertEquals((told.heard[0] as Error).message, "enough");
  far.abort();
  await end();
});
