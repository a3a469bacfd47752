// The rules of bindings, over threads that are none.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  isJackfieldError,
  JackfieldError,
  roundRobin,
  type Socket,
  sticky,
} from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import type { SocketHandler, WorkerCandidate, WorkerRequest } from "../../src/workers/mod.ts";
import { test } from "../harness.ts";
import { bytesOf, readExactly, rejection, textOf } from "../transport/tools.ts";
import { type FakeScript, FakeWorkers } from "./fake_workers.ts";

/** Sends back what comes, until the socket is wanted back. */
const echo: SocketHandler = async (socket, { ready }) => {
  const buffer = new Uint8Array(100);
  while (await ready()) {
    const count = await socket.read(buffer);
    if (count === null) return;
    await socket.write(buffer.subarray(0, count));
  }
  return socket;
};

function start(script: FakeScript): { clock: VirtualClock; workers: FakeWorkers } {
  const clock = new VirtualClock();
  return { clock, workers: new FakeWorkers(clock, script) };
}

test("WorkerGroup.assign() binds each socket to the thread that the strategy chooses (P7)", async () => {
  const { workers } = start({ onSocket: echo });
  const group = workers.group({ threads: 3 });
  await workers.flow();
  const pairs = await Promise.all([1, 2, 3, 4, 5, 6].map(() => workers.connect()));
  const assigned = pairs.map(({ server }, index) => group.assign(server, index));
  await workers.flow();
  const bindings = await Promise.all(assigned);
  assertEquals(bindings.map(({ thread }) => thread).sort(), [0, 0, 1, 1, 2, 2]);
  assertEquals(group.bindings().length, 6);
  assertEquals(group.threads.map(({ load }) => load), [2, 2, 2]);
  const [{ client, server }] = pairs as [{ client: Socket; server: Socket }];
  assertEquals(server.state, "gone");
  assertEquals(group.bindingOf(server)?.data, 0);
  assertEquals(group.bindingOf(bindings[3]!.id), bindings[3]);
  await client.write(bytesOf("hello"));
  await workers.flow();
  assertEquals(textOf(await readExactly(client, 5)), "hello");
  await client.close();
  await workers.flow();
  assertEquals((await bindings[0]!.ended).reason, "closed");
  assertEquals(group.bindingOf(server), undefined);
  assertEquals(group.bindings().length, 5);
  const aborted = group.abort();
  await workers.flow();
  await aborted;
  assertEquals((await bindings[1]!.ended).reason, "lost");
  assertEquals(workers.kernel.copies, 0);
});

test("WorkerGroup.unbind() gives the socket back with what nobody has read of it (P7)", async () => {
  const { workers } = start({
    onSocket: (socket, { signal }) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(socket))),
  });
  const group = workers.group({ threads: 1 });
  const { client, server } = await workers.connect();
  const assigned = group.assign(server);
  await workers.flow();
  const binding = await assigned;
  const unbinding = group.unbind(server);
  assertEquals(group.unbind(binding), unbinding);
  await client.write(bytesOf("unread"));
  await workers.flow();
  const socket = (await unbinding)!;
  assertEquals(socket.state, "open");
  assertEquals((await binding.ended).reason, "returned");
  assertEquals(textOf(await readExactly(socket, 6)), "unread");
  assertEquals(group.bindings(), []);
  assertThrows(() => group.unbind(client), TypeError, "was not assigned by this group");
  await Promise.all([client.close(), socket.close()]);
  await group.abort();
  assertEquals(workers.kernel.copies, 0);
});

for (const mayHoldOn of [false, true]) {
  test(`WorkerGroup.unbind() aborts a socket whose handler does not let go in time, mayHoldOn: ${mayHoldOn}`, async () => {
    const { workers } = start({ onSocket: () => new Promise(() => {}), mayHoldOn });
    const group = workers.group({ threads: 1 });
    const { client, server } = await workers.connect();
    const assigned = group.assign(server);
    await workers.flow();
    const binding = await assigned;
    const unbinding = rejection(group.unbind(binding, { timeoutMs: 500 }));
    await workers.pass(499);
    assertEquals(binding.state, "bound");
    await workers.pass(1);
    assertEquals((await unbinding).code, "WORKER_TIMEOUT");
    assertEquals((await binding.ended).reason, "cut");
    assertEquals((await rejection(client.read(new Uint8Array(1)))).code, "SOCKET_RESET");
    assertEquals(workers.kernel.copies, 0);
    // A handler of which nobody expects anything does not hold up the end.
    const closing = group.close();
    await workers.flow();
    await closing;
  });
}

