/** Who owns a thing that is lent out and given back. */
export type LeaseState = "leased" | "lent" | "handed" | "released" | "discarded";

/** What moves a lease from one state to the next. */
export type LeaseEvent = "lend" | "return" | "hand" | "release" | "discard";

const MOVES: Readonly<Record<LeaseState, Partial<Record<LeaseEvent, LeaseState>>>> = {
  leased: { lend: "lent", hand: "handed", release: "released", discard: "discarded" },
  lent: { return: "leased", discard: "discarded" },
  handed: {},
  released: {},
  discarded: {},
};

/** The state that follows, or `undefined` when the event cannot happen in this one. */
export function moveLease(state: LeaseState, event: LeaseEvent): LeaseState | undefined {
  return MOVES[state][event];
}

/** How a lease ended, told to its owner exactly once. */
export type LeaseEnd = "released" | "discarded" | "handed";

/**
 * A thing that belongs to somebody else and is given back once.
 *
 * `release` and `discard` are idempotent: the first one counts. A lease is disposable, so that
 * `using lease = …` gives it back at the end of the block.
 *
 * @example
 * ```ts
 * import { Lease } from "@jackfield/jackfield/core";
 *
 * let how = "";
 * const lease = new Lease("a socket", (end) => how = end);
 * lease.release();
 * lease.discard(); // too late: nothing happens
 * if (how !== "released") throw new Error(how);
 * ```
 */
export class Lease<T> implements Disposable, AsyncDisposable {
  /** What is lent. */
  readonly value: T;
  #state: LeaseState = "leased";
  #ended: (end: LeaseEnd) => void;

  /** `ended` is called once, when the lease is over. */
  constructor(value: T, ended: (end: LeaseEnd) => void) {
    this.value = value;
    this.#ended = ended;
  }

  /** Who has it now. */
  get state(): LeaseState {
    return this.#state;
  }

  /** Give it back for the next one. Does nothing when the lease is over. */
  release(): void {
    this.#move("release");
  }

  /** Give it back as unusable. Does nothing when the lease is over. */
  discard(): void {
    this.#move("discard");
  }

  /** The same as {@linkcode release}. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** The same as {@linkcode release}. */
  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return Promise.resolve();
  }

  #move(event: LeaseEvent): void {
    const next = moveLease(this.#state, event);
    if (next === undefined) return;
    this.#state = next;
    if (next === "released" || next === "discarded" || next === "handed") this.#ended(next);
  }
}
