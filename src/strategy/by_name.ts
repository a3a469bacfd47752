import { leastBusy } from "./least_busy.ts";
import type { Loaded } from "./loaded.ts";
import { powerOfTwoChoices } from "./power_of_two_choices.ts";
import { random } from "./random.ts";
import { roundRobin } from "./round_robin.ts";
import type { StatefulStrategy } from "./strategy.ts";

const STRATEGIES = {
  "round-robin": roundRobin,
  random,
  "least-busy": leastBusy,
  "power-of-two-choices": powerOfTwoChoices,
} as const;

/**
 * The strategy of that name, for command lines and configuration files.
 *
 * The names are `round-robin`, `random`, `least-busy` and `power-of-two-choices`.
 *
 * @throws {RangeError} When there is none; the message lists the names.
 */
export function strategyByName<Candidate extends Loaded>(
  name: string,
): StatefulStrategy<Candidate, unknown> {
  const make = Object.hasOwn(STRATEGIES, name)
    ? STRATEGIES[name as keyof typeof STRATEGIES]
    : undefined;
  if (make !== undefined) return make<Candidate>();
  const names = Object.keys(STRATEGIES).join(", ");
  throw new RangeError(`Cannot use strategy "${name}": expected one of ${names}`);
}
