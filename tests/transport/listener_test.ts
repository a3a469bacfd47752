import { assertEquals } from "@std/assert";
import { createListener, type CreateListenerOptions, type Socket } from "../../src/core.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { FakeListenerDriver, fakeSocket, systemError } from "./fakes.ts";
import { rejection } from "./tools.ts";

/** A listener over fake drivers. */
function listen(count = 1, options: CreateListenerOptions = {}) {
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  const drivers = Array.from({ length: count }, (_, at) => new FakeListenerDriver(80, `::${at}`));
  const listener = createListener(drivers as [FakeListenerDriver, ...FakeListenerDriver[]], {
    clock,
    onError: (error) => errors.push(error),
    ...options,
  });
  return { clock, drivers, driver: drivers[0]!, listener, errors };
}

test("Listener.accept() gives connections in order, and asks its driver only when somebody waits", async () => {
  const { driver, listener, clock } = listen();
  assertEquals(driver.accepts, 0);
  const [first, second] = [listener.accept(), listener.accept()];
  assertEquals(driver.accepts, 1);
  const [one, two] = [fakeSocket().socket, fakeSocket().socket];
  driver.give(one);
  assertEquals(await first === one, true);
  assertEquals(driver.accepts, 2);
  driver.give(two);
  assertEquals(await second === two, true);
  await clock.settle();
  assertEquals(driver.accepts, 2);
  await listener.close();
});

test("Listener is one door to several drivers", async () => {
  const { drivers, listener, clock } = listen(3);
  assertEquals(listener.address, { hostname: "::0", port: 80 });
  assertEquals(listener.addresses.map(({ hostname }) => hostname), ["::0", "::1", "::2"]);
  const waiting = listener.accept();
  assertEquals(drivers.map(({ accepts }) => accepts), [1, 1, 1]);
  const sockets = drivers.map(() => fakeSocket().socket);
  drivers[1]!.give(sockets[1]!);
  assertEquals(await waiting === sockets[1], true);
  // Two more come while nobody waits: they are kept, and nobody asks for further ones.
  drivers[2]!.give(sockets[2]!);
  drivers[0]!.give(sockets[0]!);
  await clock.settle();
  const kept = [await listener.accept(), await listener.accept()];
  assertEquals(new Set(kept), new Set([sockets[0], sockets[2]]));
  assertEquals(drivers.map(({ accepts }) => accepts), [1, 1, 1]);
  await listener.close();
  assertEquals(drivers.map(({ closed }) => closed), [1, 1, 1]);
});

test("Listener pauses after EMFILE, longer each time, and starts anew after a success", async () => {
  const { driver, listener, clock, errors } = listen();
  const waiting = listener.accept();
  const pauses: number[] = [];
  for (let times = 0; times < 10; times++) {
    driver.fail(systemError("EMFILE"));
    await clock.settle();
    assertEquals([driver.asked.length, clock.pending], [0, 1], "no accept during a pause");
    const start = clock.now();
    await clock.runAll();
    pauses.push(clock.now() - start);
    assertEquals(driver.asked.length, 1);
  }
  assertEquals(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
  assertEquals(errors.length, 10);
  const { socket } = fakeSocket();
  driver.give(socket);
  assertEquals(await waiting === socket, true);
  const other = listener.accept();
  driver.fail(systemError("EMFILE"));
  const start = clock.now();
  await clock.runAll();
  assertEquals(clock.now() - start, 5);
  driver.give(fakeSocket().socket);
  await other;
  await listener.close();
});

test("Listener asks again at once after a client that was gone", async () => {
  const { driver, listener, clock, errors } = listen();
  const waiting = listener.accept();
  for (const code of ["ECONNABORTED", "ECONNRESET", "ENOTCONN", "EPROTO"]) {
    driver.fail(systemError(code));
    await clock.settle();
    assertEquals([driver.asked.length, clock.pending], [1, 0], code);
  }
  assertEquals(errors.length, 4);
  const { socket } = fakeSocket();
  driver.give(socket);
  assertEquals(await waiting === socket, true);
  await listener.close();
});

test("Listener asks nobody for those who come during a pause until it is over", async () => {
  const { driver, listener, clock } = listen();
  const waiting = [listener.accept()];
  driver.fail(systemError("EMFILE"));
  await clock.settle();
  waiting.push(listener.accept());
  assertEquals(driver.asked.length, 0);
  await clock.advance(5);
  assertEquals(driver.asked.length, 1);
  const sockets = [fakeSocket().socket, fakeSocket().socket];
  for (const [at, socket] of sockets.entries()) {
    driver.give(socket);
    assertEquals(await waiting[at] === socket, true);
  }
  await listener.close();
});

test("Listener survives an onError that throws", async () => {
  const stages: string[] = [];
  const { driver, listener, clock } = listen(1, {
    onError: (_error, { stage }) => {
      stages.push(stage);
      throw new Error("broken callback");
    },
  });
  const waiting = listener.accept();
  driver.fail(systemError("EMFILE"));
  await clock.advance(5);
  const { socket } = fakeSocket();
  driver.give(socket);
  assertEquals(await waiting === socket, true);
  assertEquals(stages, ["accept"]);
  await listener.close();
});

test("Listener.close() rejects who waits and resets a connection that comes too late", async () => {
  const { drivers, listener, clock, errors } = listen(2);
  const waiting = [rejection(listener.accept()), rejection(listener.accept())];
  const closing = listener.close();
  assertEquals(listener.close() === closing, true);
  await closing;
  for (const error of await Promise.all(waiting)) {
    assertEquals(error.code, "LISTENER_CLOSED");
    assertEquals(error.message, "Cannot accept on [::0]:80: listener is closed");
  }
  assertEquals((await rejection(listener.accept())).code, "LISTENER_CLOSED");
  const late = fakeSocket().socket;
  drivers[0]!.give(late);
  drivers[1]!.fail(new Error("closed"));
  await clock.settle();
  assertEquals(late.state, "closed");
  assertEquals([errors, clock.pending], [[], 0]);
});

test("Listener.close() resets connections that nobody accepted, and ends a pause", async () => {
  const { drivers, listener, clock } = listen(3);
  const waiting = listener.accept();
  drivers[0]!.give(fakeSocket().socket);
  await waiting;
  const kept = fakeSocket().socket;
  drivers[1]!.give(kept);
  drivers[2]!.fail(systemError("EMFILE"));
  await clock.settle();
  assertEquals([kept.state, clock.pending], ["open", 1]);
  await listener.close();
  assertEquals([kept.state, clock.pending], ["closed", 0]);
});

test("Listener iterates until it is closed", async () => {
  const { driver, listener } = listen();
  const seen: Socket[] = [];
  const iterating = (async () => {
    for await (const socket of listener) seen.push(socket);
  })();
  const sockets = [fakeSocket().socket, fakeSocket().socket];
  for (const socket of sockets) {
    while (driver.asked.length === 0) await undefined;
    driver.give(socket);
  }
  while (seen.length < 2) await undefined;
  await listener.close();
  await iterating;
  assertEquals(seen, sockets);
  for await (const _socket of listener) throw new Error("closed listeners accept nothing");
});

test("Listener passes ref and unref to every driver, and closes when it is disposed", async () => {
  const { drivers, listener } = listen(2);
  listener.unref();
  assertEquals(drivers.map(({ referenced }) => referenced), [false, false]);
  listener.ref();
  assertEquals(drivers.map(({ referenced }) => referenced), [true, true]);
  listener[Symbol.dispose]();
  await listener[Symbol.asyncDispose]();
  assertEquals(drivers.map(({ closed }) => closed), [1, 1]);
});
