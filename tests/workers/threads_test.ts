// Real threads and real sockets.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { JackfieldError, Listener, Socket } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { WorkerGroup, type WorkerGroupOptions } from "../../src/workers/mod.ts";
import { runtime, test } from "../harness.ts";
import {
  bytesOf,
  countDescriptors,
  descriptorsBack,
  eventually,
  readAll,
  readExactly,
  rejection,
  textOf,
} from "../transport/tools.ts";
import type { Errand } from "./group_thread_script.ts";

const script = new URL("./group_thread_script.ts", import.meta.url);
const transport = systemTransport();
// What was terminated goes away a turn later.
const options = { sanitize: false };
const moves = {
  ...options,
  skip: runtime === "node" && "Node cannot duplicate a descriptor",
};

function start(more: Partial<WorkerGroupOptions> = {}): { group: WorkerGroup; errors: unknown[] } {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  return { group: new WorkerGroup({ transport, script, threads: 2, onError, ...more }), errors };
}

async function pairOf(listener: Listener): Promise<[near: Socket, far: Socket]> {
  return await Promise.all([transport.connect(listener.address), listener.accept()]);
}

const frame = (bytes: Uint8Array, seen: number): number | undefined => {
  const end = bytes.indexOf(10, seen);
  return end === -1 ? undefined : end + 1;
};

async function echoes(client: Socket, text: string): Promise<void> {
  await client.write(bytesOf(text));
  assertEquals(textOf(await readExactly(client, text.length)), text);
}

test(
  "WorkerGroup moves sockets to threads and back, and leaves no descriptor (P7, P8)",
  moves,
  async () => {
    const { group, errors } = start();
    const listener = await transport.listen({ transferable: true });
    let before: number | undefined;
    for (let round = 0; round < 3; round++) {
      if (round === 1) before = countDescriptors(); // Now the threads have all that they need.
      const pairs = await Promise.all(Array.from({ length: 6 }, () => pairOf(listener)));
      const echo: Errand = { kind: "echo" };
      const bindings = await Promise.all(pairs.map(([, far]) => group.assign(far, echo)));
      assertEquals(group.bindings().length, 6);
      assertEquals(pairs.map(([, far]) => far.state), Array(6).fill("gone"));
      assertEquals(new Set(bindings.map(({ thread }) => thread)).size, 2);
      await Promise.all(pairs.map(([near], index) => echoes(near, `hello ${index}`)));
      // Back, to another thread, and closed there.
      const [near, far] = pairs[0]!;
      const socket = (await group.unbind(far))!;
      assertEquals(socket.remoteAddress, near.localAddress);
      await echoesHere(near, socket);
      const half: Errand = { kind: "half", count: 10 };
      const returned = Promise.withResolvers<Socket>();
      await near.write(bytesOf("0123456789"));
      await group.assign(socket, half, { onReturn: returned.resolve });
      const last = await returned.promise;
      assertEquals(textOf(await readExactly(last, 5)), "56789");
      await last.close();
      assertEquals(await near.read(new Uint8Array(1)), null);
      for (const [client] of pairs) await client.closeWrite().catch(() => {});
      await Promise.all(bindings.map(({ ended }) => ended));
      assertEquals((await bindings[1]!.ended).reason, "closed");
      await Promise.all(pairs.map(([client]) => client.close()));
      assertEquals(group.threads.map(({ load }) => load), [0, 0]);
    }
    await descriptorsBack(before);
    await Promise.all([group.close(), listener.close()]);
    assertEquals(errors, []);
  },
);

async function echoesHere(near: Socket, far: Socket): Promise<void> {
  await near.write(bytesOf("here"));
  assertEquals(textOf(await readExactly(far, 4)), "here");
}

test(
  "WorkerGroup ends the sockets of a thread that dies, and goes on with another one (P7)",
  moves,
  async () => {
    const { group, errors } = start();
    const listener = await transport.listen({ transferable: true });
    for (const [round, kind] of (["crash", "exit"] as const).entries()) {
      await eventually(
        () => round === 0 || group.threads.every(({ isRunning }) => isRunning),
        () => "threads that run",
      );
      const [near, far] = await pairOf(listener);
      const [client, server] = await pairOf(listener);
      const echo = await group.assign(far, { kind: "echo" } satisfies Errand);
      const fatal = await group.assign(server, { kind } satisfies Errand);
      assert(fatal.thread !== echo.thread);
      const end = await fatal.ended;
      assertEquals([end.reason, (end.error as JackfieldError).code], ["lost", "WORKER_LOST"], kind);
      assertEquals(await client.read(new Uint8Array(1)).catch(() => null), null);
      assertEquals(errors.length, round + 1);
      await echoes(near, "the other one goes on");
      await group.unbind(echo).then((socket) => socket!.close());
      await Promise.all([near.close(), client.close()]);
    }
    const [near, far] = await pairOf(listener);
    await group.assign(far, { kind: "echo" } satisfies Errand);
    await echoes(near, "all is well");
    const closing = group.close();
    // It is given back, and nobody takes it.
    assertEquals(await near.read(new Uint8Array(1)), null);
    await Promise.all([closing, near.close(), listener.close()]);
  },
);

