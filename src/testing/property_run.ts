import { seededRandom } from "../adapters/memory/mod.ts";
import { type Dice, diceOf } from "./dice.ts";

/**
 * One run of a property: dice, and steps that can be left out one by one.
 *
 * Each step draws from dice of its own, so that leaving one out changes no draw of the others. That
 * is what makes a long list of steps short after a failure.
 */
export interface PropertyRun extends Dice {
  /** The same seed gives the same run. */
  readonly seed: number;
  /**
   * The numbers of so many steps, one after the other, without those that are left out. What is
   * drawn while one of them is made belongs to it.
   */
  steps(count: number): Iterable<number>;
  /** Says what the step does; it stands in the failure. Of several the last one counts. */
  note(what: string): void;
}

/** A step that was made. */
export interface MadeStep {
  /** Its number, from 0. */
  readonly number: number;
  /** What `note` was told. */
  readonly what: string;
}

/** A run that remembers its steps. */
export class RecordedRun implements PropertyRun {
  readonly seed: number;
  readonly random: () => number = () => this.#draw();
  readonly below: Dice["below"];
  readonly oneOf: Dice["oneOf"];
  /** The steps that were made, in order. */
  readonly made: MadeStep[] = [];
  #only: ReadonlySet<number> | undefined;
  #draw: () => number;
  #next = 0;

  /** Makes all steps, or these only. */
  constructor(seed: number, only?: Iterable<number>) {
    this.seed = seed;
    this.#only = only === undefined ? undefined : new Set(only);
    this.#draw = seededRandom(seed);
    ({ below: this.below, oneOf: this.oneOf } = diceOf(this.random));
  }

  *steps(count: number): Generator<number, void, undefined> {
    const end = this.#next + count;
    while (this.#next < end) {
      const number = this.#next++;
      if (this.#only?.has(number) === false) continue;
      this.made.push({ number, what: "" });
      this.#draw = seededRandom(mixed(this.seed, number));
      yield number;
    }
    // What follows the steps must not depend on which of them was the last one.
    this.#draw = seededRandom(mixed(this.seed, -end));
  }

  note(what: string): void {
    const last = this.made.at(-1);
    if (last !== undefined) this.made[this.made.length - 1] = { ...last, what };
  }
}

/** Seeds that differ in one bit give numbers that differ in about half of them. */
function mixed(seed: number, number: number): number {
  return Math.imul(seed ^ Math.imul(number + 1, 0x9e3779b1), 0x85ebca6b) >>> 0;
}
