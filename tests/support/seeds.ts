import process from "node:process";
import { seededRandom } from "../../src/testing/mod.ts";

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
 * Run a test with each of these seeds, or with the one in the environment variable JACKFIELD_SEED.
 * A failure says which seed shows it.
 */
export async function withSeeds(
  seeds: readonly number[],
  run: (dice: Dice, seed: number) => void | Promise<void>,
): Promise<void> {
  const only = process.env.JACKFIELD_SEED;
  for (const seed of only === undefined ? seeds : [Number(only)]) {
    const random = seededRandom(seed);
    const below = (count: number) => Math.floor(random() * count);
    const dice: Dice = { random, below, oneOf: (items) => items[below(items.length)]! };
    try {
      await run(dice, seed);
    } catch (cause) {
      const message = `JACKFIELD_SEED=${seed} shows it: ${(cause as Error).message}`;
      throw new Error(message, { cause });
    }
  }
}

/** Let everything that is ready happen, without letting time pass. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
