import {
  leastBusy,
  type PoolCandidate,
  type PoolRequest,
  powerOfTwoChoices,
  random,
  roundRobin,
  type SocketPoolOptions,
  startStrategy,
  sticky,
  type Strategy,
  weighted,
} from "../../../src/core.ts";
import type { Dice } from "../../support/seeds.ts";

/** Who asks, in a run; each with its weight. */
export const TENANTS: Readonly<Record<string, number>> = { "": 1, "a": 1, "b": 2, "c": 0.5 };

/** What a strategy of a pool is. */
export type PoolStrategy = Strategy<PoolCandidate, PoolRequest>;

/** How a run is set up. */
export interface RunSettings {
  readonly targets: number;
  /** The most sockets of each target. */
  readonly targetSizes: readonly number[];
  /** Everything but what the run makes itself. */
  readonly options: Omit<SocketPoolOptions<object | undefined>, "transport" | "target">;
  readonly weights: readonly number[];
  readonly hooks: { readonly prepare: boolean; readonly check: boolean; readonly reset: boolean };
  /** How often a hook goes wrong. */
  readonly badness: number;
  /** Whether most callers use `use`. */
  readonly nests: boolean;
  /** Whether an observer watches. */
  readonly watched: boolean;
}

/** The time that hooks have, in milliseconds. */
export const HOOK_LIMIT_MS = 10;

/** Draw what a pool is like. */
export function drawSettings(dice: Dice): RunSettings {
  const nests = dice.below(4) === 0;
  const maxSize = 1 + dice.below(nests ? 3 : 6); // So that tasks often hold all there is.
  const targets = dice.oneOf([1, 1, 1, 2, 3]);
  const backoffMs = dice.oneOf([0, 5, 5]);
  const list = Array.from({ length: targets });
  return {
    targets,
    targetSizes: list.map(() => dice.below(4) === 0 ? 1 + dice.below(3) : Infinity),
    weights: list.map(() => dice.oneOf([1, 1, 3])),
    hooks: {
      prepare: dice.below(2) === 0,
      check: dice.below(5) < 2,
      reset: dice.below(10) < 3,
    },
    badness: dice.oneOf([0.01, 0.05, 0.3]),
    nests,
    watched: dice.below(4) > 0,
    options: {
      maxSize,
      minIdle: dice.below(3) === 0 ? 1 + dice.below(maxSize) : 0,
      maxConnecting: dice.oneOf([16, 16, 1, 2]),
      maxWaiting: dice.oneOf([20, 5, 1, Infinity]),
      connectTimeoutMs: dice.oneOf([8, 30]),
      prepareTimeoutMs: HOOK_LIMIT_MS,
      checkTimeoutMs: HOOK_LIMIT_MS,
      resetTimeoutMs: HOOK_LIMIT_MS,
      checkAfterMs: dice.oneOf([0, 10, Infinity]),
      checkIntervalMs: dice.oneOf([30, Infinity]),
      idleTimeoutMs: dice.oneOf([40, 1000, Infinity]),
      maxLifetimeMs: dice.oneOf([100, 1000, Infinity]),
      leakAfterMs: dice.oneOf([50, Infinity, Infinity]),
      backoffMs,
      maxBackoffMs: backoffMs + dice.oneOf([0, 40]),
      breakAfter: dice.oneOf([1, 2, 5, Infinity]),
      agingMs: dice.oneOf([1000, 10, 0]),
      tenantWeight: (tenant) => TENANTS[tenant]!,
      debug: dice.below(20) === 0 ? 0.5 : false,
      strategy: drawStrategy(dice),
      random: () => dice.random(),
    },
  };
}

/** Draw a strategy: one of those shipped, or a function that wants none now and then. */
export function drawStrategy(dice: Dice): PoolStrategy {
  const draw = { random: () => dice.random() };
  switch (dice.below(8)) {
    case 0:
      return random(draw);
    case 1:
      return leastBusy();
    case 2:
      return powerOfTwoChoices(draw);
    case 3:
      return weighted(({ weight }) => weight);
    case 4:
      return sticky(({ key }) => key);
    case 5:
      return (sockets) => dice.oneOf(sockets);
    case 6:
      return (sockets) => dice.below(3) === 0 ? undefined : sockets[0];
    default:
      return roundRobin();
  }
}

/** Whether a strategy promises to take one whenever there is one. */
export function takesAny(strategy: PoolStrategy): boolean {
  return startStrategy(strategy).window !== undefined;
}