test("WorkerGroup.unbind() aborts a socket that comes back too late", async () => {
  const { clock, workers } = start({ onSocket: echo });
  const group = workers.group({ threads: 1 });
  const { client, server } = await workers.connect();
  const assigned = group.assign(server);
  await workers.flow();
  const unbinding = rejection(group.unbind(await assigned, { timeoutMs: 500 }));
  const { near, far, endTurn } = workers.lives[0]!;
  while (near.arriving.length === 0) {
    await clock.settle();
    endTurn();
    far.step();
  }
  await clock.advance(500);
  assertEquals((await unbinding).code, "WORKER_TIMEOUT");
  await workers.flow(); // Now it comes.
  assertEquals((await rejection(client.read(new Uint8Array(1)))).code, "SOCKET_RESET");
  assertEquals(workers.kernel.copies, 0);
  await group.abort();
});

test("WorkerGroup tells how a handler ends: it closes, gives back or throws (P8)", async () => {
  const { workers } = start({
    onSocket: async (socket, { data }) => {
      if (data === "throw") throw new RangeError("on purpose");
      if (data === "return") return socket;
      if (data === "close") await socket.close();
    },
  });
  const errors: unknown[] = [];
  const group = workers.group({ threads: 1, onError: (error) => errors.push(error) });
  const returned: Socket[] = [];
  const serve = async (data: string) => {
    const { client, server } = await workers.connect();
    const assigned = group.assign(server, data, { onReturn: (socket) => returned.push(socket) });
    await workers.flow();
    return { client, end: await (await assigned).ended };
  };
  const read = (client: Socket) => client.read(new Uint8Array(1)).catch(({ code }) => code);

  const thrown = await serve("throw");
  assertEquals(thrown.end.reason, "failed");
  assert(isJackfieldError(thrown.end.error, "WORKER_FAILED"));
  assertStringIncludes(thrown.end.error.message, "on purpose");
  assertEquals(errors, [thrown.end.error]);
  assertEquals(await read(thrown.client), "SOCKET_RESET");
  for (const data of ["close", "nothing"]) {
    const { client, end } = await serve(data);
    assertEquals([end, await read(client)], [{ reason: "closed" }, null]);
    client.abort();
  }
  assertEquals(returned, []);
  const back = await serve("return");
  assertEquals(back.end, { reason: "returned" });
  assertEquals(returned.map(({ state }) => state), ["open"]);
  returned[0]!.abort();
  assertEquals(await read(back.client), "SOCKET_RESET");
  await group.abort();
  assertEquals(workers.kernel.copies, 0);
});

test("WorkerGroup closes a socket that comes back and that nobody takes", async () => {
  const { workers } = start({ onSocket: (socket) => socket });
  const group = workers.group({ threads: 1 });
  const { client, server } = await workers.connect();
  const assigned = group.assign(server);
  await workers.flow();
  assertEquals((await (await assigned).ended).reason, "returned");
  assertEquals(await client.read(new Uint8Array(1)), null);
  client.abort();
  await group.abort();
  assertEquals(workers.kernel.copies, 0);
});

for (const mayHoldOn of [false, true]) {
  test(`WorkerGroup undoes the bindings of a thread that dies, and starts another one, mayHoldOn: ${mayHoldOn} (P7)`, async () => {
    const { clock, workers } = start({ onSocket: echo, mayHoldOn });
    const errors: unknown[] = [];
    const group = workers.group({ threads: 2, onError: (error) => errors.push(error) });
    await workers.flow();
    const pairs = await Promise.all([1, 2, 3, 4].map(() => workers.connect()));
    const assigned = pairs.map(({ server }) => group.assign(server));
    await workers.flow();
    const bindings = await Promise.all(assigned);
    workers.lives[0]!.die({ reason: "failed", error: new Error("on purpose") });
    await workers.flow();
    for (const [index, { client }] of pairs.entries()) {
      if (bindings[index]!.thread === 1) continue;
      const end = await bindings[index]!.ended;
      assertEquals(end.reason, "lost");
      assert(isJackfieldError(end.error, "WORKER_LOST"));
      assert(await client.read(new Uint8Array(1)).then((count) => count === null, () => true));
    }
    assertEquals(group.bindings().map(({ thread }) => thread), [1, 1]);
    assertEquals(errors.map(String), [
      "JackfieldError: Cannot keep thread 0 of worker group: Cannot use thread 0: it has failed: " +
      "on purpose; the next one starts in 75 ms",
    ]);
    // All that comes now goes to the one that lives.
    const { client, server } = await workers.connect();
    const waiting = group.assign(server);
    await workers.flow();
    assertEquals((await waiting).thread, 1);
    assertEquals(workers.lives.length, 2);
    await workers.pass(75);
    assertEquals(workers.lives.length, 3);
    assertEquals(group.threads.map(({ starts, load }) => [starts, load]), [[2, 0], [1, 3]]);
    await group.abort();
    await workers.flow();
    assertEquals(workers.kernel.copies, 0);
    assertEquals(clock.pending, 0);
    client.abort();
  });
}

