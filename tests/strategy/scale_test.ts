import { assertEquals, assertLess } from "@std/assert";
import {
  leastBusy,
  powerOfTwoChoices,
  random,
  roundRobin,
  sticky,
  type Strategy,
  weighted,
} from "../../src/strategy/mod.ts";
import { seededRandom } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { startCpuTime } from "../support/cpu_time.ts";
import { Item, Place } from "./tools.ts";

interface Request {
  readonly key: number;
}

const STRATEGIES: Record<string, () => Strategy<Item, Request>> = {
  "roundRobin()": () => roundRobin(),
  "random()": () => random({ random: seededRandom(1) }),
  "leastBusy()": () => leastBusy(),
  "powerOfTwoChoices()": () => powerOfTwoChoices({ random: seededRandom(1) }),
  "weighted()": () => weighted(({ weight }) => weight),
  "sticky()": () => sticky(({ key }) => key),
};

const TASKS = 500;

/** Candidates that count how often a strategy looks at one of them. */
class Watched extends Item {
  static looks = 0;

  override get load(): number {
    Watched.looks++;
    return super.load;
  }

  override set load(load: number) {
    super.load = load;
  }
}

function placeOf(make: () => Strategy<Item, Request>, count: number): Place<Request> {
  const items = Array.from(
    { length: count },
    (_, at) => new Watched(String(at), { weight: 1 + at % 3 }),
  );
  return new Place(make(), items);
}

/** Each task asks, takes, has a load while it is at work, and puts back. */
function serve(place: Place<Request>): void {
  for (let task = 0; task < TASKS; task++) {
    const item = place.take({ key: task })!;
    item.load = 1;
    item.load = 0;
    place.add(item);
  }
}

for (const [name, make] of Object.entries(STRATEGIES)) {
  test(`${name} looks at as many of 10,000 candidates as of ten (P4)`, () => {
    const [few, many] = [10, 10_000].map((count) => {
      const place = placeOf(make, count);
      serve(place);
      Watched.looks = 0;
      serve(place);
      return Watched.looks;
    });
    assertEquals(many, few);
    assertLess(many!, 4 * TASKS);
  });

  test(`${name} takes about as long with 10,000 candidates as with ten (P4)`, () => {
    const places = [10, 10_000].map((count) => placeOf(make, count));
    const times = [Infinity, Infinity];
    for (let round = 0; round < 31; round++) {
      for (const [at, place] of places.entries()) {
        const spentMs = startCpuTime();
        serve(place);
        times[at] = Math.min(times[at]!, spentMs());
      }
    }
    const [few, many] = times as [number, number];
    // Nearly the same on a quiet machine; a look at all of them is hundreds of times dearer.
    assertLess(many / few, 8, `${few} ms became ${many} ms`);
  });
}
