// Every strategy of the package keeps the rules, and each broken rule is found.
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  leastBusy,
  type PoolCandidate,
  type PoolRequest,
  powerOfTwoChoices,
  random,
  recorded,
  roundRobin,
  sticky,
  type Strategy,
  weighted,
} from "../../src/core.ts";
import { type Dice, property, PropertyError, strategyModel } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";

type PoolStrategy = Strategy<PoolCandidate, PoolRequest>;

const RUNS = 40;

const strategies: Readonly<Record<string, (dice: Dice) => PoolStrategy>> = {
  roundRobin: () => roundRobin(),
  leastBusy: () => leastBusy(),
  random: ({ random: draw }) => random({ random: draw }),
  powerOfTwoChoices: ({ random: draw }) => powerOfTwoChoices({ random: draw }),
  weighted: () => weighted((candidate: PoolCandidate) => candidate.weight),
  sticky: () => sticky((request: PoolRequest) => request.key),
  "sticky over random": ({ random: draw }) =>
    sticky((request: PoolRequest) => request.key, { otherwise: random({ random: draw }) }),
  recorded: () => recorded(leastBusy<PoolCandidate>(), []),
  "a plain function": () => (candidates) => candidates.at(-1),
};

for (const [name, create] of Object.entries(strategies)) {
  test(`strategyModel() finds nothing in ${name} (P4)`, async () => {
    const { steps } = await property(name, strategyModel(create), { runs: RUNS });
    assertEquals(steps, RUNS * 200);
  });
}

test("strategyModel() shows that roundRobin takes turns, to the very last place (P4)", async () => {
  const turns = (maxPassedOver: number) =>
    property("turns", strategyModel(() => roundRobin(), { candidates: 5, maxPassedOver }));
  await turns(4);
  await assertRejects(() => turns(3), PropertyError, "it passed over ");
});

/** A strategy with notes: what it knows, in the order of its coming. */
function withNotes(
  pick: (known: PoolCandidate[]) => PoolCandidate | undefined,
  removed: (known: PoolCandidate[], gone: PoolCandidate) => void = (known, gone) =>
    void known.splice(known.indexOf(gone), 1),
): PoolStrategy {
  return {
    name: "broken",
    start() {
      const known: PoolCandidate[] = [];
      return {
        window: 0,
        pick: () => pick(known),
        added: (candidate) => void known.push(candidate),
        removed: (candidate) => removed(known, candidate),
      };
    },
  };
}

const broken: readonly [what: string, rule: string, strategy: PoolStrategy, most?: number][] = [
  [
    "forgets nobody who goes",
    "which is not available",
    withNotes((known) => known[0], () => {}),
  ],
  [
    "has one memory for all places",
    "which is not available",
    (() => {
      const { window: _window, ...picker } = startOnce(withNotes((known) => known.at(-1)));
      return { name: "shared", start: () => picker };
    })(),
  ],
  [
    "chooses somebody of its own",
    "it chose a candidate, which is not available",
    () => ({}) as PoolCandidate,
  ],
  ["answers later", "which is not available", () => Promise.resolve() as never],
  [
    "sorts the list",
    "it changed the list of candidates",
    (candidates) => (candidates as PoolCandidate[]).sort((a, b) => b.leases - a.leases)[0],
  ],
  [
    "promises to choose, and waits",
    "it chose nothing, though it has a window",
    withNotes((known) => known.length > 2 ? known[0] : undefined),
  ],
  [
    "starves all but the first",
    "it passed over ",
    (candidates) => candidates.toSorted((a, b) => a.localAddress.port - b.localAddress.port)[0],
    20,
  ],
];

function startOnce(strategy: PoolStrategy) {
  if (typeof strategy === "function") throw new TypeError("expected a strategy with notes");
  return strategy.start();
}

for (const [what, rule, strategy, maxPassedOver = Infinity] of broken) {
  test(`strategyModel() finds a strategy that ${what}`, async () => {
    const model = strategyModel(() => strategy, { maxPassedOver });
    const found = await assertRejects(
      () => property(what, model, { maxShrinkRuns: 100 }),
      PropertyError,
    );
    assertStringIncludes((found as Error).message, rule);
  });
}

test("strategyModel() lets a strategy choose among candidates of one's own", async () => {
  const model = strategyModel<{ rank: number }, number>(
    () => (candidates, limit) => candidates.find(({ rank }) => rank >= limit),
    {
      candidate: (number) => ({ rank: number }),
      request: (dice) => dice.below(8),
      change: (candidate, dice) => void (candidate.rank = dice.below(8)),
    },
  );
  await property("ranks", model, { runs: RUNS });
});
