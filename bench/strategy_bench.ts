// What a choice costs with `deno bench -A bench/strategy_bench.ts`: asked, taken out and put back, as
// a pool does it, with ten candidates and with ten thousand. In each group the bare rotation, which
// every place keeps, is the baseline.
import {
  leastBusy,
  type Loaded,
  powerOfTwoChoices,
  random,
  recorded,
  Rotation,
  type RotationNode,
  roundRobin,
  startStrategy,
  sticky,
  type Strategy,
  weighted,
} from "../src/strategy/mod.ts";

interface Request {
  readonly key: number;
}

class Target {
  load = 0;
}

class Candidate implements Loaded, RotationNode<Candidate> {
  before: Candidate | undefined = undefined;
  after: Candidate | undefined = undefined;
  available = false;
  rotation: object | undefined = undefined;
  turn = 0;
  readonly group: Target;
  readonly weight: number;

  constructor(group: Target, weight: number) {
    this.group = group;
    this.weight = weight;
  }

  get load(): number {
    return this.group.load;
  }
}

const TASKS = 1_000;

const STRATEGIES: Record<string, () => Strategy<Candidate, Request>> = {
  "round robin": () => roundRobin(),
  random: () => random(),
  "least busy": () => leastBusy(),
  "power of two choices": () => powerOfTwoChoices(),
  "weighted, three weights": () => weighted(({ weight }) => weight),
  "sticky, 1,000 keys": () => sticky(({ key }) => key),
  "a function that takes the first": () => (candidates) => candidates[0],
  "round robin, recorded until full": () => recorded(roundRobin(), [], { maxDecisions: 20_000 }),
};

for (const count of [10, 10_000]) {
  const options = { group: `${TASKS} tasks, ${count} candidates on three targets` };
  const bare = new Rotation<Candidate>();
  for (const candidate of candidates(count)) bare.insert(candidate);
  let turn = count;
  Deno.bench("only the rotation", { ...options, baseline: true }, () => {
    for (let task = 0; task < TASKS; task++) {
      const candidate = bare.view(1)[0]!;
      bare.remove(candidate);
      candidate.turn = ++turn;
      bare.insert(candidate);
    }
  });
  for (const [name, make] of Object.entries(STRATEGIES)) {
    const run = placeWith(make(), count);
    run(); // It works, and is warm.
    Deno.bench(name, options, run);
  }
}

function candidates(count: number): Candidate[] {
  const targets = [new Target(), new Target(), new Target()];
  return Array.from({ length: count }, (_, at) => new Candidate(targets[at % 3]!, 1 + at % 3));
}

/** A place as small as a pool can be; each call lets it serve all tasks. */
function placeWith(strategy: Strategy<Candidate, Request>, count: number): () => void {
  const rotation = new Rotation<Candidate>();
  const picker = startStrategy(strategy);
  let turn = 0;
  for (const candidate of candidates(count)) {
    candidate.turn = ++turn;
    rotation.insert(candidate);
    picker.added?.(candidate);
  }
  const requests = Array.from({ length: 1_000 }, (_, key) => ({ key: key * 7 % 1_000 }));
  return () => {
    for (let task = 0; task < TASKS; task++) {
      const picked = picker.pick(rotation.view(picker.window), requests[task]!);
      if (picked === undefined) throw new Error("nothing was chosen");
      rotation.remove(picked);
      picker.removed?.(picked);
      picked.turn = ++turn;
      picked.group.load++;
      picked.group.load--;
      rotation.insert(picked);
      picker.added?.(picked);
    }
  };
}
