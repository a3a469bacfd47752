/**
 * Something that may take so long and no longer. Extend it with what is to happen then: a waiter
 * that is its own deadline needs no closure and no second object.
 *
 * {@linkcode Deadlines} has an example.
 */
export abstract class Deadline {
  // Not `#`: the lists and the heap link deadlines to each other, as `Slot`s. Still, a subclass
  // cannot take one of these names without an error of the type checker.
  private list: DeadlineList | undefined = undefined;
  private before: Slot | undefined = undefined;
  private after: Slot | undefined = undefined;
  private timeMs: number = NaN; // not 0, so that engines lay it out as a float from the start
  private order: number = 0;
  private index: number = -1;

  /** When it expires, on the clock; `Infinity` when its time has not begun, or it never does. */
  get dueMs(): number {
    const hasBegun = this.order !== 0 && (this.list !== undefined || this.index !== -1);
    return hasBegun ? this.timeMs : Infinity;
  }

  /** Its time is over: it waits no longer, and may be added again. */
  abstract expire(): void;
}

/** A {@linkcode Deadline} as its lists and the heap see it. */
export interface Slot {
  list: DeadlineList | undefined;
  before: Slot | undefined;
  after: Slot | undefined;
  /** How long it waits, until its time has begun; then, when it expires. */
  timeMs: number;
  /** Counts those whose time has begun; 0 before that. */
  order: number;
  /** Its place in the heap; -1 when it is not there. */
  index: number;
  expire(): void;
}

/** A deadline's other face. */
export function slotOf(deadline: Deadline): Slot {
  return deadline as unknown as Slot;
}

/** Of two that expire at one moment, the one that was added first is the sooner. */
export function isSooner(one: Slot, other: Slot): boolean {
  return one.timeMs < other.timeMs || (one.timeMs === other.timeMs && one.order < other.order);
}

/** Deadlines in the order in which they were added; the time of the last ones may not have begun. */
export class DeadlineList {
  /** Whose they are. */
  readonly owner: object;
  /** What all of them wait; `NaN` when each waits as long as it says itself. */
  delayMs: number;
  first: Slot | undefined = undefined;
  /** The first one whose time has not begun: so it is for all behind it. */
  fresh: Slot | undefined = undefined;
  #last: Slot | undefined = undefined;

  /** Nothing is in it. */
  constructor(owner: object, delayMs: number) {
    this.owner = owner;
    this.delayMs = delayMs;
  }

  /** Put one at the end. */
  push(slot: Slot): void {
    const last = this.#last;
    this.fresh ??= slot;
    slot.list = this;
    slot.before = last;
    if (last === undefined) this.first = slot;
    else last.after = slot;
    this.#last = slot;
  }

  /** Take one out, from anywhere. */
  delete(slot: Slot): void {
    const { before, after } = slot;
    if (this.fresh === slot) this.fresh = after;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    slot.list = undefined;
    slot.before = undefined;
    slot.after = undefined;
  }
}
