import process from "node:process";
import { type Dice, seededDice } from "../../src/testing/mod.ts";

export type { Dice };

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
    try {
      await run(seededDice(seed), seed);
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
