import { Bag, placeOf } from "./bag.ts";
import type { StatefulStrategy } from "./strategy.ts";

/** Options of {@linkcode random} and {@linkcode powerOfTwoChoices}. */
export interface RandomOptions {
  /**
   * Gives numbers from 0 to below 1.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
}

/**
 * Any available one, each with the same probability.
 *
 * It keeps a list of its own, so that a choice costs the same whatever the number of candidates.
 *
 * @example
 * ```ts
 * import { random, startStrategy } from "@jackfield/jackfield/core";
 *
 * const picker = startStrategy(random<string>({ random: () => 0.9 }));
 * for (const name of ["a", "b"]) picker.added?.(name); // A place says what became available.
 * if (picker.pick([], undefined) !== "b") throw new Error("unexpected");
 * ```
 */
export function random<Candidate>(
  options: RandomOptions = {},
): StatefulStrategy<Candidate, unknown> {
  const { random: draw = Math.random } = options;
  const start = () => {
    const available = new Bag<Candidate>();
    return {
      window: 0,
      pick: () => available.size === 0 ? undefined : available.at(placeOf(draw(), available.size)),
      added: (candidate: Candidate) => available.add(candidate),
      removed: (candidate: Candidate) => available.remove(candidate),
    };
  };
  return { name: "random", start };
}
