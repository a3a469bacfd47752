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
    const waits = this.list === undefined ? this.index !== -1 : !this.list.fresh;
    return waits ? this.timeMs : Infinity;
  }

  /** Its time is over: it waits no longer, and may be added again. */
  abstract expire(): void;
}

/** A {@linkcode Deadline} as its lists and the heap see it. */
export interface Slot {
  list: DeadlineList | undefined;
  before: Slot | undefined;
  after: Slot | undefined;
  /** How long it waits, in the list of the fresh ones; elsewhere, when it expires. */
  timeMs: number;
  /** Counts those whose time has begun. */
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

/** Deadlines in the order in which they were added. */
export class DeadlineList {
  /** Whose they are. */
  readonly owner: object;
  /** Whether their time has not begun. */
  readonly fresh: boolean;
  /** What all of them wait; 0 when they are fresh. */
  delayMs: number;
  first: Slot | undefined = undefined;
  #last: Slot | undefined = undefined;

  /** Nothing is in it. */
  constructor(owner: object, fresh: boolean, delayMs: number) {
    this.owner = owner;
    this.fresh = fresh;
    this.delayMs = delayMs;
  }

  /** Put one at the end. */
  push(slot: Slot): void {
    const last = this.#last;
    slot.list = this;
    slot.before = last;
    if (last === undefined) this.first = slot;
    else last.after = slot;
    this.#last = slot;
  }

  /** Take one out, from anywhere. */
  delete(slot: Slot): void {
    const { before, after } = slot;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    slot.list = undefined;
    slot.before = undefined;
    slot.after = undefined;
  }
}
