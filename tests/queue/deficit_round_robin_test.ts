import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { type ByteFlow, DeficitRoundRobin } from "../../src/queue/mod.ts";
import { test } from "../harness.ts";
import { type Dice, withSeeds } from "../support/seeds.ts";
import { type ModelFlow, RoundRobinModel } from "./round_robin_model.ts";

const QUANTUM = 262_144;

/** So many turns, each used wholly; whose they were. */
function serve<T>(flows: DeficitRoundRobin<T>, turns: number): T[] {
  const served: T[] = [];
  for (let i = 0; i < turns; i++) {
    const turn = flows.next();
    if (turn === undefined) break;
    served.push(turn.flow.value);
    flows.sent(turn.flow, turn.bytes);
  }
  return served;
}

test("DeficitRoundRobin.next() is undefined when there is no flow", () => {
  const flows = new DeficitRoundRobin<string>();
  assertEquals([flows.next(), flows.peek(), flows.size, flows.clients], [
    undefined,
    undefined,
    0,
    0,
  ]);
});

test("DeficitRoundRobin gives one flow a quantum after the other", () => {
  const flows = new DeficitRoundRobin<string>();
  const flow = flows.add("a", { client: "c", priority: 3 });
  assertEquals([flow.value, flow.client.name, flow.priority, flow.sentBytes], ["a", "c", 3, 0]);
  for (let i = 1; i <= 5; i++) {
    assertEquals(flows.peek(), flow);
    const turn = flows.next()!;
    assertEquals([turn.flow, turn.bytes], [flow, QUANTUM]);
    assertEquals(flows.next(), undefined, "a flow has one turn at a time");
    flows.sent(flow, turn.bytes);
    assertEquals([flow.sentBytes, flow.client.sentBytes], [i * QUANTUM, i * QUANTUM]);
  }
});

test("DeficitRoundRobin gives a client with one flow as much as one with forty", () => {
  const flows = new DeficitRoundRobin<string>();
  for (let i = 0; i < 40; i++) flows.add(`many ${i}`, { client: "many" });
  flows.add("one", { client: "one" });
  const served = serve(flows, 80);
  assertEquals(served.filter((name) => name === "one").length, 40);
  assertEquals(new Set(served).size, 41, "each of the forty had one turn");
});

test("DeficitRoundRobin shares by weight: whole turns, and what is over counts", () => {
  const weights: Record<string, number> = { heavy: 2.5, even: 1, light: 0.25 };
  const flows = new DeficitRoundRobin<string>({ weightOf: (name) => weights[name]! });
  const sizes = new Set<number>();
  const own = Object.keys(weights).map((client) => flows.add(client, { client }));
  for (let i = 0; i < 4000; i++) {
    const { flow, bytes } = flows.next()!;
    sizes.add(bytes);
    flows.sent(flow, bytes);
  }
  assertEquals([...sizes].sort((a, b) => a - b), [QUANTUM / 4, QUANTUM]);
  const [heavy, even, light] = own.map(({ sentBytes }) => sentBytes);
  assert(Math.abs(heavy! / even! - 2.5) < 0.01, `${heavy! / even!}`);
  assert(Math.abs(even! / light! - 4) < 0.01, `${even! / light!}`);
});

test("DeficitRoundRobin shares bytes and not turns", () => {
  const flows = new DeficitRoundRobin<string>();
  const small = flows.add("small", { client: "a" });
  const big = flows.add("big", { client: "b" });
  const sibling = flows.add("sibling of small", { client: "a" });
  for (let i = 0; i < 100_000; i++) {
    const { flow, bytes } = flows.next()!;
    flows.sent(flow, flow === small ? Math.min(bytes, 1000) : bytes);
  }
  const all = big.sentBytes;
  assert(Math.abs(small.client.sentBytes / all - 1) < 0.01, "between clients");
  assert(Math.abs(small.sentBytes / sibling.sentBytes - 1) < 0.01, "between flows");
});

