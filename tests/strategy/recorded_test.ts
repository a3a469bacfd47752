import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Decision,
  leastBusy,
  random,
  recorded,
  roundRobin,
  startStrategy,
  sticky,
  type Strategy,
  weighted,
} from "../../src/strategy/mod.ts";
import { seededRandom } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { churn, Item, Place, someItems, Team } from "./tools.ts";

interface Request {
  readonly key?: number;
}

test("recorded() writes down what happened, as plain data (P4)", () => {
  const log: Decision[] = [];
  const group = new Team();
  const strategy = recorded(sticky<Item, Request>(({ key }) => key), log, {
    describe: ({ name, load }) => ({ name, load }),
    describeRequest: ({ key }) => ({ ...(key === undefined ? {} : { key }) }),
  });
  assertEquals(strategy.name, "sticky");
  const place = new Place(strategy, [new Item("a"), new Item("b", { group })]);
  place.pick({ key: 7 });
  place.remove(place.rotation.last!);
  place.change(place.rotation.last!, { load: 2 });
  place.remove(place.rotation.last!);
  place.pick({});
  const rest = { place: 0 };
  assertEquals(log, [
    { sequence: 0, ...rest, event: "start", strategy: "sticky" },
    { sequence: 1, ...rest, event: "added", candidate: 1, facts: { name: "a", load: 0 } },
    { sequence: 2, ...rest, event: "added", candidate: 2, group: 1, facts: { name: "b", load: 0 } },
    { sequence: 3, ...rest, event: "pick", choice: 1, request: { key: 7 } },
    { sequence: 4, ...rest, event: "removed", candidate: 1, facts: { name: "a", load: 0 } },
    {
      sequence: 5,
      ...rest,
      event: "changed",
      candidate: 2,
      group: 1,
      facts: { name: "b", load: 2 },
    },
    {
      sequence: 6,
      ...rest,
      event: "removed",
      candidate: 2,
      group: 1,
      facts: { name: "b", load: 2 },
    },
    { sequence: 7, ...rest, event: "pick", choice: null, request: {} },
  ]);
  assertEquals(JSON.parse(JSON.stringify(log)), log);
});

test("recorded() reads load and weight, or a plain value, unless told what to read", () => {
  const log: Decision[] = [];
  const picker = startStrategy(recorded(roundRobin<unknown>(), log));
  const function_ = Object.assign(() => {}, { load: 1 });
  const candidates = [{ load: 1, weight: 2, name: "x" }, { load: "much" }, "text", 9, function_];
  for (const candidate of candidates) picker.added!(candidate);
  assertEquals(log.slice(1).map((entry) => "facts" in entry && entry.facts), [
    { load: 1, weight: 2 },
    {},
    { value: "text" },
    { value: 9 },
    { load: 1 },
  ]);
});

test("recorded() gives a candidate one number, and each place its own (P4)", () => {
  const log: Decision[] = [];
  const strategy = recorded(roundRobin<string>(), log);
  const [one, other] = [startStrategy(strategy), startStrategy(strategy)];
  one.added!("a");
  one.added!("b");
  one.removed!("a");
  one.added!("a");
  other.added!("b");
  const told = log.map((entry) => "candidate" in entry ? entry.candidate : entry.event);
  assertEquals(told, ["start", "start", 1, 2, 1, 1, 1]);
  assertEquals(log.map(({ place }) => place), [0, 1, 0, 0, 0, 0, 1]);
  assertEquals(log.map(({ sequence }) => sequence), [0, 1, 2, 3, 4, 5, 6]);
});

test("recorded() says in the last entry that there is no room, and the strategy goes on", () => {
  const log: Decision[] = [];
  let reads = 0;
  const describe = () => ({ reads: ++reads });
  const strategy = recorded(roundRobin<Item>(), log, { maxDecisions: 4, describe });
  const place = new Place(strategy, ["a", "b", "c", "d"].map((name) => new Item(name)));
  assertEquals(place.turns(5, undefined), ["a", "b", "c", "d", "a"]);
  assertEquals(log.map(({ event }) => event), ["start", "added", "added", "full"]);
  assertEquals([log.at(-1), reads], [{ sequence: 3, place: 0, event: "full" }, 3]);
  new Place(recorded(roundRobin<Item>(), log), [new Item("e")]); // One with more room.
  assertEquals(log.length, 4);
  const tiny: Decision[] = [];
  startStrategy(recorded(roundRobin(), tiny, { maxDecisions: 1 }));
  assertEquals(tiny, [{ sequence: 0, place: 0, event: "full" }]);
});

