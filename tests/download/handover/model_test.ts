// A handover in memory and virtual time, with a death at any moment of the protocol: whoever has the
// connections then, no client sees a wrong byte, and nobody has lost what had not been taken.
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import type { DownloadServer } from "../../../src/core.ts";
import { test } from "../../harness.ts";
import { type Dice, withSeeds } from "../../support/seeds.ts";
import { pattern } from "../../transport/tools.ts";
import { MemoryFiles } from "../memory_files.ts";
import { Client, headOf } from "../tools.ts";
import { type Side, World } from "./world.ts";

const SEEDS = Array.from(
  { length: Number(process.env.JACKFIELD_STEPS ?? 12) },
  (_, index) => index + 1,
);
const BIG = pattern(9000, 5);
const SMALL = pattern(700, 6);
const FILES = { big: BIG, small: SMALL };

/** What a client has seen. */
interface Seen {
  readonly name: string;
  /** Right answers. */
  answers: number;
  /** Why it has ended, if it has. */
  failure: string | undefined;
  isDone: boolean;
}

/** Turns of everything that waits for nothing but other promises. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

async function run(dice: Dice, mortal: Side | undefined): Promise<string> {
  const world = new World(new MemoryFiles(FILES), { maxBytesPerSecond: 20_000, maxActive: 3 });
  const server = await world.begin();
  const dieAt = dice.below(22);
  let moments = 0;
  world.moment = () => {
    if (mortal !== undefined && moments++ === dieAt) world.kill(mortal);
  };
  const seen: Seen[] = [];
  const client = (name: string, act: (ask: Asker) => Promise<void>): void => {
    const one: Seen = { name, answers: 0, failure: undefined, isDone: false };
    seen.push(one);
    void (async () => {
      try {
        const socket = new Client(await world.connect());
        await act(askerOf(socket, one));
        socket.socket.abort();
      } catch (error) {
        one.failure = (error as Error).message;
        if (one.failure.startsWith("wrong")) throw error;
      }
      one.isDone = true;
    })();
  };
  const gate = Promise.withResolvers<void>();
  client("big", async (ask) => {
    await ask("big", BIG);
    await ask("small", SMALL);
  });
  client("ranges", async (ask) => {
    await ask("big", BIG.subarray(10, 8000), { fields: { Range: "bytes=10-7999" } });
  });
  client("queued", async (ask) => {
    await ask("small", SMALL);
    await ask("big", BIG);
  });
  client("slow", async (ask) => {
    await ask("big", BIG, { stepBytes: 30 });
  });
  client("idle", async (ask) => {
    await ask("small", SMALL);
    await gate.promise;
    await ask("small", SMALL);
  });
  client("partial", async (ask) => {
    await ask("small", SMALL, { between: gate.promise });
  });
  for (let count = dice.below(300); count > 0; count -= 20) await world.clock.advance(20);

  let outcome: "moved" | "stayed" | undefined;
  let drained = false;
  server.handOver({ timeoutMs: 5000 }).then((result) => {
    outcome = "moved";
    result.drained.then(() => drained = true);
  }, () => outcome = "stayed");
  for (let step = 0; step < 400; step++) {
    await turns(dice.below(40));
    const side = dice.oneOf(["old", "new"] as const);
    for (let count = dice.below(3); count >= 0; count--) world.step(side);
    if (dice.below(4) === 0) await world.clock.advance(dice.below(20));
    if (step % 40 === 0 && seen.length < 12) client("new", (ask) => ask("small", SMALL));
    if (step === 250) gate.resolve();
  }
  for (let step = 0; step < 200 && seen.some(({ isDone }) => !isDone); step++) {
    await world.clock.advance(50);
    while (world.step("old") || world.step("new")) await turns(20);
  }

  const state = JSON.stringify({ mortal, dieAt, outcome, drained, said: world.said, seen });
  const failed = seen.filter(({ failure }) => failure !== undefined);
  const wasTaken = world.said.new.includes("taken");
  if (mortal === "old" && world.dead.has("old")) {
    // Nobody serves, unless the new one had the listener.
    const other = await settled(world.successor);
    assert(other === undefined || world.said.old.includes("listener"), state);
  } else {
    // Whoever was not moved has lost nothing.
    assert(seen.every(({ isDone }) => isDone), state);
    if (!wasTaken || !world.dead.has("new")) assertEquals(failed, [], state);
    if (outcome === "stayed") assert(seen.some((one) => one.name === "new" && one.answers > 0));
    if (outcome === "moved") assert(drained || world.dead.has("new"), state);
  }
  for (const one of [server, await settled(world.successor)]) one?.abort();
  await world.clock.advance(60_000);
  await world.end();
  assertEquals(world.kernel.inUse, 0, state);
  return `${outcome} ${world.dead.has("new") || world.dead.has("old") ? "dead" : "alive"}`;
}

type Asker = (
  name: keyof typeof FILES,
  expected: Uint8Array,
  how?: {
    readonly fields?: Record<string, string>;
    /** It reads so many bytes at a time. */
    readonly stepBytes?: number;
    /** Waits for this between two parts of its head. */
    readonly between?: Promise<void>;
  },
) => Promise<void>;

function askerOf(client: Client, seen: Seen): Asker {
  return async (name, expected, { fields, stepBytes = 512, between } = {}) => {
    const head = headOf(`GET /${name}`, fields);
    const cut = between === undefined ? 0 : 17;
    await client.sendText(head.slice(0, cut));
    await between;
    await client.sendText(head.slice(cut));
    const answer = await client.answerHead();
    const length = Number(answer.fields.get("content-length"));
    assertEquals(length, expected.byteLength);
    for (let at = 0; at < length;) {
      const part = await client.take(Math.min(length - at, stepBytes));
      for (let index = 0; index < part.byteLength; index++) {
        if (part[index] !== expected[at + index]) throw new Error(`wrong byte ${at + index}`);
      }
      at += part.byteLength;
    }
    seen.answers++;
  };
}

async function settled(
  server: Promise<DownloadServer> | undefined,
): Promise<DownloadServer | undefined> {
  let value: DownloadServer | undefined;
  server?.then((one) => value = one, () => {});
  await turns(10);
  return value;
}

test("handOver() moves everything, and no client notices (model)", () =>
  withSeeds(SEEDS, async (dice) => {
    assertEquals(await run(dice, undefined), "moved alive");
  }));

test("a successor that dies at any moment loses only what it has taken (model)", async () => {
  const outcomes: string[] = [];
  await withSeeds(SEEDS, async (dice) => void outcomes.push(await run(dice, "new")));
  assert(outcomes.includes("stayed dead"), `${outcomes}`);
});

test("a successor of which the old process dies at any moment takes all or nothing (model)", () =>
  withSeeds(SEEDS, async (dice) => void await run(dice, "old")));
