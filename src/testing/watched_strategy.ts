import {
  type Picker,
  startStrategy,
  type StatefulStrategy,
  type Strategy,
} from "../strategy/mod.ts";
import { nameOf } from "./name_of.ts";
import { Rules } from "./rules.ts";

/** Options of {@linkcode watchedStrategy}. */
export interface WatchedStrategyOptions {
  /**
   * How many choices of others an available candidate may see pass before its own turn comes.
   *
   * @default {Infinity}
   */
  readonly maxPassedOver?: number;
}

/** A strategy that is watched at work. */
export interface WatchedStrategy<Candidate, Request> extends StatefulStrategy<Candidate, Request> {
  /**
   * Throws with the first rule that was broken, by the strategy or by the place that uses it.
   *
   * @throws {Error} When there is one.
   */
  check(): void;
}

/**
 * The same strategy, with an eye on its rules: it chooses what is available or nothing, leaves the
 * list as it is, chooses whenever it has promised to (`window`), and passes nobody over too often;
 * the place tells it of each candidate that comes and goes, once.
 *
 * It goes wherever the strategy goes, such as into a pool, and does what the strategy does.
 *
 * @throws {RangeError} When `maxPassedOver` is less than 0.
 *
 * @example A strategy that does not hear that a socket is in use
 * ```ts
 * import { startStrategy } from "@jackfield/jackfield/core";
 * import { watchedStrategy } from "@jackfield/jackfield/testing";
 *
 * const deaf = watchedStrategy<string, undefined>({
 *   name: "deaf",
 *   start() {
 *     const known: string[] = [];
 *     return { pick: () => known[0], added: (name) => void known.push(name) };
 *   },
 * });
 * const picker = startStrategy(deaf);
 * picker.added?.("a");
 * picker.removed?.("a");
 * picker.pick([], undefined);
 * let message = "";
 * try {
 *   deaf.check();
 * } catch (error) {
 *   message = (error as Error).message;
 * }
 * if (message !== 'Strategy "deaf": it chose a, which is not available') throw new Error(message);
 * ```
 */
export function watchedStrategy<Candidate, Request>(
  strategy: Strategy<Candidate, Request>,
  options: WatchedStrategyOptions = {},
): WatchedStrategy<Candidate, Request> {
  const { name } = strategy;
  const { maxPassedOver = Infinity } = options;
  if (!(maxPassedOver >= 0)) {
    throw new RangeError(`Cannot use maxPassedOver "${maxPassedOver}": expected 0 or more`);
  }
  const rules = new Rules(`Strategy "${name}"`);
  return {
    name,
    start: () => new WatchedPicker(startStrategy(strategy), rules, maxPassedOver),
    check: () => rules.check(),
  };
}

class WatchedPicker<Candidate, Request> implements Picker<Candidate, Request> {
  readonly window?: number;
  #picker: Picker<Candidate, Request>;
  #rules: Rules;
  #maxPassedOver: number;
  /** What is available, and how often each was passed over. */
  #available = new Map<Candidate, number>();

  constructor(picker: Picker<Candidate, Request>, rules: Rules, maxPassedOver: number) {
    this.#picker = picker;
    this.#rules = rules;
    this.#maxPassedOver = maxPassedOver;
    if (picker.window !== undefined) this.window = picker.window;
  }

  pick(candidates: readonly Candidate[], request: Request): Candidate | undefined {
    const before = [...candidates];
    const stranger = before.find((candidate) => !this.#available.has(candidate));
    if (stranger !== undefined) this.#broke(`it was shown ${nameOf(stranger)}, which is gone`);
    const { window = Infinity } = this;
    if (before.length > window) this.#broke(`it was shown ${before.length}, more than its window`);
    const picked = this.#picker.pick(candidates, request);
    if (before.length !== candidates.length || before.some((one, at) => one !== candidates[at])) {
      this.#broke("it changed the list of candidates");
    }
    if (picked !== undefined) this.#chosen(picked);
    else if (this.window !== undefined && this.#available.size > 0) {
      this.#broke("it chose nothing, though it has a window and there is a candidate");
    }
    return picked;
  }

  added(candidate: Candidate): void {
    if (this.#available.has(candidate)) this.#broke(`it was told twice of ${nameOf(candidate)}`);
    this.#available.set(candidate, 0);
    this.#picker.added?.(candidate);
  }

  removed(candidate: Candidate): void {
    if (!this.#available.delete(candidate)) {
      this.#broke(`it was told that ${nameOf(candidate)} goes, which was not available`);
    }
    this.#picker.removed?.(candidate);
  }

  changed(candidate: Candidate): void {
    if (!this.#available.has(candidate)) {
      this.#broke(`it was told that ${nameOf(candidate)} changed, which is not available`);
    }
    this.#picker.changed?.(candidate);
  }

  #chosen(picked: Candidate): void {
    if (!this.#available.has(picked)) {
      this.#broke(`it chose ${nameOf(picked)}, which is not available`);
    }
    if (this.#maxPassedOver === Infinity) return;
    for (const [candidate, times] of this.#available) {
      this.#available.set(candidate, candidate === picked ? 0 : times + 1);
      if (candidate === picked || times < this.#maxPassedOver) continue;
      this.#broke(`it passed over ${nameOf(candidate)} ${times + 1} times`);
    }
  }

  #broke(how: string): void {
    this.#rules.broke(how);
  }
}
