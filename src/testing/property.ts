import { environmentVariable } from "../adapters/shared/environment_variable.ts";
import { systemClock } from "../transport/mod.ts";
import { OverdueError, within } from "./overdue.ts";
import { type MadeStep, type PropertyRun, RecordedRun } from "./property_run.ts";
import { shrink } from "./shrink.ts";

/** What must hold in a run: it throws, or rejects, when it does not. */
export type PropertyBody = (run: PropertyRun) => void | Promise<void>;

/** Options of {@linkcode property}. */
export interface PropertyOptions {
  /**
   * The seed of the first run; each run takes the next one. The environment variable
   * `JACKFIELD_SEED`, where it may be read, comes before it, and then there is one run.
   *
   * @default {1}
   */
  readonly seed?: number;
  /**
   * How many runs there are at most.
   *
   * @default {100}
   */
  readonly runs?: number;
  /**
   * No run begins after so many milliseconds, and a failure is not made shorter after as many again.
   *
   * @default {Infinity}
   */
  readonly timeLimitMs?: number;
  /**
   * A run that has not settled after so many milliseconds has failed: it waits for what never comes.
   *
   * @default {10_000}
   */
  readonly runTimeLimitMs?: number;
  /**
   * Make these steps only, as a failure names them.
   *
   * @default {all}
   */
  readonly steps?: readonly number[];
  /**
   * How many runs may be made to find fewer steps that fail; 0 for none.
   *
   * @default {500}
   */
  readonly maxShrinkRuns?: number;
}

/** What {@linkcode property} has done. */
export interface PropertyFacts {
  /** How many runs there were. */
  readonly runs: number;
  /** How many steps they made together. */
  readonly steps: number;
}

/** A property does not hold: what shows it. `cause` is what the run failed with. */
export class PropertyError extends Error {
  /** Tells it from other errors. */
  override readonly name = "PropertyError";
  /** The seed that shows it. */
  readonly seed: number;
  /** The steps that show it, as few as were found. */
  readonly steps: readonly MadeStep[];

  /** Made by {@linkcode property}. */
  constructor(title: string, failure: Failure, allSteps: number) {
    const { seed, steps, error } = failure;
    super(messageOf(title, failure, allSteps), { cause: error });
    this.seed = seed;
    this.steps = steps;
  }
}

/** A run that failed. */
interface Failure {
  readonly seed: number;
  readonly steps: readonly MadeStep[];
  readonly error: unknown;
}

/**
 * Run a test with many seeds. A failure names the seed, and the fewest steps that were found to
 * show it; the same seed gives the same failure again, in every runtime.
 *
 * @param name Stands in the failure.
 * @param body Draws from the run it is given, and from nothing else that changes.
 * @throws {PropertyError} When a run fails.
 *
 * @example
 * ```ts
 * import { property, PropertyError } from "@jackfield/jackfield/testing";
 *
 * const found = await property("a counter stays below 3", (run) => {
 *   let count = 0;
 *   for (const _step of run.steps(50)) {
 *     const isUp = run.below(4) === 0;
 *     run.note(isUp ? "up" : "nothing");
 *     if (isUp) count++;
 *     if (count >= 3) throw new Error(`it is ${count}`);
 *   }
 * }).catch((error) => error);
 *
 * if (!(found instanceof PropertyError)) throw new Error("unexpected");
 * if (found.steps.map(({ what }) => what).join() !== "up,up,up") throw found;
 * ```
 */
export async function property(
  name: string,
  body: PropertyBody,
  options: PropertyOptions = {},
): Promise<PropertyFacts> {
  const { timeLimitMs = Infinity, runTimeLimitMs = 10_000, steps: only, maxShrinkRuns = 500 } =
    options;
  const fixed = environmentVariable("JACKFIELD_SEED");
  const seed = checked("seed", fixed === undefined ? options.seed ?? 1 : Number(fixed), -Infinity);
  const runs = fixed === undefined ? checked("runs", options.runs ?? 100, 1) : 1;
  checked("maxShrinkRuns", maxShrinkRuns, 0);
  for (const [name, value] of Object.entries({ timeLimitMs, runTimeLimitMs })) {
    if (!(value > 0)) throw new RangeError(`Cannot use ${name} "${value}": expected more than 0`);
  }
  const endMs = systemClock.now() + timeLimitMs;
  let done = 0;
  let steps = 0;
  for (; done < runs && (done === 0 || systemClock.now() < endMs); done++) {
    const run = new RecordedRun(seed + done, only);
    const failure = await failureOf(body, run, runTimeLimitMs);
    steps += run.made.length;
    if (failure === undefined) continue;
    const limits = {
      maxRuns: maxShrinkRuns,
      endMs: systemClock.now() + timeLimitMs,
      runTimeLimitMs,
    };
    const shortest = await shorten(body, failure, limits);
    throw new PropertyError(name, shortest, failure.steps.length);
  }
  return { runs: done, steps };
}

async function failureOf(
  body: PropertyBody,
  run: RecordedRun,
  limitMs: number,
): Promise<Failure | undefined> {
  try {
    const settles = body(run);
    if (settles !== undefined) await within(limitMs, settles);
    return undefined;
  } catch (error) {
    return { seed: run.seed, steps: [...run.made], error };
  }
}

/** How long a shorter list of steps is looked for. */
interface ShortenLimits {
  readonly maxRuns: number;
  readonly endMs: number;
  readonly runTimeLimitMs: number;
}

/** The same kind of failure with fewer steps. */
async function shorten(
  body: PropertyBody,
  first: Failure,
  { maxRuns, endMs, runTimeLimitMs }: ShortenLimits,
): Promise<Failure> {
  let shortest = first;
  if (first.error instanceof OverdueError) return first; // Each try would take as long again.
  await shrink(first.steps, async (steps) => {
    if (systemClock.now() >= endMs) return undefined;
    const run = new RecordedRun(first.seed, steps.map(({ number }) => number));
    const failure = await failureOf(body, run, runTimeLimitMs);
    if (failure === undefined || kindOf(failure.error) !== kindOf(first.error)) return undefined;
    return (shortest = failure).steps;
  }, maxRuns);
  return shortest;
}

/** Another error would be another fault; a number in a message may well be another one. */
function kindOf(error: unknown): string {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  return `${name} ${code}`;
}

function checked(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  const wanted = least === -Infinity ? "an integer" : `an integer of at least ${least}`;
  throw new RangeError(`Cannot use ${name} "${value}": expected ${wanted}`);
}

function messageOf(title: string, { seed, steps, error }: Failure, allSteps: number): string {
  const why = error instanceof Error ? error.message : String(error);
  const lines = [`Property does not hold: ${title}`, why];
  let replay = `seed: ${seed}, runs: 1`;
  if (steps.length > 0) {
    const list = steps.map(({ number, what }) => `${number} ${what}`.trimEnd());
    lines.push(`${steps.length} of ${allSteps} steps show it: ${list.join(", ")}`);
    const numbers = steps.map(({ number }) => number).join(", ");
    if (steps.length < allSteps) replay += `, steps: [${numbers}]`;
  }
  lines.push(`Run it again with JACKFIELD_SEED=${seed}, or with { ${replay} }`);
  return lines.join("\n");
}
