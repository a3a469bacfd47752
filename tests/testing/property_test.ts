import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { property, PropertyError, type PropertyRun, seededDice } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";

// A seed that is given for all tests is not meant for what is expected here.
delete process.env.JACKFIELD_SEED;

/** What a property fails with. */
async function failureOf(...args: Parameters<typeof property>): Promise<PropertyError> {
  return await assertRejects(() => property(...args), PropertyError) as PropertyError;
}

/** Fails when it has drawn three aces; most steps do nothing. */
function threeAces(run: PropertyRun): void {
  let aces = 0;
  for (const _step of run.steps(300)) {
    const isAce = run.below(13) === 0;
    run.note(isAce ? "ace" : "other");
    if (isAce && ++aces === 3) throw new Error("three aces");
  }
}

test("property() runs with one seed after the other, and says how much it did", async () => {
  const seeds: number[] = [];
  const facts = await property("seeds", (run) => {
    seeds.push(run.seed);
    for (const _step of run.steps(3));
  }, { seed: 7, runs: 4 });
  assertEquals(seeds, [7, 8, 9, 10]);
  assertEquals(facts, { runs: 4, steps: 12 });
});

test("property() gives the same run for the same seed, and others for others", async () => {
  const draw = async (seed: number) => {
    const drawn: number[] = [];
    await property("draws", (run) => {
      drawn.push(run.random());
      for (const _step of run.steps(5)) drawn.push(run.random(), run.below(1000));
      drawn.push(run.random());
    }, { seed, runs: 1 });
    return drawn;
  };
  assertEquals(await draw(3), await draw(3));
  assertEquals(new Set([...await draw(3), ...await draw(4)]).size, 24);
});

test("property() names the seed, the fewest steps and how to run them again", async () => {
  const found = await failureOf("no three aces", threeAces, { seed: 1, runs: 10 });
  assertEquals(found.seed, 1);
  assertEquals(found.steps.map(({ what }) => what), ["ace", "ace", "ace"]);
  const numbers = found.steps.map(({ number }) => number);
  const [title, why, steps, again] = found.message.split("\n");
  assertEquals([title, why], ["Property does not hold: no three aces", "three aces"]);
  assertStringIncludes(steps!, `3 of ${numbers[2]! + 1} steps show it: ${numbers[0]} ace, `);
  assertEquals(
    again,
    `Run it again with JACKFIELD_SEED=1, or with { seed: 1, runs: 1, steps: [${
      numbers.join(", ")
    }] }`,
  );
  assertEquals((found.cause as Error).message, "three aces");
});

test("property() makes only the steps that it is given, with the same draws", async () => {
  const found = await failureOf("no three aces", threeAces, { seed: 1, runs: 10 });
  const steps = found.steps.map(({ number }) => number);
  const again = await failureOf("no three aces", threeAces, { seed: found.seed, runs: 1, steps });
  assertEquals(again.steps, found.steps);
  await property("no three aces", threeAces, { seed: found.seed, runs: 1, steps: steps.slice(1) });
});

test("property() draws after the steps do not depend on which steps were made", async () => {
  const last = async (steps?: number[]) => {
    let drawn = 0;
    await property("last", (run) => {
      for (const _step of run.steps(10)) run.random();
      drawn = run.random();
    }, { runs: 1, ...(steps && { steps }) });
    return drawn;
  };
  assertEquals(await last([2, 5]), await last());
});

test("property() leaves out what only seems to matter, but keeps the same kind of failure", async () => {
  const found = await failureOf("kinds", (run) => {
    const made: number[] = [];
    for (const step of run.steps(20)) made.push(step);
    if (made.length === 20) throw new TypeError("all twenty");
    throw new RangeError("fewer");
  }, { runs: 1 });
  assertEquals([found.steps.length, (found.cause as Error).name], [20, "TypeError"]);
});

test("property() makes nothing shorter with maxShrinkRuns: 0", async () => {
  const found = await failureOf("no three aces", threeAces, { runs: 1, maxShrinkRuns: 0 });
  assertEquals(found.steps.at(-1)!.number + 1, found.steps.length);
  assert(found.steps.length > 10);
});

test("property() fails with a run that waits for what never comes", async () => {
  const found = await failureOf("settles", async (run) => {
    for (const _step of run.steps(2)) await new Promise(() => {});
  }, { runs: 3, runTimeLimitMs: 20 });
  assertEquals([found.seed, found.steps.length], [1, 1]);
  assertEquals((found.cause as Error).message, "it has not settled after 20 ms");
});

test("property() begins no run when its time is over, but always one", async () => {
  const slow = () => {
    for (const startMs = performance.now(); performance.now() - startMs < 5;);
  };
  const { runs } = await property("slow", slow, { runs: 1000, timeLimitMs: 1 });
  assertEquals(runs, 1);
});

test("property() takes the seed of the environment, and that one alone", async () => {
  const seeds: number[] = [];
  process.env.JACKFIELD_SEED = "41";
  try {
    await property("seeds", (run) => void seeds.push(run.seed), { seed: 7, runs: 4 });
    process.env.JACKFIELD_SEED = "forty";
    await assertRejects(() => property("seeds", () => {}), RangeError, 'Cannot use seed "NaN"');
  } finally {
    delete process.env.JACKFIELD_SEED;
  }
  assertEquals(seeds, [41]);
});

test("property() refuses options that it cannot use, and names them", async () => {
  const cases: [object, string][] = [
    [{ seed: 1.5 }, 'seed "1.5"'],
    [{ runs: 0 }, 'runs "0"'],
    [{ maxShrinkRuns: -1 }, 'maxShrinkRuns "-1"'],
    [{ timeLimitMs: 0 }, 'timeLimitMs "0"'],
    [{ runTimeLimitMs: NaN }, 'runTimeLimitMs "NaN"'],
  ];
  for (const [options, part] of cases) {
    await assertRejects(() => property("none", () => {}, options), RangeError, part);
  }
});

test("property() says what is no error, too", async () => {
  const found = await failureOf("odd", () => {
    // deno-lint-ignore no-throw-literal -- that is what this is about
    throw "a word";
  }, { runs: 1 });
  assertStringIncludes(found.message, "a word\nRun it again with JACKFIELD_SEED=1");
});

test("seededDice() falls evenly", () => {
  const dice = seededDice(5);
  const counts = [0, 0, 0, 0];
  for (let times = 0; times < 4000; times++) counts[dice.oneOf([0, 1, 2, 3])]!++;
  for (const count of counts) assert(count > 900 && count < 1100, String(counts));
});