test("DeficitRoundRobin.next() gives no more than maxBytes, and the rest of the share later", () => {
  const flows = new DeficitRoundRobin<string>();
  const [a, b] = ["a", "b"].map((client) => flows.add(client, { client }));
  for (let i = 0; i < 1000; i++) {
    const { flow, bytes } = flows.next(flows.peek() === a ? 10_000.9 : undefined)!;
    assertEquals(bytes, flow === a ? 10_000 : QUANTUM);
    flows.sent(flow, bytes);
  }
  assert(Math.abs(a!.sentBytes - b!.sentBytes) <= QUANTUM);
});

test("DeficitRoundRobin lets a flow that parks within the round lose nothing", () => {
  const flows = new DeficitRoundRobin<string>();
  const own = ["a", "b", "c", "d"].map((client) => flows.add(client, { client }));
  let parkedFor = 0;
  for (let i = 0; i < 4000; i++) {
    if (parkedFor > 0 && --parkedFor === 0) flows.ready(own[0]!);
    const { flow, bytes } = flows.next()!;
    // The first one stalls after each half of a turn, and comes back two turns later.
    if (flow === own[0]) {
      flows.park(flow);
      flows.sent(flow, bytes / 2);
      parkedFor = 2;
    } else flows.sent(flow, bytes);
  }
  const [stalling, steady] = own.map(({ sentBytes }) => sentBytes);
  assert(Math.abs(stalling! / steady! - 1) < 0.01, `${stalling! / steady!}`);
});

test("DeficitRoundRobin makes up for one round that a flow missed, and not for more", () => {
  for (const missed of [2, 3, 50]) {
    const flows = new DeficitRoundRobin<string>();
    const away = flows.add("away", { client: "away" });
    flows.add("here", { client: "here" });
    assertEquals(serve(flows, 4), ["away", "here", "away", "here"]);
    flows.park(away);
    assertEquals(new Set(serve(flows, missed)), new Set(["here"]));
    flows.ready(away);
    const served = serve(flows, 20);
    const count = served.filter((name) => name === "away").length;
    assertEquals(count, 11, `after ${missed} rounds: ${served}`);
  }
});

test("DeficitRoundRobin lets as many new clients as there are not wait for the next round", () => {
  const flows = new DeficitRoundRobin<string>();
  for (let i = 0; i < 200; i++) flows.add("old", { client: `old ${i}` });
  // The first 64 had a round for themselves; of the second round 100 are left.
  assertEquals(serve(flows, 64 + 200 + 100).length, 364);
  for (let i = 0; i < 250; i++) flows.add("new", { client: `new ${i}` });
  assertEquals(serve(flows, 300), [...Array(100).fill("old"), ...Array(200).fill("new")]);
  const coming = serve(flows, 250);
  assertEquals(coming.filter((name) => name === "new").length, 50);
});

test("DeficitRoundRobin serves who waits although new clients come without end", () => {
  const flows = new DeficitRoundRobin<string>();
  flows.add("steady", { client: "steady" });
  let steady = 0;
  for (let turn = 0; turn < 1000; turn++) {
    flows.add(`new ${turn}`, { client: `new ${turn}` });
    const { flow, bytes } = flows.next()!;
    flows.sent(flow, bytes);
    if (flow.value === "steady") steady++;
    else flows.remove(flow);
  }
  assert(steady >= 9, `${steady} turns`); // The rounds double in length.
});

