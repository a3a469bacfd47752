// Sockets are assigned, wanted back and let go while threads die and are replaced: whatever happens, a
// socket is with one thread, or here, or over, and what its client sends comes back whole.
import { assert, assertEquals } from "@std/assert";
import { isJackfieldError, type Socket } from "../../src/core.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import type { Binding, BindingEnd } from "../../src/workers/mod.ts";
import { test } from "../harness.ts";
import { type Dice, withSeeds } from "../support/seeds.ts";
import { FakeWorkers } from "./fake_workers.ts";

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
const STEPS = 120;
const SOCKETS = 5;

/** What the model knows of a connection. */
interface Tracked {
  readonly client: Socket;
  /** Where it is, as far as a program can know. */
  place:
    | { readonly at: "here"; readonly socket: Socket }
    | { readonly at: "moving" }
    | { readonly at: "bound"; readonly binding: Binding }
    | { readonly at: "over" };
  sent: number;
  echoed: number;
}

function numbered(from: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => (from + index) % 251);
}

async function run(dice: Dice): Promise<void> {
  const clock = new VirtualClock();
  const moods = new Map<number, "close" | "throw" | "deaf">();
  const workers = new FakeWorkers(clock, {
    mayHoldOn: dice.random() < 0.5,
    starts: () => dice.random() < 0.8,
    async onSocket(socket, { data, ready }) {
      const buffer = new Uint8Array(30);
      while (await ready()) {
        const mood = moods.get(data as number);
        moods.delete(data as number);
        if (mood === "close") return;
        if (mood === "throw") throw new Error("on purpose");
        if (mood === "deaf") return await new Promise<void>(() => {});
        const count = await socket.read(buffer);
        if (count === null) return;
        await socket.write(buffer.subarray(0, count));
      }
      return socket;
    },
  });
  const group = workers.group({ threads: 3, maxSilenceMs: 900, random: dice.random });
  const all: Tracked[] = [];
  for (let id = 0; id < SOCKETS; id++) {
    const { client, server } = await workers.connect();
    all.push({ client, place: { at: "here", socket: server }, sent: 0, echoed: 0 });
  }
  const trace: string[] = [];

  const here = (connection: Tracked, socket: Socket): void => {
    assert(connection.place.at !== "here", "it comes back twice");
    connection.place = { at: "here", socket };
  };
  const ended = (connection: Tracked, binding: Binding, { reason }: BindingEnd): void => {
    assert(binding.state === "ended");
    trace.push(`${binding.data} ${reason}`);
    if (reason === "returned") return; // `onReturn` or `unbind` has it.
    if (connection.place.at === "bound") connection.place = { at: "over" };
  };
  const assign = (connection: Tracked, id: number, socket: Socket): void => {
    connection.place = { at: "moving" };
    const options = {
      timeoutMs: 1 + dice.below(2000),
      onReturn: (returned: Socket) => here(connection, returned),
    };
    group.assign(socket, id, options).then(
      (binding) => {
        if (connection.place.at === "moving") connection.place = { at: "bound", binding };
        void binding.ended.then((end) => ended(connection, binding, end));
      },
      (error) => {
        trace.push(`${id}: ${error.message}`);
        assert("code" in error, String(error.stack));
        if (connection.place.at === "moving") connection.place = { at: "over" };
      },
    );
  };
  const unbind = (connection: Tracked, binding: Binding): void => {
    group.unbind(binding, { timeoutMs: 200 + dice.below(800) }).then(
      (socket) => {
        // The one that asked first has it; all get the same.
        if (socket === undefined) assert(connection.place.at !== "here");
        else if (connection.place.at !== "here") here(connection, socket);
      },
      (error) => {
        const codes = ["WORKER_TIMEOUT", "WORKER_LOST", "WORKER_FAILED", "WORKER_CLOSED"] as const;
        assert(codes.some((code) => isJackfieldError(error, code)), String(error));
      },
    );
  };

  const acts: Readonly<Record<string, () => void | Promise<void>>> = {
    assign() {
      const id = dice.below(SOCKETS);
      const connection = all[id]!;
      const { place } = connection;
      if (place.at === "here") assign(connection, id, place.socket);
    },
    unbind() {
      const connection = dice.oneOf(all);
      if (connection.place.at === "bound") unbind(connection, connection.place.binding);
    },
    async ["the client writes"]() {
      const connection = dice.oneOf(all);
      const count = 1 + dice.below(40);
      const bytes = numbered(connection.sent, count);
      const wrote = await connection.client.write(bytes).catch(() => 0);
      connection.sent += wrote;
    },
    ["the handler will end"]() {
      if (dice.random() < 0.5) return;
      moods.set(dice.below(SOCKETS), dice.oneOf(["close", "throw", "deaf"] as const));
    },
    async arrive() {
      const { near, far, isStuck, endTurn } = dice.oneOf(workers.lives);
      if (dice.random() < 0.5) endTurn();
      if (dice.random() < 0.5 || isStuck) near.step();
      else far.step();
      await clock.settle();
    },
    flow: () => workers.flow(),
    ["time passes"]: () => clock.advance(dice.below(150)),
    ["a thread dies"]() {
      if (dice.random() < 0.3) dice.oneOf(workers.lives).die({ reason: "failed" });
    },
    ["a thread is stuck"]() {
      if (dice.random() < 0.1) dice.oneOf(workers.lives).isStuck = true;
    },
  };
  const drain = async () => {
    for (const connection of all) {
      while (connection.client.hasUnread) {
        const into = new Uint8Array(64);
        const count = await connection.client.read(into).catch(() => null);
        if (count === null) break;
        assertEquals(into.subarray(0, count), numbered(connection.echoed, count));
        connection.echoed += count;
      }
    }
  };
  const look = () => {
    const bound = group.bindings();
    assertEquals(new Set(bound.map(({ id }) => id)).size, bound.length, "bound twice");
    for (const { load, bindings } of group.threads) assertEquals(load, bindings);
    for (const { place } of all) {
      if (place.at !== "bound" || place.binding.state === "ended") continue;
      assert(bound.includes(place.binding), "a binding is not listed");
    }
  };
  await workers.flow();
  for (let step = 0; step < STEPS; step++) {
    const name = dice.oneOf(Object.keys(acts));
    trace.push(name);
    await acts[name]!();
    look();
    if (dice.random() < 0.3) await drain();
  }
  // Everything that can be had comes back; what nobody owns is over.
  moods.clear();
  for (let ms = 0; ms < 4000; ms += 100) await workers.pass(100);
  for (const connection of all) {
    if (connection.place.at === "bound") unbind(connection, connection.place.binding);
  }
  for (let ms = 0; ms < 1500; ms += 100) await workers.pass(100);
  await drain();
  let alive = 0;
  for (const [id, { client, place, sent, echoed }] of all.entries()) {
    assert(place.at === "here" || place.at === "over", `${id} is ${place.at}: ${trace.join("; ")}`);
    if (place.at === "over") {
      assert(await client.read(new Uint8Array(1)).then((count) => count === null, () => true));
      continue;
    }
    alive++;
    // What no thread has read is still there.
    let at = echoed;
    while (at < sent) {
      const into = new Uint8Array(64);
      const count = await place.socket.read(into);
      assert(count !== null);
      assertEquals(into.subarray(0, count), numbered(at, count));
      at += count;
    }
    assertEquals(at, sent);
  }
  assertEquals(workers.kernel.copies, alive, trace.join("; "));
  const closing = group.close({ timeoutMs: 1000 });
  await workers.pass(1000);
  await closing;
  for (const { client, place } of all) {
    client.abort();
    if (place.at === "here") place.socket.abort();
  }
  await clock.settle();
  assertEquals([workers.kernel.copies, clock.pending], [0, 0]);
}

test("WorkerGroup leaves every socket with one thread, here, or over, whatever goes wrong (P7)", async () => {
  await withSeeds(SEEDS, run);
});
