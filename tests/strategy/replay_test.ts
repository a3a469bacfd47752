import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import {
  type Decision,
  type Facts,
  leastBusy,
  type Loaded,
  powerOfTwoChoices,
  random,
  recorded,
  replay,
  type ReplayCandidate,
  roundRobin,
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

const OPTIONS = {
  describe: ({ name, load, weight }: Item): Facts => ({ name, load, weight }),
  describeRequest: ({ key }: Request): Facts => ({ key }),
};

test("replay() says what another strategy had chosen, and counts both (P4)", () => {
  const log: Decision[] = [];
  const items = [5, 0, 3].map((load, at) => new Item("abc"[at]!, { load }));
  const place = new Place(recorded(roundRobin<Item>(), log, OPTIONS), items);
  place.turns(3, {});
  const { picks, candidates, same, isComplete } = replay(log, leastBusy());
  assertEquals(picks.map(({ recorded, replayed }) => [recorded, replayed]), [
    [1, 2],
    [2, 2],
    [3, 2],
  ]);
  assertEquals(picks.map(({ sequence, place }) => [sequence, place]), [[4, 0], [7, 0], [10, 0]]);
  assertEquals(
    candidates.map((
      { candidate, facts, recorded, replayed },
    ) => [candidate, facts.name, recorded, replayed]),
    [[1, "a", 1, 0], [2, "b", 1, 3], [3, "c", 1, 0]],
  );
  assertEquals([same, isComplete], [1, true]);
});

test("replay() asks in the recorded situation, whatever was chosen before (P4)", () => {
  const log: Decision[] = [];
  const [a, b] = [new Item("a"), new Item("b")];
  const place = new Place(recorded(roundRobin<Item>(), log, OPTIONS), [a, b]);
  place.take({}); // `a` was taken; the other strategy had taken `b`.
  place.take({}); // So only `b` was there, and is there in the replay too.
  place.take({});
  const last: Strategy<ReplayCandidate, Facts> = (candidates) => candidates.at(-1);
  assertEquals(replay(log, last).picks.map(({ replayed }) => replayed), [2, 2, null]);
});

test("replay() shows the candidates in the order of the recorded rotation (P4)", () => {
  const log: Decision[] = [];
  const seen: string[] = [];
  const look: Strategy<Item, Request> = (candidates) => {
    seen.push(candidates.map(({ name }) => name).join(""));
    return candidates[1];
  };
  const place = new Place(recorded(look, log, OPTIONS), [..."abcd"].map((name) => new Item(name)));
  place.turns(3, {});
  place.pick({});
  place.pick({});
  const again: string[] = [];
  replay(log, (candidates) => {
    again.push(candidates.map(({ name }) => name).join(""));
    return candidates[0];
  });
  assertEquals(again, seen);
});

test("replay() rebuilds what the facts say, and groups that share their load (P4)", () => {
  const log: Decision[] = [];
  const group = new Team();
  const items = [
    new Item("a", { group, weight: 2 }),
    new Item("b", { group }),
    new Item("c", { load: 1 }),
  ];
  const place = new Place(recorded(leastBusy<Item>(), log, OPTIONS), items);
  place.change(items[0]!, { load: 2 });
  place.pick({});
  let seen: readonly ReplayCandidate[] = [];
  replay(log, (candidates) => {
    seen = candidates;
    return candidates[0];
  });
  assertEquals(seen.map(({ id, name, load, weight }) => [id, name, load, weight]), [
    [1, "a", 2, 2],
    [2, "b", 2, 1], // Nothing was told of it, but it is of the same group.
    [3, "c", 1, 1],
  ]);
  assert(seen[0]!.group !== undefined && seen[0]!.group === seen[1]!.group);
  assertEquals(seen[2]!.group, undefined);
});

test("replay() reads a log back from JSON, for several places (P4)", () => {
  const log: Decision[] = [];
  const strategy = recorded(roundRobin<Item>(), log, OPTIONS);
  const one = new Place(strategy, [..."ab"].map((name) => new Item(name)));
  const other = new Place(strategy, [..."cd"].map((name) => new Item(name)));
  one.turns(1, {});
  other.turns(3, {});
  one.turns(1, {});
  const result = replay(JSON.parse(JSON.stringify(log)), roundRobin());
  assertEquals([result.same, result.picks.length], [5, 5]);
  const counts = result.candidates.map((
    { facts, recorded, replayed },
  ) => [facts.name, recorded, replayed]);
  assertEquals(counts, [["a", 1, 1], ["b", 1, 1], ["c", 2, 2], ["d", 1, 1]]);
});

test("replay() says that a full log is not complete", () => {
  const log: Decision[] = [];
  const strategy = recorded(roundRobin<Item>(), log, { ...OPTIONS, maxDecisions: 6 });
  new Place(strategy, [new Item("a"), new Item("b")]).turns(9, {});
  const { picks, isComplete } = replay(log, roundRobin());
  assertEquals([picks.length, isComplete], [1, false]);
});

test("replay() gives a strategy that reads a key the recorded requests (P4)", () => {
  const log: Decision[] = [];
  const place = new Place(
    recorded(random<Item>({ random: seededRandom(1) }), log, OPTIONS),
    [..."abc"].map((name) => new Item(name)),
  );
  for (let turn = 0; turn < 30; turn++) place.turns(1, { key: turn % 3 });
  const { picks } = replay(log, sticky<ReplayCandidate, Facts>(({ key }) => key));
  const chosen = picks.map(({ replayed }) => replayed);
  for (let at = 3; at < chosen.length; at++) assertEquals(chosen[at], chosen[at - 3]);
});

test("replay() refuses entries that are none, and says which", () => {
  const start = { sequence: 0, place: 0, event: "start", strategy: "x" } as const;
  const facts = {};
  const cases: [unknown, string][] = [
    [null, 'entry 1 of log: its event is "undefined"'],
    [{ ...start, event: "stolen" }, 'entry 1 of log: its event is "stolen"'],
    [
      { sequence: 1, place: 9, event: "added", candidate: 1, facts },
      "entry 1 of log: its place has no start before it",
    ],
    [
      { sequence: 1, place: 9, event: "pick", choice: null, request: {} },
      "entry 1 of log: its place has no start before it",
    ],
    [
      { sequence: 1, place: 0, event: "removed", candidate: 3, facts },
      "entry 1 of log: candidate 3 was not added",
    ],
  ];
  for (const [entry, message] of cases) {
    const log = [start, entry] as Decision[];
    assertThrows(() => replay(log, roundRobin()), TypeError, `Cannot replay ${message}`);
  }
});

test("replay() refuses a choice that is not available", () => {
  const log: Decision[] = [];
  const place = new Place(recorded(roundRobin<Item>(), log, OPTIONS), [new Item("a")]);
  place.take({});
  place.pick({});
  let first: ReplayCandidate | undefined;
  const clinging = (candidates: readonly ReplayCandidate[]) => first ??= candidates[0];
  assertThrows(() => replay(log, clinging), TypeError, 'choice of strategy "clinging"');
  for (const bad of [null, 7, {}]) {
    assertThrows(() => replay(log, () => bad as never), TypeError, "expected a candidate");
  }
});

type Make = <C extends Loaded & { readonly weight?: number }, R extends { readonly key?: unknown }>(
  seed: number,
) => Strategy<C, R>;

const STRATEGIES: Record<string, Make> = {
  "round robin": () => roundRobin(),
  random: (seed) => random({ random: seededRandom(seed) }),
  "least busy": () => leastBusy(),
  "two choices": (seed) => powerOfTwoChoices({ random: seededRandom(seed) }),
  weighted: () => weighted(({ weight }) => weight ?? 1),
  sticky: () => sticky(({ key }) => key),
  "a function": () => (candidates, { key }) => candidates[Number(key ?? 0) % 7],
};

for (const [name, make] of Object.entries(STRATEGIES)) {
  test(`replay() of a strategy's own log finds the same choices: ${name} (P4)`, () =>
    withSeeds([1, 2, 3], (dice, seed) => {
      const log: Decision[] = [];
      const place = new Place(recorded<Item, Request>(make(seed), log, OPTIONS));
      const requestOf = (): Request => dice.random() < 0.2 ? {} : { key: dice.below(12) };
      churn(place, someItems(dice, 20), dice, 3_000, requestOf);
      const { picks, same } = replay(JSON.parse(JSON.stringify(log)), make(seed));
      assertGreater(picks.length, 500);
      assertEquals(same, picks.length);
      assertEquals(picks.map(({ replayed }) => replayed), picks.map(({ recorded }) => recorded));
    }));
}
