// Faults that a script names: what each of them does to both ends of a connection.
import { assertEquals, assertThrows } from "@std/assert";
import type { JackfieldError, Listener, Socket } from "../../../src/core.ts";
import {
  type MemoryFault,
  type MemoryTransport,
  memoryTransport,
  recordedFaults,
  type ScriptedFault,
  scriptedFaults,
  seededFaults,
  seededRandom,
  VirtualClock,
} from "../../../src/testing/mod.ts";
import { test } from "../../harness.ts";
import {
  bytesOf,
  pattern,
  readAll,
  readExactly,
  rejection,
  textOf,
} from "../../transport/tools.ts";

/** A connection in a network with a script. */
interface Scene {
  readonly clock: VirtualClock;
  readonly network: MemoryTransport;
  readonly listener: Listener;
  readonly near: Socket;
  readonly far: Socket;
}

/** The first of its kind goes wrong. */
function first(operation: ScriptedFault["operation"], fault: MemoryFault): ScriptedFault {
  return { operation, number: 0, fault };
}

/** Connect, run a test, and see that nothing is left. */
async function withScript(
  script: readonly ScriptedFault[],
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const network = memoryTransport({ clock, faults: scriptedFaults(script) });
  const listener = await network.listen();
  const [near, far] = await Promise.all([network.connect(listener.address), listener.accept()]);
  await run({ clock, network, listener, near, far });
  near.abort();
  far.abort();
  await listener.close();
  assertEquals([network.openEnds, clock.pending], [0, 0]);
}

test("scriptedFaults() lets a connection be reset after so many bytes that who connected gets", () =>
  withScript([first("connect", { kind: "reset", afterBytes: 5 })], async ({ near, far }) => {
    await near.write(bytesOf("a question of any length"));
    assertEquals(textOf(await readExactly(far, 24)), "a question of any length");
    const writing = rejection(far.write(bytesOf("an answer")));
    assertEquals(textOf(await readExactly(near, 5)), "an an");
    assertEquals((await rejection(near.read(new Uint8Array(1)))).code, "SOCKET_RESET");
    assertEquals((await writing).code, "SOCKET_RESET");
  }));

test("scriptedFaults() lets who accepts see the end after so many bytes, and answer", () =>
  withScript([first("accept", { kind: "end", afterBytes: 3 })], async ({ near, far }) => {
    await near.write(bytesOf("question"));
    assertEquals(textOf(await readAll(far)), "que");
    await near.write(bytesOf(" that is lost"));
    await far.write(bytesOf("answer"));
    await far.closeWrite();
    assertEquals(textOf(await readAll(near)), "answer");
  }));

test("scriptedFaults() lets a reset be seen in both directions, by who reads and who writes", () =>
  withScript([first("connect", { kind: "reset", afterBytes: 0 })], async ({ near, far }) => {
    assertEquals((await rejection(far.read(new Uint8Array(1)))).code, "SOCKET_RESET");
    assertEquals((await rejection(near.write(bytesOf("x")))).code, "SOCKET_RESET");
  }));

test("scriptedFaults() lets a connection end before the first byte", () =>
  withScript([first("connect", { kind: "end", afterBytes: 0 })], async ({ near }) => {
    assertEquals(await near.read(new Uint8Array(1)), null);
  }));

test("scriptedFaults() lets reads and writes be short, and nothing is lost", () =>
  withScript([
    first("write", { kind: "short", maxBytes: 1 }),
    first("read", { kind: "short", maxBytes: 2 }),
  ], async ({ near, far }) => {
    const bytes = pattern(100);
    assertEquals(await near.writeSome(bytes), 1);
    assertEquals(await near.write(bytes.subarray(1)), 99);
    const buffer = new Uint8Array(200);
    const counts = [await far.read(buffer), await far.read(buffer.subarray(2))];
    assertEquals([counts, buffer.subarray(0, 100)], [[2, 98], bytes]);
  }));

test("scriptedFaults() lets reads and writes hang until the socket ends", () =>
  withScript([
    first("read", { kind: "hang" }),
    first("write", { kind: "hang" }),
  ], async ({ clock, near, far }) => {
    const reading = rejection(near.read(new Uint8Array(1)));
    const writing = rejection(far.write(bytesOf("x")));
    await clock.advance(1_000_000);
    const reason = new Error("enough");
    near.abort(reason);
    far.abort(reason);
    assertEquals([await reading, await writing], [reason, reason] as unknown[]);
  }));

test("scriptedFaults() lets a connect hang until its time is over", async () => {
  const clock = new VirtualClock();
  const network = memoryTransport({
    clock,
    faults: scriptedFaults([first("connect", { kind: "hang" })]),
  });
  const listener = await network.listen();
  const connecting = rejection(network.connect(listener.address, { timeoutMs: 500 }));
  await clock.advance(500);
  assertEquals((await connecting).code, "CONNECT_TIMEOUT");
  assertEquals([network.openEnds, clock.pending], [0, 0]);
  await listener.close();
});