test("DeficitRoundRobin does not forget what a client owes that leaves and comes back", () => {
  // It has a turn more than is its due by a little that was left over, and leaves with the debt.
  const flows = new DeficitRoundRobin<string>();
  const steady = flows.add("steady", { client: "steady" });
  let sentBytes = 0;
  for (let round = 0; round < 500; round++) {
    let flow = flows.add("leaves", { client: "leaves" });
    for (let i = 0; i < 3; i++) {
      const turn = flows.next()!;
      if (turn.flow === steady) flows.sent(steady, turn.bytes);
      else {
        const bytes = i === 0 ? turn.bytes - 1000 : turn.bytes;
        sentBytes += bytes;
        flows.sent(flow, bytes);
        if (bytes === turn.bytes) {
          flows.remove(flow);
          flow = flows.add("leaves", { client: "leaves" });
        }
      }
    }
    flows.remove(flow);
  }
  assert(sentBytes <= 1.02 * steady.sentBytes, `${sentBytes / steady.sentBytes}`);
});

test("DeficitRoundRobin gives other flows their turns when one never uses its own", () => {
  const flows = new DeficitRoundRobin<string>();
  const idle = flows.add("idle", { client: "idle" });
  const busy = flows.add("busy", { client: "busy" });
  const other = flows.add("beside idle", { client: "idle" });
  for (let i = 0; i < 10_000; i++) {
    const { flow, bytes } = flows.next()!;
    flows.sent(flow, flow === idle ? 0 : bytes);
  }
  assertEquals(idle.sentBytes, 0);
  assert(Math.abs(busy.sentBytes / other.sentBytes - 1) < 0.01);
  flows.remove(other);
  for (let i = 0; i < 1000; i++) {
    const { flow, bytes } = flows.next()!;
    flows.sent(flow, flow === idle ? 0 : bytes);
  }
  assert(busy.sentBytes > other.sentBytes + 50 * QUANTUM);
});

test("DeficitRoundRobin serves a step of priority agingTurns turns for one", () => {
  for (const agingTurns of [1, 8]) {
    const flows = new DeficitRoundRobin<string>({ agingTurns });
    flows.add("low", { priority: -1 });
    flows.add("high", { priority: 0 });
    const served = serve(flows, 10 * (agingTurns + 1));
    assertEquals(served.filter((name) => name === "low").length, 10, served.join());
  }
});

test("DeficitRoundRobin starves nobody, whatever the priorities", () => {
  const flows = new DeficitRoundRobin<string>({ agingTurns: 4 });
  flows.add("lowest", { priority: -8 });
  for (let i = 0; i < 20; i++) flows.add("low", { priority: -7 });
  for (let i = 0; i < 40; i++) flows.add("high", { priority: 8 });
  let since = 0;
  let count = 0;
  for (const name of serve(flows, 5000)) {
    since++;
    if (name !== "lowest") continue;
    // Sixteen steps of four turns, and one turn for each other line.
    assert(since <= 16 * 4 + 2, `waited ${since} turns`);
    since = 0;
    count++;
  }
  assert(count > 50);
});

test("DeficitRoundRobin takes no share from a client whose flows have a lower priority", () => {
  const flows = new DeficitRoundRobin<string>();
  flows.add("a", { client: "a", priority: -8 });
  flows.add("b", { client: "b", priority: 8 });
  assertEquals(serve(flows, 100).filter((name) => name === "a").length, 50);
});

test("DeficitRoundRobin with agingTurns 0 knows no priority", () => {
  const flows = new DeficitRoundRobin<string>({ agingTurns: 0 });
  flows.add("low", { priority: -8 });
  flows.add("high", { priority: 8 });
  flows.add("higher", { priority: 8 });
  assertEquals(serve(flows, 6), ["low", "high", "higher", "low", "high", "higher"]);
});

test("DeficitRoundRobin.pause() and park() are undone each by its own opposite", () => {
  const flows = new DeficitRoundRobin<string>();
  const flow = flows.add("a");
  flows.pause(flow);
  flows.park(flow);
  flows.park(flow);
  assertEquals(flows.next(), undefined);
  flows.ready(flow);
  assertEquals(flows.next(), undefined);
  flows.resume(flow);
  assertEquals(serve(flows, 1), ["a"]);
  // During its turn too.
  const { bytes } = flows.next()!;
  flows.pause(flow);
  flows.sent(flow, bytes);
  assertEquals(flows.next(), undefined);
  flows.resume(flow);
  assertEquals(serve(flows, 1), ["a"]);
});

