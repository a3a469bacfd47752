import type { StatefulStrategy } from "./strategy.ts";

/**
 * The first available one in rotation: each in turn.
 *
 * @example
 * ```ts
 * import { roundRobin, startStrategy } from "@jackfield/jackfield/core";
 *
 * const picked = startStrategy(roundRobin<string>()).pick(["a", "b"], undefined);
 * if (picked !== "a") throw new Error("unexpected");
 * ```
 */
export function roundRobin<Candidate>(): StatefulStrategy<Candidate, unknown> {
  // The place that asks keeps the rotation order, so the first one is the next one.
  return { name: "round-robin", start: () => ({ window: 1, pick: (candidates) => candidates[0] }) };
}