test("scriptedFaults() lets an accept lose its connection, and the listener tells and goes on", async () => {
  const errors: unknown[] = [];
  const network = memoryTransport({ faults: scriptedFaults([first("accept", { kind: "fail" })]) });
  const listener = await network.listen({ onError: (error) => errors.push(error) });
  const accepting = listener.accept();
  const lost = await network.connect(listener.address);
  assertEquals((await rejection(lost.read(new Uint8Array(1)))).code, "SOCKET_RESET");
  const near = await network.connect(listener.address);
  const far = await accepting;
  assertEquals(far.remoteAddress, near.localAddress);
  assertEquals(errors.map((error) => (error as JackfieldError).code as string), ["ECONNABORTED"]);
  for (const socket of [lost, near, far]) socket.abort();
  await listener.close();
  assertEquals(network.openEnds, 0);
});

test("scriptedFaults() lets accepts come late or never, and close ends what nobody accepted", async () => {
  const clock = new VirtualClock();
  const faults = scriptedFaults([
    { operation: "accept", number: 0, fault: { kind: "delay", delayMs: 50 } },
    { operation: "accept", number: 1, fault: { kind: "hang" } },
    { operation: "accept", number: 2, fault: { kind: "delay", delayMs: 1e9 } },
  ]);
  const network = memoryTransport({ clock, faults });
  const listener = await network.listen();
  const accepting = listener.accept();
  const late = await network.connect(listener.address);
  const others = [await network.connect(listener.address), await network.connect(listener.address)];
  await clock.advance(49);
  assertEquals(await Promise.race([accepting, "nobody"]), "nobody");
  await clock.advance(1);
  assertEquals((await accepting).remoteAddress, late.localAddress);
  await listener.close();
  assertEquals((await accepting).state, "open");
  for (const other of others) {
    assertEquals((await rejection(other.read(new Uint8Array(1)))).code, "SOCKET_RESET");
  }
  late.abort();
  (await accepting).abort();
  assertEquals([network.openEnds, clock.pending], [0, 0]);
});

test("memoryTransport() refuses faults that do not fit the operation, and names them", () =>
  withScript([
    first("read", { kind: "end", afterBytes: 1 }),
    first("write", { kind: "reset", afterBytes: 1 }),
  ], async ({ near, far }) => {
    const reading = await rejection(near.read(new Uint8Array(1)));
    assertEquals(
      (reading.cause as Error).message,
      'Cannot use fault "end" for read: expected one of fail, delay, hang, short',
    );
    const writing = await rejection(far.write(bytesOf("x")));
    assertEquals((writing.cause as Error).name, "TypeError");
  }));

/** Two messages through a network with these faults; what both sides saw. */
async function conversation(faults: ReturnType<typeof seededFaults>): Promise<string[]> {
  const clock = new VirtualClock();
  const network = memoryTransport({ clock, faults });
  const listener = await network.listen();
  const seen: string[] = [];
  const note = (who: string) => (what: unknown) =>
    void seen.push(`${clock.now()} ${who} ${(what as JackfieldError)?.code ?? what}`);
  const serving = (async () => {
    const socket = await listener.accept();
    const buffer = new Uint8Array(8);
    for (let turn = 0; turn < 20; turn++) {
      const count = await socket.read(buffer);
      note("server")(count);
      if (count === null) break;
      await socket.write(buffer.subarray(0, count));
    }
    await socket.close();
  })().catch(note("server"));
  const asking = (async () => {
    const socket = await network.connect(listener.address);
    for (let turn = 0; turn < 10; turn++) {
      await socket.write(bytesOf("message"));
      note("client")(await socket.read(new Uint8Array(8)));
    }
    await socket.close();
  })().catch(note("client"));
  const both = Promise.all([asking, serving]);
  for (let turn = 0; turn < 40; turn++) await clock.advance(100);
  await listener.close();
  await Promise.race([both, clock.settle()]);
  return seen;
}

test("recordedFaults() keeps what happened as data, and the script makes it happen again", async () => {
  const probabilities = { delay: 0.2, short: 0.3, reset: 0.3, end: 0.3, read: 0.05, maxBytes: 30 };
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 30; seed++) {
    const recorded = recordedFaults(seededFaults({ seed, ...probabilities }));
    const seen = await conversation(recorded.faults);
    for (const { fault } of recorded.script) kinds.add(fault.kind);
    const kept = JSON.parse(JSON.stringify(recorded.script)) as ScriptedFault[];
    assertEquals(await conversation(scriptedFaults(kept)), seen, `seed ${seed}`);
  }
  assertEquals([...kinds].sort(), ["delay", "end", "fail", "reset", "short"]);
});

test("seededFaults() draws nothing for what is not asked for, so that old seeds stay what they were", () => {
  const random = seededRandom(3);
  const faults = seededFaults({ seed: 3, read: 0.3, delay: 0.3, maxDelayMs: 8 });
  for (let times = 0; times < 50; times++) {
    const expected = random() < 0.3
      ? { kind: "fail" }
      : random() < 0.3
      ? { kind: "delay", delayMs: random() * 8 }
      : undefined;
    assertEquals(faults("read"), expected as MemoryFault | undefined);
  }
});

test("seededFaults() names bad probabilities and sizes", () => {
  for (const name of ["accept", "hang", "short", "reset", "end"]) {
    assertThrows(() => seededFaults({ seed: 1, [name]: 2 }), RangeError, `${name} "2"`);
  }
  assertThrows(() => seededFaults({ seed: 1, maxBytes: 0 }), RangeError, 'maxBytes "0"');
});
