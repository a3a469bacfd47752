import { LinkedList } from "./linked_list.ts";

/**
 * What a {@linkcode Rotation} keeps in each of its members: its place in the list.
 *
 * A place that uses strategies declares these fields in its candidates and sets only `turn`; the
 * rest is the rotation's.
 */
export interface RotationNode<T> {
  /** When it was chosen last, counted in choices; smaller means longer ago. Fixed while inside. */
  turn: number;
  /** The one before it; `undefined` at the front, and outside. */
  before: T | undefined;
  /** The one after it; `undefined` at the end, and outside. */
  after: T | undefined;
  /** Whether it stands in a rotation. */
  available: boolean;
  /** The rotation that it stands in, so that no other one takes it for its own. */
  rotation?: object | undefined;
}

const NONE: readonly never[] = Object.freeze([]);

/**
 * The available candidates in rotation order: the one that was not chosen for the longest time
 * comes first.
 *
 * This is what a place needs that lets strategies choose, as the pool and the address table do. It
 * keeps its candidates here while they are available, gives `view(picker.window)` to
 * `picker.pick`, takes out what was chosen, and puts it back with a new `turn` when it comes free.
 * The list runs through the candidates themselves, so that taking one out costs the same whether
 * there are ten or ten thousand.
 *
 * @example
 * ```ts
 * import { Rotation, type RotationNode, roundRobin, startStrategy } from "@jackfield/jackfield/core";
 *
 * class Desk implements RotationNode<Desk> {
 *   before: Desk | undefined;
 *   after: Desk | undefined;
 *   available = false;
 *   turn = 0;
 * }
 *
 * const rotation = new Rotation<Desk>();
 * const [one, other] = [new Desk(), new Desk()];
 * rotation.insert(one);
 * rotation.insert(other);
 *
 * const picker = startStrategy(roundRobin<Desk>());
 * const picked = picker.pick(rotation.view(picker.window), undefined);
 * if (picked !== one || !rotation.remove(one)) throw new Error("unexpected");
 * one.turn = 1; // It was chosen now, so it comes after the other one when it is back.
 * rotation.insert(one);
 * if (rotation.first !== other) throw new Error("unexpected");
 * ```
 */
export class Rotation<T extends RotationNode<T>> {
  #list = new LinkedList<T>();
  #whole: T[] = [];
  #wholeIsFresh = false;
  #one: T[] = [];
  #start: T[] = [];
  #startIsFresh = true;

  /** How many are available. */
  get size(): number {
    return this.#list.size;
  }

  /** The one that was not chosen for the longest time; `undefined` when there is none. */
  get first(): T | undefined {
    return this.#list.first;
  }

  /** The one that was chosen last; `undefined` when there is none. */
  get last(): T | undefined {
    return this.#list.last;
  }

  /** Whether this value stands here; any value may be asked for. */
  has(value: unknown): value is T {
    return typeof value === "object" && value !== null &&
      (value as Partial<RotationNode<T>>).rotation === this;
  }

  /**
   * Put one at its place by its `turn`, behind those with the same one.
   *
   * The place is searched from both ends at once: what was just chosen, and what was passed over
   * for long, is put back at once.
   *
   * @throws {TypeError} When it stands in a rotation already.
   * @throws {RangeError} When its turn is not a number.
   */
  insert(node: T): void {
    const { turn } = node;
    if (node.rotation !== undefined) {
      throw new TypeError("Cannot insert candidate: it stands in a rotation already");
    }
    if (Number.isNaN(turn)) throw new RangeError(`Cannot use turn "${turn}": expected a number`);
    const before = this.#lastUpTo(turn);
    this.#startIsFresh = false;
    if (this.#wholeIsFresh) {
      // The ends are kept up, because that is where most of them leave and come.
      if (before === this.#list.last) this.#whole.push(node);
      else if (before === undefined) this.#whole.unshift(node);
      else this.#wholeIsFresh = false;
    }
    this.#list.insertAfter(before, node);
    node.rotation = this;
    node.available = true;
  }

  /** Take one out; `false` when it does not stand here, whatever it is. */
  remove(node: T): boolean {
    if (!this.has(node)) return false;
    this.#startIsFresh = false;
    if (this.#wholeIsFresh) {
      if (node === this.#list.first) this.#whole.shift();
      else if (node === this.#list.last) this.#whole.pop();
      else this.#wholeIsFresh = false;
    }
    this.#list.remove(node);
    node.rotation = undefined;
    node.available = false;
    return true;
  }

  /**
   * The first `window` of them as an array in rotation order, or all of them without a `window`:
   * what a picker is given as `candidates`.
   *
   * The array is used again for later views, so it holds until the next change here. A short window
   * is cheap at any size. All of them are written down anew only when one left or came in between
   * since the last time, not at the ends.
   */
  view(window?: number): readonly T[] {
    if (window === undefined) return this.#viewAll();
    if (this.#wholeIsFresh) this.#forgetWhole();
    if (window === 1) { // What a rotation by turns asks for, each time.
      const { first } = this.#list;
      if (first === undefined) return NONE;
      this.#one[0] = first;
      return this.#one;
    }
    const { size } = this.#list;
    if (window === 0 || size === 0) return NONE;
    const count = Math.min(window, size);
    const start = this.#start;
    if (this.#startIsFresh && start.length === count) return start;
    let node = this.#list.first;
    for (let at = 0; at < count; at++, node = node!.after) start[at] = node!;
    start.length = count;
    this.#startIsFresh = true;
    return start;
  }

  /** From the first on. The one given last may be taken out meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    for (let node = this.#list.first; node !== undefined;) {
      const { after } = node;
      yield node;
      node = after;
    }
  }

  /** The last one whose turn is not later; `undefined` when all are. */
  #lastUpTo(turn: number): T | undefined {
    let left = this.#list.first;
    let right = this.#list.last;
    while (right !== undefined && right.turn > turn) {
      if (left!.turn > turn) return left!.before;
      left = left!.after;
      right = right.before;
    }
    return right;
  }

  #viewAll(): readonly T[] {
    const whole = this.#whole;
    if (this.#wholeIsFresh) return whole;
    let at = 0;
    for (let node = this.#list.first; node !== undefined; node = node.after) whole[at++] = node;
    whole.length = at;
    this.#wholeIsFresh = true;
    return whole;
  }

  /** Who asks for a few does not want all of them kept up. */
  #forgetWhole(): void {
    this.#whole = [];
    this.#wholeIsFresh = false;
  }
}
