import { random } from "./random.ts";
import { roundRobin } from "./round_robin.ts";
import type { StatefulStrategy } from "./strategy.ts";

const STRATEGIES = { "round-robin": roundRobin, random } as const;

/**
 * The strategy of that name, for command lines and configuration files.
 *
 * @throws {RangeError} When there is none; the message lists the names.
 */
export function strategyByName<Candidate>(name: string): StatefulStrategy<Candidate, unknown> {
  const make = Object.hasOwn(STRATEGIES, name)
    ? STRATEGIES[name as keyof typeof STRATEGIES]
    : undefined;
  if (make !== undefined) return make<Candidate>();
  const names = Object.keys(STRATEGIES).join(", ");
  throw new RangeError(`Cannot use strategy "${name}": expected one of ${names}`);
}
