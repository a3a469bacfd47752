import type { StatefulStrategy } from "./strategy.ts";

/** Options of {@linkcode random}. */
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
 * @example
 * ```ts
 * import { random, startStrategy } from "@jackfield/jackfield/core";
 *
 * const strategy = random<string>({ random: () => 0.9 });
 * const picked = startStrategy(strategy).pick(["a", "b"], undefined);
 * if (picked !== "b") throw new Error("unexpected");
 * ```
 */
export function random<Candidate>(
  options: RandomOptions = {},
): StatefulStrategy<Candidate, unknown> {
  const { random: draw = Math.random } = options;
  const start = () => ({
    pick: (candidates: readonly Candidate[]) => candidates[Math.floor(draw() * candidates.length)],
  });
  return { name: "random", start };
}
