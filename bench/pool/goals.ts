import type { Runtime } from "../support/child.ts";
import { AWAITED, CONTENDED, STACK, SYNCHRONOUS } from "./cells.ts";

/** What a figure should be. */
export interface Goal {
  /** Less than this is short; nothing is, without. */
  readonly atLeast?: number;
  /** The aim. */
  readonly aim: number;
}

const CONTENDED_RATIOS: Readonly<Record<Runtime, number>> = { node: 2, deno: 2.5, bun: 3 };

/** What our speed should be against a contender's; `undefined` where nothing is asked. */
export function ratioGoal(runtime: Runtime, cell: string, contender: string): Goal | undefined {
  if (cell === AWAITED && contender === "generic-pool") return { atLeast: 3, aim: 4 };
  if (cell === SYNCHRONOUS && contender === "generic-pool, awaited") {
    return { atLeast: 10, aim: 20 };
  }
  if (cell !== CONTENDED) return undefined;
  const least = CONTENDED_RATIOS[runtime];
  if (contender === "generic-pool") return { atLeast: least, aim: least };
  return contender === STACK ? { aim: 0.8 } : undefined;
}

/** How many of ours should be done in a second, from the nanoseconds that one may take. */
export function rateGoal(cell: string): Goal | undefined {
  if (cell === AWAITED) return { atLeast: 1e9 / 150, aim: 1e9 / 60 };
  return cell === SYNCHRONOUS ? { atLeast: 1e9 / 50, aim: 1e9 / 20 } : undefined;
}

/** The word for the table. */
export function verdict(figure: number, goal: Goal | undefined): string {
  if (goal === undefined) return "";
  if (figure >= goal.aim) return "ok";
  if (goal.atLeast === undefined) return "below aim";
  return figure >= goal.atLeast ? "ok, below aim" : SHORT;
}

/** The verdict that fails a gate. */
export const SHORT = "SHORT";
