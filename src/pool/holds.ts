import type { Contexts, ContextVariable } from "../transport/mod.ts";

/** A `use` at work: what is called within it may wait for the same pool. */
export interface Hold {
  /** The `use` around it, if any. */
  readonly parent: Hold | undefined;
  /** The label, or the name of the function. */
  readonly label: string;
  /** Where it was called, with `debug`. */
  readonly stack: string | undefined;
  /** How many calls within it wait for this pool. */
  waiting: number;
  /** Whether its socket is still leased. */
  leased: boolean;
}

/**
 * Who holds a socket of a pool while waiting for another one of the same pool.
 *
 * Only `use` knows its leases: what its function calls, however many awaits later, reads the `Hold` from
 * the asynchronous context. When every leased socket belongs to a hold within which somebody waits,
 * none of them will ever come back.
 */
export class Holds {
  #variable: ContextVariable<Hold> | undefined;
  #blocked = 0;

  /** Without contexts of the runtime nothing is known, and nobody is accused. */
  constructor(contexts: Contexts | undefined) {
    this.#variable = contexts?.create<Hold>();
  }

  /** How many leased sockets belong to a hold that waits. */
  get blocked(): number {
    return this.#blocked;
  }

  /** The hold within which this is called. */
  get current(): Hold | undefined {
    return this.#variable?.get();
  }

  /** Call a task that holds a socket. */
  run<R>(hold: Hold, task: () => R): R {
    return this.#variable === undefined ? task() : this.#variable.run(hold, task);
  }

  /** A call within this hold begins to wait. */
  waits(hold: Hold | undefined): void {
    for (let one = hold; one !== undefined; one = one.parent) {
      if (++one.waiting === 1 && one.leased) this.#blocked++;
    }
  }

  /** A call within this hold waits no longer. */
  waitsNoMore(hold: Hold | undefined): void {
    for (let one = hold; one !== undefined; one = one.parent) {
      if (--one.waiting === 0 && one.leased) this.#blocked--;
    }
  }

  /** Its socket was given back. */
  ended(hold: Hold): void {
    if (!hold.leased) return;
    hold.leased = false;
    if (hold.waiting > 0) this.#blocked--;
  }
}