test("WorkerGroup.assign() chooses another thread when the first dies before it has the socket", async () => {
  const { clock, workers } = start({ onSocket: echo, mayHoldOn: true });
  const group = workers.group({ threads: 2, strategy: roundRobin() });
  await workers.flow();
  const { client, server } = await workers.connect();
  workers.lives[0]!.isStuck = true;
  const assigned = group.assign(server);
  await clock.settle();
  workers.lives[0]!.die({ reason: "failed" });
  await workers.flow();
  assertEquals((await assigned).thread, 1);
  await client.write(bytesOf("whole"));
  await workers.flow();
  assertEquals(textOf(await readExactly(client, 5)), "whole");
  client.abort();
  await workers.flow();
  await group.abort();
  assertEquals(workers.kernel.copies, 0);
});

test("WorkerGroup ends a binding whose thread dies just when it has the socket", async () => {
  const { clock, workers } = start({ onSocket: echo, mayHoldOn: true });
  const group = workers.group({ threads: 1 });
  await workers.flow();
  const { client, server } = await workers.connect();
  const assigned = group.assign(server);
  const { near, far, die, endTurn } = workers.lives[0]!;
  await clock.settle();
  while (near.arriving.length === 0) {
    endTurn();
    far.step();
    await clock.settle();
    endTurn();
  }
  while (near.step()); // It says that it has it, and nobody had a turn to hear of it yet.
  die({ reason: "failed" });
  assertEquals((await (await assigned).ended).reason, "lost");
  await workers.flow();
  assertEquals([group.bindings().length, workers.kernel.copies], [0, 0]);
  client.abort();
  await group.abort();
});

test("WorkerGroup starts threads with backoff, and who waits hears why there is none", async () => {
  let works = false;
  const { workers } = start({ onSocket: echo, starts: () => works });
  const group = workers.group({ threads: 1 });
  const { client, server } = await workers.connect();
  let returned: Socket | undefined;
  const failing = rejection(
    group.assign(server, undefined, { timeoutMs: 1000, onReturn: (socket) => returned = socket }),
  );
  await workers.pass(999);
  // 75, 150, 300 and 600 ms.
  assertEquals(workers.lives.length, 4);
  await workers.pass(1);
  const error = await failing;
  assertEquals(error.code, "WORKER_TIMEOUT");
  assertStringIncludes(String((error as Error).cause), "it does not start");
  assertEquals([server.state, returned?.state], ["gone", "open"]);
  works = true;
  const assigned = group.assign(returned!);
  await workers.pass(200);
  assertEquals((await assigned).state, "bound");
  client.abort();
  await workers.flow();
  await group.abort();
  assertEquals(workers.kernel.copies, 0);
});

test("WorkerGroup replaces a thread that says nothing any more", async () => {
  const { workers } = start({ onSocket: echo, mayHoldOn: true });
  const errors: unknown[] = [];
  const group = workers.group({
    threads: 1,
    maxSilenceMs: 300,
    onError: (error) => errors.push(error),
  });
  const { client, server } = await workers.connect();
  const assigned = group.assign(server);
  await workers.flow();
  const binding = await assigned;
  for (let ms = 0; ms < 2000; ms += 100) await workers.pass(100);
  assertEquals([binding.state, workers.lives.length], ["bound", 1]);
  workers.lives[0]!.isStuck = true;
  for (let ms = 0; ms < 500; ms += 100) await workers.pass(100);
  assertEquals((await binding.ended).reason, "lost");
  assertStringIncludes(String(errors[0]), "it has said nothing for 300 ms");
  assertEquals([workers.lives.length, workers.kernel.copies], [2, 0]);
  client.abort();
  await group.abort();
});

test("WorkerGroup.close() has handlers let go, and aborts what is left at the deadline", async () => {
  const { clock, workers } = start({
    onSocket: (socket, work) => work.data === "deaf" ? new Promise(() => {}) : echo(socket, work),
  });
  const group = workers.group({ threads: 2 });
  const pairs = await Promise.all(["deaf", "echo"].map(() => workers.connect()));
  const assigned = [group.assign(pairs[0]!.server, "deaf"), group.assign(pairs[1]!.server)];
  await workers.flow();
  const [deaf, kind] = await Promise.all(assigned);
  const closing = group.close({ timeoutMs: 1000 });
  assertEquals(group.close(), closing);
  const late = await workers.connect();
  assertEquals((await rejection(group.assign(late.server))).code, "WORKER_CLOSED");
  assertEquals(late.server.state, "open");
  await workers.flow();
  assertEquals((await kind!.ended).reason, "returned");
  assertEquals(deaf!.state, "bound");
  await workers.pass(1000);
  await closing;
  assertEquals((await deaf!.ended).reason, "lost");
  assertEquals(workers.lives.map(({ isDead }) => isDead), [true, true]);
  for (const { client } of [...pairs, late]) client.abort();
  late.server.abort();
  await workers.flow();
  assertEquals([workers.kernel.copies, clock.pending], [0, 0]);
});

