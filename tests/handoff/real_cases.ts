// What holds for owners of both kinds, with real threads and processes.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync } from "node:fs";
import {
  type Descriptors,
  HandoffChannel,
  type HandoffChannelOptions,
  type Listener,
  type Owners,
  type Socket,
  type StartedOwner,
} from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { runtime, test } from "../harness.ts";
import {
  bytesOf,
  countDescriptors,
  descriptorsBack,
  eventually,
  fixture,
  pattern,
  readAll,
  readExactly,
  rejection,
  sha256,
  textOf,
} from "../transport/tools.ts";
import { OWNER_URL } from "./ring.ts";

/** Register the cases for one kind. */
export function realCases(kind: "thread" | "process", skip: string | false): void {
  const transport = systemTransport();
  const owners = (): Owners => transport.host[kind === "thread" ? "workers" : "processes"]!;
  const transferable = true;

  /** An owner, the channel to it, and what it says. */
  interface Other {
    readonly owner: StartedOwner;
    readonly channel: HandoffChannel;
    /** The next message that has this field. */
    heard<T>(field: string): Promise<T>;
    /** The next socket that comes back. */
    back(): Promise<Socket>;
  }

  async function startOther(options: HandoffChannelOptions = {}): Promise<Other> {
    const owner = owners().start("a", { url: OWNER_URL });
    const descriptors: Descriptors | undefined = kind === "thread"
      ? await transport.host.descriptors!()
      : undefined;
    const messages: Record<string, unknown>[] = [];
    const sockets: Socket[] = [];
    const channel = new HandoffChannel(owner, {
      descriptors,
      onMessage: (message) => messages.push(message as Record<string, unknown>),
      onSocket: (socket) => sockets.push(socket),
      ...options,
    });
    return {
      owner,
      channel,
      async heard<T>(field: string): Promise<T> {
        const find = () => messages.findIndex((message) => field in message);
        await eventually(() => find() >= 0, () => `"${field}" in ${JSON.stringify(messages)}`);
        return messages.splice(find(), 1)[0]![field] as T;
      },
      async back(): Promise<Socket> {
        await eventually(() => sockets.length > 0, () => "a socket that comes back");
        return sockets.shift()!;
      },
    };
  }

  async function pairOf(listener: Listener): Promise<[near: Socket, far: Socket]> {
    return await Promise.all([transport.connect(listener.address), listener.accept()]);
  }

  const check = (name: string, run: () => Promise<void>, leaveOut: string | false = false) =>
    test(`HandoffChannel ${name}, ${kind}`, {
      skip: skip || leaveOut,
      sanitize: false, // What was terminated goes away a turn later.
    }, run);

  check("moves a socket with what was read, what is being written, and data (D1, D2)", async () => {
    const { owner, channel } = await startOther();
    const listener = await transport.listen({ transferable });
    const [near, far] = await pairOf(listener);
    await near.write(bytesOf("one two "));
    const head = await readExactly(far, 4);
    // More than any buffer takes: it is on its way when the socket goes.
    const down = pattern(6 * 2 ** 20);
    const writing = far.write(down);
    const sent = channel.send(far, { kind: "echo" }, { unread: head });
    assertEquals(far.state, "gone");
    await far.closed;
    assertEquals((await rejection(far.write(bytesOf("x")))).code, "SOCKET_GONE");
    assertEquals((await rejection(far.read(new Uint8Array(1)))).code, "SOCKET_GONE");
    assertEquals(await readExactly(near, down.byteLength), down);
    assertEquals(await writing, down.byteLength);
    await sent;
    await near.write(bytesOf("three"));
    await near.closeWrite();
    assertEquals(textOf(await readAll(near)), "one two three");
    await Promise.all([near.close(), listener.close()]);
    await owner.terminate();
  });

  check("gets a socket back, and messages both ways", async () => {
    const { owner, channel, heard, back } = await startOther();
    const listener = await transport.listen({ transferable });
    const [near, far] = await pairOf(listener);
    await near.write(bytesOf("kept"));
    await channel.send(far, { kind: "back" });
    const again = await back();
    assertEquals(again.remoteAddress, near.localAddress);
    assertEquals(textOf(await readExactly(again, 4)), "kept");
    channel.post({ say: "ping" });
    assertEquals(await heard("pong"), true);
    await Promise.all([near.close(), again.close(), listener.close()]);
    await owner.terminate();
  });

  check("gives a refused socket back, or aborts it", async () => {
    const { owner, channel, heard } = await startOther();
    const listener = await transport.listen({ transferable });
    channel.post({ act: "close" });
    channel.post({ say: "ping" });
    await heard("pong");
    const [near, far] = await pairOf(listener);
    await near.write(bytesOf("early "));
    let returned: Socket | undefined;
    const error = await rejection(
      channel.send(far, { kind: "echo" }, { onReturn: (socket) => returned = socket }),
    );
    assertEquals(error.code, "HANDOFF_REFUSED");
    await near.write(bytesOf("late"));
    assertEquals(textOf(await readExactly(returned!, 10)), "early late");
    await returned!.write(bytesOf("answer"));
    assertEquals(textOf(await readExactly(near, 6)), "answer");
    const [other, gone] = await pairOf(listener);
    assertEquals((await rejection(channel.send(gone, {}))).code, "HANDOFF_REFUSED");
    const end = await other.read(new Uint8Array(1)).catch(() => null);
    assertEquals(end, null);
    await Promise.all([near.close(), returned!.close(), other.close(), listener.close()]);
    await owner.terminate();
  });

  check("keeps a socket half-closed, whichever half is over", async () => {
    const { owner, channel, heard } = await startOther();
    const listener = await transport.listen({ transferable });
    const [near, far] = await pairOf(listener);
    await near.write(bytesOf("before the end"));
    await near.closeWrite();
    assertEquals(textOf(await readExactly(far, 14)), "before the end");
    assertEquals(await far.read(new Uint8Array(1)), null);
    await channel.send(far, { kind: "answer", text: "after it" });
    assertEquals(textOf(await readAll(near)), "after it");
    const [client, server] = await pairOf(listener);
    await server.closeWrite();
    await channel.send(server, { kind: "collect" });
    assertEquals(await client.read(new Uint8Array(1)), null);
    await client.write(bytesOf("to the end"));
    await client.closeWrite();
    assertEquals(textOf(await heard("collected")), "to the end");
    await Promise.all([near.close(), client.close(), listener.close()]);
    await owner.terminate();
  });

  check("moves an end of the stream that nobody has read", async () => {
    const { owner, channel, heard } = await startOther();
    const listener = await transport.listen({ transferable });
    const [near, far] = await pairOf(listener);
    await near.write(bytesOf("all"));
    await near.closeWrite();
    if (runtime !== "deno") await eventually(() => far.hasUnread, () => "something unread");
    await channel.send(far, { kind: "collect" });
    assertEquals(textOf(await heard("collected")), "all");
    await Promise.all([near.close(), listener.close()]);
    await owner.terminate();
  });

  check("moves what the runtime has read ahead of the program", async () => {
    const { owner, channel, heard } = await startOther();
    const listener = await transport.listen({ transferable });
    const up = pattern(400_000, 9);
    for (let round = 0; round < 10; round++) {
      const [near, far] = await pairOf(listener);
      const writing = near.write(up).then(() => near.closeWrite());
      // The read ends within the runtime's callback, and what it holds besides must go along.
      const head = await readExactly(far, 1 + round * 1000);
      const sent = channel.send(far, { kind: "collect" }, { unread: head });
      await Promise.all([writing, sent]);
      assertEquals(sha256(await heard("collected")), sha256(up));
      await near.close();
    }
    await listener.close();
    await owner.terminate();
  });

  check("leaves a socket as it is that cannot be moved", async () => {
    const { owner, channel } = await startOther();
    const listener = await transport.listen({ transferable });
    const [near, far] = await pairOf(listener);
    const reading = far.read(new Uint8Array(1));
    assertEquals((await rejection(channel.send(far))).code, "SOCKET_BUSY");
    await near.write(bytesOf("x"));
    assertEquals(await reading, 1);
    const wrong = await rejection(channel.send(far, 0, { timeoutMs: 0 }));
    assert(wrong instanceof RangeError);
    const aborted = AbortSignal.abort(new Error("enough"));
    assertEquals((await rejection(channel.send(far, 0, { signal: aborted }))).message, "enough");
    assertEquals(far.state, "open");
    void channel.close();
    assertEquals((await rejection(channel.send(far))).code, "HANDOFF_CLOSED");
    await far.write(bytesOf("alive"));
    assertEquals(textOf(await readExactly(near, 5)), "alive");
    await Promise.all([near.close(), far.close(), listener.close()]);
    await owner.terminate();
  });

  check("refuses a socket that was not made for it", async () => {
    const { owner, channel } = await startOther();
    const listener = await transport.listen();
    const [near, far] = await pairOf(listener);
    const error = await rejection(channel.send(far));
    assertEquals([error.code, far.state], ["UNSUPPORTED", "open"]);
    assertStringIncludes(error.message, "transferable");
    await far.write(bytesOf("alive"));
    assertEquals(textOf(await readExactly(near, 5)), "alive");
    await Promise.all([near.close(), far.close(), listener.close()]);
    await owner.terminate();
  }, (runtime === "node" || (runtime === "bun" && kind === "thread")) && "all sockets are fit");

  check("refuses a TLS socket, which goes on", async () => {
    const { owner, channel } = await startOther();
    const listener = await transport.listen({
      tls: { cert: fixture("tls/server.pem"), key: fixture("tls/server.key") },
    });
    const caCerts = [fixture("tls/ca.pem")];
    const [near, far] = await Promise.all([
      transport.connect({ ...listener.address, tls: { caCerts } }),
      listener.accept(),
    ]);
    const error = await rejection(channel.send(far));
    assertEquals([error.code, far.state], ["UNSUPPORTED", "open"]);
    assertStringIncludes(error.message, "TLS");
    await far.write(bytesOf("alive"));
    assertEquals(textOf(await readExactly(near, 5)), "alive");
    await Promise.all([near.close(), far.close(), listener.close()]);
    await owner.terminate();
  });

  check("gives a socket back whose data cannot be cloned", async () => {
    const { owner, channel } = await startOther();
    const listener = await transport.listen({ transferable });
    for (const early of [true, false]) {
      if (!early) await channel.send((await pairOf(listener))[1], { kind: "keep" });
      const [near, far] = await pairOf(listener);
      await near.write(bytesOf("still here"));
      let returned: Socket | undefined;
      const error = await rejection(
        channel.send(far, () => {}, { onReturn: (socket) => returned = socket }),
      );
      assert(/clone/i.test(`${error.name} ${error.message}`), String(error));
      assertEquals(textOf(await readExactly(returned!, 10)), "still here");
      await Promise.all([near.close(), returned!.close()]);
    }
    await listener.close();
    await owner.terminate();
  });

  check("moves Unix sockets", async () => {
    const { owner, channel } = await startOther();
    const listener = await transport.listen({
      path: `\0jackfield-test-${kind}-${runtime}-${performance.now()}`,
      transferable,
    });
    const [near, far] = await Promise.all([
      transport.connect({ path: listener.address.path! }),
      listener.accept(),
    ]);
    await near.write(bytesOf("over "));
    await channel.send(far, { kind: "echo" });
    await near.write(bytesOf("a path"));
    await near.closeWrite();
    assertEquals(textOf(await readAll(near)), "over a path");
    await Promise.all([near.close(), listener.close()]);
    await owner.terminate();
  });

  check("says how the other end died, and gives back what it did not have (D3)", async () => {
    const before = countDescriptors();
    const { owner, channel, heard } = await startOther();
    const listener = await transport.listen({ transferable });
    const [near, far] = await pairOf(listener);
    await channel.send(far, { kind: "keep" });
    assertEquals(await heard("kept"), 1);
    // It does not answer any more; then it dies.
    channel.post({ act: "block" });
    const [client, server] = await pairOf(listener);
    let returned: Socket | undefined;
    const sending = rejection(
      channel.send(server, { kind: "echo" }, { onReturn: (socket) => returned = socket }),
    );
    const end = await owner.terminate();
    assertEquals(end.reason, "terminated");
    assertEquals(await channel.ended, end);
    assertEquals((await sending).code, "HANDOFF_CLOSED");
    await returned!.write(bytesOf("mine again"));
    assertEquals(textOf(await readExactly(client, 10)), "mine again");
    // The system has closed what it kept.
    assertEquals(await near.read(new Uint8Array(1)).catch(() => null), null);
    assertEquals((await rejection(channel.send(returned!))).code, "HANDOFF_CLOSED");
    assertEquals(returned!.state, "open");
    await Promise.all([near.close(), client.close(), returned!.close(), listener.close()]);
    await descriptorsBack(before);
  });

  check("keeps its deadline with an owner that does not answer", async () => {
    const { owner, channel, heard } = await startOther();
    const listener = await transport.listen({ transferable });
    channel.post({ say: "ping" });
    await heard("pong");
    channel.post({ act: "block" });
    const [near, far] = await pairOf(listener);
    let returned: Socket | undefined;
    const began = performance.now();
    const error = await rejection(channel.send(far, { kind: "echo" }, {
      timeoutMs: 200,
      onReturn: (socket) => returned = socket,
    }));
    assertEquals(error.code, "HANDOFF_TIMEOUT");
    assert(performance.now() - began < 2000);
    if (kind === "thread") {
      await returned!.write(bytesOf("mine"));
      assertEquals(textOf(await readExactly(near, 4)), "mine");
      await returned!.close();
    } else {
      // Nobody can tell whether it has it: the connection is cut.
      assertEquals(returned, undefined);
      assertEquals(await near.read(new Uint8Array(1)).catch(() => null), null);
    }
    await owner.terminate();
    await Promise.all([near.close(), listener.close()]);
  });

  check(
    "keeps its deadline with a peer that reads nothing, and goes on with what it wrote",
    async () => {
      const { owner, channel } = await startOther();
      const listener = await transport.listen({ transferable });
      const [near, far] = await pairOf(listener);
      const down = pattern(8 * 2 ** 20, 5);
      const writing = far.write(down);
      let returned: Socket | undefined;
      const error = await rejection(channel.send(far, { kind: "echo" }, {
        timeoutMs: 100,
        onReturn: (socket) => returned = socket,
      }));
      assertEquals(error.code, "HANDOFF_TIMEOUT");
      assertStringIncludes(error.message, "sending what was written");
      const more = returned!.write(bytesOf("and more"));
      assertEquals(returned!.isBusy, true);
      assertEquals(await readExactly(near, down.byteLength), down);
      assertEquals(textOf(await readExactly(near, 8)), "and more");
      assertEquals([await writing, await more], [down.byteLength, 8]);
      await Promise.all([near.close(), returned!.close(), listener.close()]);
      await owner.terminate();
    },
  );

  check("moves many at once, there and back, and leaks nothing (D7)", async () => {
    const { owner, channel, heard, back } = await startOther({ maxInFlight: 16 });
    const listener = await transport.listen({ transferable });
    // The first ones make the runtime open what it keeps.
    for (let round = 0; round < 3; round++) {
      const before = countDescriptors();
      channel.post({ say: "descriptors" });
      const otherBefore = await heard<number>("descriptors");
      const clients: Socket[] = [];
      const sends: Promise<void>[] = [];
      for (let count = 0; count < 60; count++) {
        const [near, far] = await pairOf(listener);
        clients.push(near);
        await near.write(bytesOf(`client ${count}`));
        sends.push(channel.send(far, { kind: "back" }));
      }
      const returned: Socket[] = [];
      while (returned.length < clients.length) returned.push(await back());
      await Promise.all(sends);
      const said = await Promise.all(returned.map(async (socket) => {
        const into = new Uint8Array(20);
        return textOf(into.subarray(0, await socket.read(into) ?? 0));
      }));
      assertEquals(new Set(said).size, clients.length);
      await Promise.all([...clients, ...returned].map((socket) => socket.close()));
      if (round === 0) continue;
      await descriptorsBack(before);
      let now = Infinity;
      for (let look = 0; look < 50 && now > otherBefore; look++) {
        channel.post({ say: "descriptors" });
        now = await heard<number>("descriptors");
      }
      // Deno opens two more for itself at some time.
      assert(now <= otherBefore + 2, `${now} descriptors at the other end, ${otherBefore} before`);
    }
    assertEquals(channel.inFlight, 0);
    await listener.close();
    await owner.terminate();
  });

  check("leaks nothing when the other end dies in the middle", async () => {
    const listener = await transport.listen({ transferable });
    let before: number | undefined;
    for (let round = 0; round < 6; round++) {
      const { owner, channel, heard } = await startOther();
      channel.post({ say: "ping" });
      await heard("pong");
      const pairs = await Promise.all([1, 2, 3, 4, 5, 6].map(() => pairOf(listener)));
      const returned: Socket[] = [];
      const sends = pairs.map(([, far], index) =>
        channel.send(far, { kind: index % 2 === 0 ? "back" : "keep" }, {
          onReturn: (socket) => returned.push(socket),
        }).catch(() => {})
      );
      for (let turns = 0; turns < round; turns++) await new Promise((done) => setTimeout(done, 0));
      await owner.terminate();
      await Promise.all(sends);
      await Promise.all([...pairs.map(([near]) => near), ...returned].map((socket) => {
        return socket.close();
      }));
      if (round === 0) before = countDescriptors();
    }
    // What came back before the end was nobody's: the test did not listen.
    await listener.close();
    if (before !== undefined) await descriptorsBack(before + 18);
  });

  check("tells the ends of its owners apart, and leaves no zombie", async () => {
    for (const [act, reason] of [["exit", "exited"], ["fail", "failed"]] as const) {
      const { owner, channel, heard } = await startOther();
      channel.post({ say: "pid" });
      const pid = await heard<number>("pid");
      channel.post({ act });
      assertEquals((await owner.ended).reason, reason, act);
      if (kind === "process") assertEquals(existsSync(`/proc/${pid}`), false);
    }
    const missing = owners().start("b", { url: new URL("no_such_script.ts", OWNER_URL) });
    const end = await missing.ended;
    assertEquals(end.reason, "failed");
    const channel = new HandoffChannel(missing, {
      descriptors: kind === "thread" ? await transport.host.descriptors!() : undefined,
    });
    await channel.ended;
    const listener = await transport.listen({ transferable });
    const [near, far] = await pairOf(listener);
    assertEquals((await rejection(channel.send(far))).code, "HANDOFF_CLOSED");
    await Promise.all([near.close(), far.close(), listener.close()]);
  });
}