test("recorded() keeps facts as they were, not as they become", () => {
  const log: Decision[] = [];
  const facts = { load: 1 };
  const picker = startStrategy(recorded(roundRobin<string>(), log, { describe: () => facts }));
  picker.added!("a");
  facts.load = 2;
  assertEquals(log.map((entry) => "facts" in entry && entry.facts), [false, { load: 1 }]);
});

test("recorded() writes down why facts are missing, and stops nothing for it", () => {
  const log: Decision[] = [];
  const fail = (why: string) => () => {
    throw new Error(why);
  };
  const strategy = recorded(roundRobin<object>(), log, {
    describe: fail("no facts"),
    describeRequest: fail("no key"),
  });
  const picker = startStrategy(strategy);
  const candidate = {
    get group(): object {
      throw new Error("no group");
    },
  };
  picker.added!(candidate);
  assertStrictEquals(picker.pick([candidate], undefined), candidate);
  assertEquals(log.slice(1), [
    { sequence: 1, place: 0, event: "added", candidate: 1, facts: {}, fault: "no facts" },
    { sequence: 2, place: 0, event: "pick", choice: 1, request: {}, fault: "no key" },
  ]);
});

test("recorded() passes on what the strategy throws, and writes it down", () => {
  const log: Decision[] = [];
  const failure = new Error("no idea");
  const picker = startStrategy(recorded<string, undefined>(() => {
    throw failure;
  }, log));
  assertStrictEquals(assertThrows(() => picker.pick([], undefined)), failure);
  const [, pick] = log;
  assertEquals(pick, {
    sequence: 1,
    place: 0,
    event: "pick",
    choice: null,
    request: {},
    fault: "no idea",
  });
});

test("recorded() refuses what is no log, no room and no strategy", () => {
  assertThrows(() => recorded(roundRobin(), {} as never), TypeError, "Cannot use log");
  for (const maxDecisions of [0, -1, 1.5, NaN, Infinity]) {
    const message = `Cannot use maxDecisions "${maxDecisions}": expected an integer of at least 1`;
    assertThrows(() => recorded(roundRobin(), [], { maxDecisions }), RangeError, message);
  }
  assertThrows(() => startStrategy(recorded(null as never, [])), TypeError, '"null"');
});

const STRATEGIES: Record<string, (seed: number) => Strategy<Item, Request>> = {
  "round robin": () => roundRobin(),
  random: (seed) => random({ random: seededRandom(seed) }),
  "least busy": () => leastBusy(),
  weighted: () => weighted(({ weight }) => weight),
  sticky: () => sticky(({ key }) => key),
  "a function": () => (candidates, { key = 0 }) => candidates[key % 7],
};

for (const [name, make] of Object.entries(STRATEGIES)) {
  test(`recorded() changes no choice and no window: ${name} (P4)`, () =>
    withSeeds([1, 2], (_, seed) => {
      const log: Decision[] = [];
      const runs = [make(seed), recorded(make(seed), log)].map((strategy) => {
        const place = new Place(strategy);
        const random = seededRandom(seed);
        const below = (count: number) => Math.floor(random() * count);
        const dice = {
          random,
          below,
          oneOf: <T>(items: readonly T[]): T => items[below(items.length)]!,
        };
        const requestOf = () => dice.random() < 0.2 ? {} : { key: dice.below(12) };
        const chosen = churn(place, someItems(dice, 20), dice, 2_000, requestOf);
        return { chosen, window: place.picker.window };
      });
      assertEquals(runs[0], runs[1]);
      assert(log.length > 1_000);
    }));
}
