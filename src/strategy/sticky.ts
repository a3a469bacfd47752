import { LinkedList, type LinkedNode } from "./linked_list.ts";
import { roundRobin } from "./round_robin.ts";
import { type Picker, startStrategy, type StatefulStrategy, type Strategy } from "./strategy.ts";

/** Options of {@linkcode sticky}. */
export interface StickyOptions<Candidate, Request> {
  /**
   * Chooses for a key whose candidate is not available, and for requests without a key.
   *
   * @default {roundRobin()}
   */
  readonly otherwise?: Strategy<Candidate, Request>;
  /**
   * The most keys that are remembered; beyond these, the key that was not asked for for the longest
   * time is forgotten. `Infinity` for no limit.
   *
   * @default {10_000}
   */
  readonly maxKeys?: number;
}

/**
 * The same candidate for the same key, while it is available.
 *
 * When it is not, another strategy chooses, and the key moves to what that one chose. A candidate
 * that is in use or gone is not available; if it comes back, its keys find it again, unless they
 * have moved meanwhile. What a waiting task is given because it came free, without a choice, moves
 * no key. A request without a key (`undefined`) is left to the other strategy.
 *
 * Only the keys are kept alive by it, `maxKeys` of them; a candidate that is gone can be collected.
 *
 * @param keyOf reads the key of a request; keys are compared as in a `Map`
 * @throws {RangeError} When `maxKeys` is not a whole number of at least 1.
 *
 * @example
 * ```ts
 * import { startStrategy, sticky } from "@jackfield/jackfield/core";
 *
 * const strategy = sticky<{ name: string }, { user?: string }>(({ user }) => user);
 * const picker = startStrategy(strategy);
 * const [one, other] = [{ name: "one" }, { name: "other" }];
 * for (const candidate of [one, other]) picker.added?.(candidate);
 *
 * if (picker.pick([one, other], { user: "ann" }) !== one) throw new Error("unexpected");
 * if (picker.pick([other, one], { user: "bob" }) !== other) throw new Error("unexpected");
 * if (picker.pick([other, one], { user: "ann" }) !== one) throw new Error("unexpected");
 * ```
 */
export function sticky<Candidate extends object, Request>(
  keyOf: (request: Request) => unknown,
  options: StickyOptions<Candidate, Request> = {},
): StatefulStrategy<Candidate, Request> {
  const { otherwise = roundRobin<Candidate>(), maxKeys = 10_000 } = options;
  if (typeof keyOf !== "function") {
    throw new TypeError(`Cannot use key "${String(keyOf)}": expected a function`);
  }
  if (!(maxKeys >= 1) || (maxKeys !== Infinity && !Number.isInteger(maxKeys))) {
    throw new RangeError(`Cannot use maxKeys "${maxKeys}": expected an integer of at least 1`);
  }
  const start = () => new StickyPicker(keyOf, startStrategy(otherwise), maxKeys);
  return { name: "sticky", start };
}

/**
 * What a key remembers of a candidate. It names the candidate only while that one is available, so
 * that a key keeps none alive that is gone.
 */
interface Mark<Candidate> {
  candidate: Candidate | undefined;
}

/** A key and where it leads. */
interface Entry<Candidate> extends LinkedNode<Entry<Candidate>> {
  readonly key: unknown;
  mark: Mark<Candidate>;
}

class StickyPicker<Candidate extends object, Request> implements Picker<Candidate, Request> {
  readonly window?: number;
  #keyOf: (request: Request) => unknown;
  #otherwise: Picker<Candidate, Request>;
  #maxKeys: number;
  #marks = new WeakMap<Candidate, Mark<Candidate>>();
  #entries = new Map<unknown, Entry<Candidate>>();
  /** The one asked for last stands at the end. */
  #order = new LinkedList<Entry<Candidate>>();

  constructor(
    keyOf: (request: Request) => unknown,
    otherwise: Picker<Candidate, Request>,
    maxKeys: number,
  ) {
    this.#keyOf = keyOf;
    this.#otherwise = otherwise;
    this.#maxKeys = maxKeys;
    // It looks at no candidates itself, and it chooses whenever the other one does.
    if (otherwise.window !== undefined) this.window = otherwise.window;
  }

  pick(candidates: readonly Candidate[], request: Request): Candidate | undefined {
    const key = this.#keyOf(request);
    if (key === undefined) return this.#otherwise.pick(candidates, request);
    const entry = this.#entries.get(key);
    const known = entry?.mark.candidate;
    if (entry !== undefined && known !== undefined) {
      this.#order.remove(entry);
      this.#order.append(entry);
      return known;
    }
    const chosen = this.#otherwise.pick(candidates, request);
    // What nobody told of is no candidate; the place that asked says so.
    const mark = this.#marks.get(chosen as Candidate);
    if (mark !== undefined) this.#remember(key, entry, mark);
    return chosen;
  }

  added(candidate: Candidate): void {
    const mark = this.#marks.get(candidate);
    if (mark === undefined) this.#marks.set(candidate, { candidate });
    else mark.candidate = candidate;
    this.#otherwise.added?.(candidate);
  }

  removed(candidate: Candidate): void {
    const mark = this.#marks.get(candidate);
    if (mark !== undefined) mark.candidate = undefined;
    this.#otherwise.removed?.(candidate);
  }

  changed(candidate: Candidate): void {
    this.#otherwise.changed?.(candidate);
  }

  #remember(key: unknown, entry: Entry<Candidate> | undefined, mark: Mark<Candidate>): void {
    if (entry !== undefined) {
      entry.mark = mark;
      this.#order.remove(entry);
    } else {
      entry = { key, mark, before: undefined, after: undefined };
      this.#entries.set(key, entry);
    }
    this.#order.append(entry);
    const { first } = this.#order;
    if (this.#order.size <= this.#maxKeys || first === undefined) return;
    this.#order.remove(first);
    this.#entries.delete(first.key);
  }
}