test("DeficitRoundRobin.pauseClient() keeps all flows of a client from sending, new ones too", () => {
  const flows = new DeficitRoundRobin<string>();
  assertFalse(flows.pauseClient("a"));
  assertFalse(flows.resumeClient("a"));
  flows.add("a1", { client: "a" });
  flows.add("b", { client: "b" });
  assert(flows.pauseClient("a"));
  assert(flows.pauseClient("a"));
  flows.add("a2", { client: "a" });
  assertEquals(serve(flows, 3), ["b", "b", "b"]);
  assert(flows.resumeClient("a"));
  assert(flows.resumeClient("a"));
  assertEquals(new Set(serve(flows, 4)), new Set(["a1", "a2", "b"]));
});

test("DeficitRoundRobin.remove() takes a flow out once, whatever it does", () => {
  const flows = new DeficitRoundRobin<string>();
  const own = ["ready", "parked", "paused", "sending"].map((name) =>
    flows.add(name, { client: name })
  );
  flows.park(own[1]!);
  flows.pause(own[2]!);
  while (flows.next()!.flow !== own[3]) flows.sent(own[0]!, 1);
  assertEquals([flows.size, flows.clients], [4, 4]);
  for (const flow of own) {
    assert(flows.remove(flow));
    assertFalse(flows.remove(flow));
    flows.ready(flow);
    flows.resume(flow);
  }
  assertEquals([flows.size, flows.clients, flows.next()], [0, 0, undefined]);
  flows.sent(own[3]!, 10); // What was on its way.
  assertEquals([own[3]!.sentBytes, flows.next()], [10, undefined]);
});

test("DeficitRoundRobin.sent() refuses what no turn allows", () => {
  const flows = new DeficitRoundRobin<string>();
  const flow = flows.add("a");
  assertThrows(() => flows.sent(flow, 0), TypeError, "Cannot count sent bytes: flow has no turn");
  const { bytes } = flows.next(1000)!;
  for (const wrong of [-1, 1.5, NaN, bytes + 1, Infinity]) {
    assertThrows(
      () => flows.sent(flow, wrong),
      RangeError,
      `Cannot count sent bytes "${wrong}": expected an integer from 0 to 1000`,
    );
  }
  flows.sent(flow, bytes);
  assertThrows(() => flows.sent(flow, 0), TypeError);
});

test("DeficitRoundRobin refuses options that are out of range, and nobody is added", () => {
  for (const quantumBytes of [0, 1023, 2000.5, NaN, Infinity]) {
    assertThrows(
      () => new DeficitRoundRobin({ quantumBytes }),
      RangeError,
      `Cannot use quantumBytes "${quantumBytes}": expected an integer of at least 1024`,
    );
  }
  for (const agingTurns of [-1, NaN, Infinity]) {
    assertThrows(
      () => new DeficitRoundRobin({ agingTurns }),
      RangeError,
      `Cannot use agingTurns "${agingTurns}": expected 0 or more turns`,
    );
  }
  const flows = new DeficitRoundRobin<string>({ weightOf: Number });
  for (const priority of [9, -9, 0.5, NaN]) {
    assertThrows(
      () => flows.add("a", { client: "1", priority }),
      RangeError,
      `Cannot use priority "${priority}": expected an integer from -8 to 8`,
    );
  }
  for (const client of ["0", "0.009", "101", "x", "-1"]) {
    assertThrows(
      () => flows.add("a", { client }),
      RangeError,
      `of client "${client}": expected a number from 0.01 to 100`,
    );
  }
  for (const maxBytes of [0, 0.5, NaN, -1]) {
    assertThrows(
      () => flows.next(maxBytes),
      RangeError,
      `Cannot use maxBytes "${maxBytes}": expected at least 1`,
    );
  }
  assertEquals([flows.size, flows.clients], [0, 0]);
});

