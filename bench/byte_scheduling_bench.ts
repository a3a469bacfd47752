// What a turn costs, in Deno, Bun and Node: who is next and how many bytes, and what was sent, with
// ten flows and with ten thousand. Nothing is sent, so that nothing else counts.
//
//   deno run -A bench/byte_scheduling_bench.ts
//   bun bench/byte_scheduling_bench.ts
//   node bench/byte_scheduling_bench.ts
import { ByteScheduler, DeficitRoundRobin, RateLimit } from "../src/queue/mod.ts";
import { spreadOf } from "./support/statistics.ts";

const ROUNDS = 15;
const TURNS = 100_000;
const COUNTS: readonly number[] = [10, 100, 1_000, 10_000];
/** What a turn may cost. */
const GOAL_NS = 300;

/** Does so many turns. */
type Side = (turns: number) => void;

/** As many clients as this, with the flows spread over them. */
function clientOf(index: number, count: number): string {
  return `client ${index % Math.max(1, count / 10)}`;
}

function roundRobinSide(count: number, priorities: number): Side {
  const flows = new DeficitRoundRobin<number>();
  for (let i = 0; i < count; i++) {
    flows.add(i, { client: clientOf(i, count), priority: i % priorities });
  }
  return (turns) => {
    for (let i = 0; i < turns; i++) {
      const { flow, bytes } = flows.next()!;
      flows.sent(flow, bytes);
    }
  };
}

/** Every fourth turn ends early, and its flow is parked until eight turns later. */
function stallingSide(count: number): Side {
  const flows = new DeficitRoundRobin<number>();
  for (let i = 0; i < count; i++) flows.add(i, { client: clientOf(i, count) });
  const parked = Array.from({ length: 8 }, () => flows.peek()!);
  return (turns) => {
    for (let i = 0; i < turns; i++) {
      const turn = flows.next();
      if (turn !== undefined) {
        const { flow, bytes } = turn;
        if (i % 4 === 0) {
          flows.park(flow);
          flows.sent(flow, bytes >> 2);
          parked[i >> 2 & 7] = flow;
        } else flows.sent(flow, bytes);
      }
      flows.ready(parked[(i >> 2) + 1 & 7]!);
    }
  };
}

/** Rates of a flow, its client and all together; the first two may be strict, the last is not. */
function schedulerSide(count: number, flowRate: number | undefined, overall: boolean): Side {
  const flows = new ByteScheduler<number>({
    maxActive: count,
    rateLimit: overall ? new RateLimit(1e15) : undefined,
    rateLimitOf: overall ? () => new RateLimit(1e15) : undefined,
  });
  for (let i = 0; i < count; i++) {
    const rateLimit = flowRate === undefined ? undefined : new RateLimit(flowRate);
    flows.add(i, { client: clientOf(i, count), rateLimit });
  }
  let nowMs = 1000;
  return (turns) => {
    for (let i = 0; i < turns; i++) {
      const turn = flows.next(nowMs);
      if (turn === undefined) nowMs += Math.max(flows.waitMs(nowMs), 1);
      else flows.sent(turn.flow, turn.bytes);
    }
  };
}

const SIDES: Record<string, (count: number) => Side> = {
  "round robin": (count) => roundRobinSide(count, 1),
  "round robin, 3 priorities": (count) => roundRobinSide(count, 3),
  "round robin, parks 1 of 4": (count) => stallingSide(count),
  "scheduler, no limits": (count) => schedulerSide(count, undefined, false),
  "scheduler, limits that allow it": (count) => schedulerSide(count, undefined, true),
  "scheduler, 100 KiB/s a flow": (count) => schedulerSide(count, 102_400, false),
};

function nsOf(side: Side): number {
  const beginMs = performance.now();
  side(TURNS);
  return (performance.now() - beginMs) * 1e6 / TURNS;
}

let late = false;
console.log(`ns per turn, median of ${ROUNDS} rounds of ${TURNS} turns (lower and upper quartile)`);
console.log(`| flows | ${COUNTS.join(" | ")} |\n| --- |${" ---: |".repeat(COUNTS.length)}`);
for (const [name, start] of Object.entries(SIDES)) {
  const sides = COUNTS.map((count) => start(count));
  for (const side of sides) side(TURNS); // to warm up
  const figures = sides.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, side] of sides.entries()) figures[at]!.push(nsOf(side));
  }
  const cells = figures.map((one) => {
    const { lower, median, upper } = spreadOf(one);
    late ||= median > GOAL_NS;
    return `${median.toFixed(0)} (${lower.toFixed(0)}-${upper.toFixed(0)})`;
  });
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
console.log(late ? `More than ${GOAL_NS} ns` : `All within ${GOAL_NS} ns`);
