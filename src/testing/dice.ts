import { seededRandom } from "../adapters/memory/mod.ts";

/** What a seeded test draws from. */
export interface Dice {
  /** A number from 0 to below 1. */
  random(): number;
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
  /** Any of them; there must be one. */
  oneOf<T>(items: readonly T[]): T;
}

/**
 * Dice that fall the same way for the same seed, in every runtime.
 *
 * @example
 * ```ts
 * import { seededDice } from "@jackfield/jackfield/testing";
 *
 * const [one, other] = [seededDice(7), seededDice(7)];
 * if (one.below(1000) !== other.below(1000)) throw new Error("unexpected");
 * ```
 */
export function seededDice(seed: number): Dice {
  return diceOf(seededRandom(seed));
}

/** Dice over any source of numbers from 0 to below 1. */
export function diceOf(random: () => number): Dice {
  const below = (count: number) => Math.floor(random() * count);
  return { random, below, oneOf: (items) => items[below(items.length)]! };
}
