import type { PoolCandidate, PoolRequest } from "../pool/mod.ts";
import type { Strategy } from "../strategy/mod.ts";
import { assertCount } from "./assert_count.ts";
import type { Dice } from "./dice.ts";
import { madeUpCandidates } from "./made_up_candidate.ts";
import type { PropertyBody } from "./property.ts";
import { type CandidateMaker, StrategyPlace } from "./strategy_place.ts";
import { watchedStrategy } from "./watched_strategy.ts";

/** Options of {@linkcode strategyModel} that any strategy has. */
export interface StrategyModelOptions {
  /** How many candidates each place has in all. @default {8} */
  readonly candidates?: number;
  /** How many steps a run makes. @default {200} */
  readonly steps?: number;
  /**
   * How many choices of others an available candidate may see pass before its own turn comes; for
   * `roundRobin` one less than there are candidates.
   *
   * @default {Infinity}
   */
  readonly maxPassedOver?: number;
}

/**
 * The random life of a strategy, for {@linkcode property}: candidates come, go, change, are chosen
 * and come back, in two places at once, and another picker takes over now and then. After each step
 * the rules of {@linkcode watchedStrategy} must hold.
 *
 * @param create Makes the strategy for one run; what it draws comes from the dice.
 * @throws {RangeError} When a number of the options is out of range.
 *
 * @example
 * ```ts
 * import { random, roundRobin } from "@jackfield/jackfield/core";
 * import { property, strategyModel } from "@jackfield/jackfield/testing";
 *
 * const options = { candidates: 5, maxPassedOver: 4 };
 * await property("roundRobin takes turns", strategyModel(() => roundRobin(), options), { runs: 5 });
 * await property("random", strategyModel((dice) => random({ random: dice.random })), { runs: 5 });
 * ```
 */
export function strategyModel(
  create: (dice: Dice) => Strategy<PoolCandidate, PoolRequest>,
  options?: StrategyModelOptions,
): PropertyBody;
/**
 * The same for a strategy of other candidates than a pool's.
 *
 * @param create Makes the strategy for one run; what it draws comes from the dice.
 */
export function strategyModel<Candidate extends object, Request>(
  create: (dice: Dice) => Strategy<Candidate, Request>,
  options: StrategyModelOptions & CandidateMaker<Candidate, Request>,
): PropertyBody;
export function strategyModel<Candidate extends object, Request>(
  create: (dice: Dice) => Strategy<Candidate, Request>,
  options: StrategyModelOptions & Partial<CandidateMaker<Candidate, Request>> = {},
): PropertyBody {
  const { candidates = 8, steps = 200, maxPassedOver = Infinity } = options;
  assertCount("candidates", candidates);
  assertCount("steps", steps);
  const makerFor = (place: string, dice: Dice) =>
    (options.candidate === undefined ? madeUpCandidates(place, dice) : options) as CandidateMaker<
      Candidate,
      Request
    >;
  return (run) => {
    const strategy = watchedStrategy(create(run), { maxPassedOver });
    const places = ["a", "b"].map((name) =>
      new StrategyPlace(strategy, candidates, makerFor(name, run), run)
    );
    for (const _step of run.steps(steps)) {
      run.oneOf(places).step();
      strategy.check();
    }
  };
}
