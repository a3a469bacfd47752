import { Bag, placeOf } from "./bag.ts";
import { type Loaded, loadOf } from "./loaded.ts";
import type { RandomOptions } from "./random.ts";
import type { StatefulStrategy } from "./strategy.ts";

/**
 * Of two different available ones, drawn at random, the one with less load; at the same load the
 * one that was drawn first.
 *
 * Looking at two instead of one avoids nearly all pile-ups, and the load is read at the moment of
 * the choice. That suits several places that share their candidates without talking to each other:
 * they would all run to the same least busy one.
 *
 * @example
 * ```ts
 * import { powerOfTwoChoices, startStrategy } from "@jackfield/jackfield/core";
 *
 * const picker = startStrategy(powerOfTwoChoices<{ load: number }>());
 * const [busy, idle] = [{ load: 7 }, { load: 0 }];
 * for (const candidate of [busy, idle]) picker.added?.(candidate);
 * if (picker.pick([], undefined) !== idle) throw new Error("unexpected");
 * ```
 */
export function powerOfTwoChoices<Candidate extends Loaded>(
  options: RandomOptions = {},
): StatefulStrategy<Candidate, unknown> {
  const { random: draw = Math.random } = options;
  const start = () => {
    const available = new Bag<Candidate>();
    const pick = () => {
      const { size } = available;
      if (size < 2) return available.at(0);
      const first = placeOf(draw(), size);
      let second = placeOf(draw(), size - 1);
      if (second >= first) second++; // Any but the first, each with the same probability.
      const [one, other] = [available.at(first)!, available.at(second)!];
      return loadOf(other) < loadOf(one) ? other : one;
    };
    return {
      window: 0,
      pick,
      added: (candidate: Candidate) => available.add(candidate),
      removed: (candidate: Candidate) => available.remove(candidate),
    };
  };
  return { name: "power-of-two-choices", start };
}