test("WorkerGroup takes the same strategies as a pool, and refuses a wrong choice (P4)", async () => {
  const { workers } = start({ onSocket: echo });
  const byHost = sticky<WorkerCandidate, WorkerRequest>(({ data }) => data);
  const group = workers.group({ threads: 3, strategy: byHost });
  await workers.flow();
  const threads = new Map<string, Set<number>>();
  const clients: Socket[] = [];
  for (const key of ["a", "b", "a", "c", "b", "a"]) {
    const { client, server } = await workers.connect();
    const assigned = group.assign(server, key);
    await workers.flow();
    threads.set(key, (threads.get(key) ?? new Set()).add((await assigned).thread));
    clients.push(client);
  }
  assertEquals([...threads.values()].map(({ size }) => size), [1, 1, 1]);
  assertEquals(new Set([...threads.values()].flatMap((set) => [...set])).size, 3);
  for (const client of clients) client.abort();
  await group.abort();

  const wrong = workers.group({ strategy: () => ({}) as WorkerCandidate });
  const { client, server } = await workers.connect();
  await workers.flow();
  const error = await rejection(wrong.assign(server));
  assert(error instanceof TypeError);
  assertEquals(await client.read(new Uint8Array(1)).catch(({ code }) => code), "SOCKET_RESET");
  client.abort();
  await wrong.abort();
  assertEquals(workers.kernel.copies, 0);
});

test("WorkerGroup.assign() gives up with its signal, and leaves no listener", async () => {
  const { workers } = start({ onSocket: echo, starts: () => false });
  const group = workers.group({ threads: 1 });
  const { client, server } = await workers.connect();
  const controller = new AbortController();
  const failing = rejection(group.assign(server, 0, { signal: controller.signal }));
  await workers.flow();
  controller.abort(new Error("enough"));
  assertEquals((await failing).message, "enough");
  assertEquals(await client.read(new Uint8Array(1)).catch(({ code }) => code), "SOCKET_RESET");
  client.abort();
  await group.abort();
});

test("WorkerGroup refuses a socket for a script without serveSockets, which comes back", async () => {
  const { workers } = start({ onRequest: () => {} });
  const group = workers.group({ threads: 1 });
  const { client, server } = await workers.connect();
  let returned: Socket | undefined;
  const failing = rejection(
    group.assign(server, 0, { onReturn: (socket) => returned = socket }),
  );
  await workers.flow();
  assertEquals((await failing).code, "HANDOFF_REFUSED");
  assertEquals(returned!.state, "open");
  returned!.abort();
  client.abort();
  await group.abort();
  assertEquals(workers.kernel.copies, 0);
});

test("WorkerGroup checks its options, and says what its transport lacks", async () => {
  const { workers } = start({});
  const refused = (options: object, message: string) =>
    assertThrows(() => workers.group(options), Error, message);
  refused({ script: "./worker.ts" }, 'Cannot use script "./worker.ts": expected a URL');
  refused({ threads: 0 }, 'Cannot use threads "0"');
  refused({ threads: 1.5 }, 'Cannot use threads "1.5"');
  refused({ maxSilenceMs: 0 }, 'Cannot use maxSilenceMs "0"');
  refused({ strategy: 5 }, 'Cannot use strategy "5"');
  assertEquals(workers.lives.length, 0);
  const bare = memoryTransport();
  const none = assertThrows(() => workers.group({ transport: bare }), JackfieldError);
  assertEquals([none.code, none.feature], ["UNSUPPORTED", "WorkerGroup"]);
  const noDescriptors = memoryTransport({ host: { workers } });
  const group = workers.group({ transport: noDescriptors, threads: 1 });
  const { client, server } = await workers.connect();
  const refusal = await rejection(group.assign(server)) as JackfieldError;
  assertEquals([refusal.code, refusal.feature], ["UNSUPPORTED", "handoff to a thread"]);
  assertEquals(server.state, "open");
  assertEquals((await rejection(group.listen())).code, "UNSUPPORTED");
  await rejection(group.assign(server, 0, { timeoutMs: 0 }));
  client.abort();
  server.abort();
  await group.abort();
});