test(
  "WorkerGroup leaves no socket half-open in a thread that does not stop (P7)",
  moves,
  async () => {
    const { group, errors } = start({ threads: 1, maxSilenceMs: 900 });
    const listener = await transport.listen({ transferable: true });
    const [near, far] = await pairOf(listener);
    const [client, server] = await pairOf(listener);
    const idle = await group.assign(far, { kind: "echo" } satisfies Errand);
    const busy = await group.assign(server, { kind: "block" } satisfies Errand);
    for (const [binding, peer] of [[idle, near], [busy, client]] as const) {
      assertEquals((await binding.ended).reason, "lost");
      assertEquals(await peer.read(new Uint8Array(1)).catch(() => null), null);
    }
    assertStringIncludes(String(errors[0]), "it has said nothing for 900 ms");
    await Promise.all([near.close(), client.close(), listener.close(), group.abort()]);
  },
);

test("WorkerGroup.serveFramed() answers in order from several threads (P6)", options, async () => {
  const { group, errors } = start();
  const listener = await transport.listen();
  const [near, far] = await pairOf(listener);
  const serving = group.serveFramed(far, { frame, data: { of: "mine" } });
  const words = Array.from({ length: 40 }, (_, index) => `late ${(index * 7) % 20} ${index}\n`);
  await near.write(bytesOf(`data\nsilent\n${words.join("")}`));
  const expected = words.map((_, index) => `${index}\n`).join("");
  const first = '{"of":"mine"}\n';
  assertEquals(textOf(await readExactly(near, first.length)), first);
  assertEquals(textOf(await readExactly(near, expected.length)), expected);
  // Long ones move, and come back whole.
  const long = "x".repeat(300_000);
  void near.write(bytesOf(`echo ${long}\n`));
  assertEquals(textOf(await readExactly(near, long.length + 1)), `${long}\n`);
  await near.write(bytesOf("who\n".repeat(10)));
  await near.closeWrite();
  const who = new Set(textOf(await readAll(near)).trimEnd().split("\n"));
  assertEquals(who.size, 2);
  await serving;
  const [client, server] = await pairOf(listener);
  const failing = rejection(group.serveFramed(server, { frame }));
  await client.write(bytesOf("echo a\ncrash\n"));
  assertEquals((await failing).code, "WORKER_LOST");
  await client.read(new Uint8Array(10)).catch(() => {});
  assertEquals(errors.length, 1);
  await Promise.all([group.close(), client.close(), listener.close()]);
});

test("WorkerGroup.listen() has every thread accept on one port (P7)", options, async () => {
  const { group } = start();
  const address = await group.listen({ port: 0 });
  assertEquals(await rejection(group.listen()).then((error) => error.name), "TypeError");
  const who = new Set<string>();
  for (let count = 0; count < 200 && who.size < 2; count++) {
    const socket = await transport.connect(address);
    who.add(textOf(await readAll(socket)));
    await socket.close();
  }
  assertEquals(who.size, 2);
  assertEquals(group.bindings(), []);
  await group.close();
  const error = await rejection(transport.connect(address)) as JackfieldError;
  assertEquals([error.code, error.reason], ["CONNECT_FAILED", "refused"]);
});

test("WorkerGroup.assign() is UNSUPPORTED in Node, and says what is not (D3, P7)", {
  ...options,
  skip: runtime !== "node" && "threads take sockets here",
}, async () => {
  const { group } = start({ threads: 1 });
  const listener = await transport.listen({ transferable: true });
  const [near, far] = await pairOf(listener);
  const error = await rejection(group.assign(far)) as JackfieldError;
  assertEquals([error.code, error.feature], ["UNSUPPORTED", "handoff to a thread"]);
  assertStringIncludes(error.message, "Node cannot duplicate the descriptor of a socket");
  assertStringIncludes(error.message, "serveFramed and listen do without");
  assertEquals(far.state, "open");
  await Promise.all([near.close(), far.close(), listener.close(), group.close()]);
});

test("WorkerGroup.assign() leaves a socket as it is that cannot be moved", moves, async () => {
  const { group } = start({ threads: 1 });
  const listener = await transport.listen();
  const [near, far] = await pairOf(listener);
  if (runtime === "deno") {
    const error = await rejection(group.assign(far));
    assertEquals([error.code, far.state], ["UNSUPPORTED", "open"]);
    assertStringIncludes(error.message, "transferable");
  }
  const reading = far.read(new Uint8Array(1));
  assertEquals((await rejection(group.assign(far))).code, "SOCKET_BUSY");
  await near.write(bytesOf("x"));
  assertEquals(await reading, 1);
  assert(far.state === "open");
  await Promise.all([near.close(), far.close(), listener.close(), group.abort()]);
});