/** Do the same at random with both, and compare whatever can be seen. */
function compare(dice: Dice, steps: number): void {
  const quantumBytes = 1024 * (1 + dice.below(4));
  const agingTurns = dice.oneOf([0, 0.5, 2, 8]);
  const weightOf = (name: string) => [0.3, 1, 1, 2.5, 7][Number(name) % 5]!;
  const flows = new DeficitRoundRobin<number>({ quantumBytes, agingTurns, weightOf });
  const model = new RoundRobinModel(quantumBytes, agingTurns, weightOf);
  const pairs: [ByteFlow<number>, ModelFlow][] = [];
  const sending: [ByteFlow<number>, ModelFlow, number][] = [];
  const actions: Record<string, () => void> = {
    add() {
      if (pairs.length >= 30) return;
      const client = `${dice.below(6)}`;
      const priority = dice.oneOf([0, 0, 0, 1, -3, 8]);
      const id = dice.below(2 ** 30);
      pairs.push([flows.add(id, { client, priority }), model.add(id, client, priority)]);
    },
    next() {
      const maxBytes = dice.oneOf([Infinity, Infinity, Infinity, 1, 700.5]);
      const turn = flows.next(maxBytes);
      const expected = model.next(maxBytes);
      assertEquals(
        turn && [turn.flow.value, turn.bytes],
        expected && [
          expected.flow.id,
          expected.bytes,
        ],
      );
      if (turn !== undefined) sending.push([turn.flow, expected!.flow, turn.bytes]);
    },
    sent() {
      if (sending.length === 0) return;
      const at = dice.oneOf([0, dice.below(sending.length)]);
      const [[flow, expected, most]] = sending.splice(at, 1) as [typeof sending[number]];
      const bytes = dice.oneOf([0, most, most, most, dice.below(most + 1)]);
      flows.sent(flow, bytes);
      model.sent(expected, bytes);
      assertEquals([flow.sentBytes, flow.client.sentBytes], [expected.sent, expected.client.sent]);
    },
    block() {
      if (pairs.length === 0) return;
      const [flow, expected] = dice.oneOf(pairs);
      if (dice.random() < 0.5) {
        flows.park(flow);
        model.block(expected, "parked");
      } else {
        flows.pause(flow);
        model.block(expected, "paused");
      }
    },
    unblock() {
      if (pairs.length === 0) return;
      const [flow, expected] = dice.oneOf(pairs);
      flows.ready(flow);
      model.unblock(expected, "parked");
      flows.resume(flow);
      model.unblock(expected, "paused");
    },
    client() {
      const name = `${dice.below(6)}`;
      const paused = dice.random() < 0.3;
      if (paused) flows.pauseClient(name);
      else flows.resumeClient(name);
      model.pauseClient(name, paused);
    },
    remove() {
      if (pairs.length === 0) return;
      const [[flow, expected]] = pairs.splice(dice.below(pairs.length), 1) as [
        typeof pairs[number],
      ];
      assert(flows.remove(flow));
      model.block(expected, "gone");
    },
  };
  const odds = ["add", "remove", "block", "unblock", "unblock", "client"];
  const often = ["next", "next", "next", "sent", "sent", "sent"];
  const names = dice.random() < 0.5 ? [...odds, ...often] : [...odds, ...often, ...often, ...often];
  for (let step = 0; step < steps; step++) {
    actions[dice.oneOf(names)]!();
    assertEquals([flows.size, flows.clients], [pairs.length, model.clients]);
  }
}

test("DeficitRoundRobin does what plain arrays do", async () => {
  const seeds = Array.from({ length: 30 }, (_, i) => i + 1);
  await withSeeds(seeds, (dice) => compare(dice, 1500));
});
