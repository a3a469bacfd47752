import type { Contexts, ContextVariable } from "../transport/mod.ts";

/** A `use` at work: what is called within it may wait for the same pool. */
export interface Hold {
  /** Those of its pool. */
  readonly owner: Holds;
  /** The `use` around it, of whatever pool. */
  readonly around: Hold | undefined;
  /** The next one around it of the same pool. */
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
 * One variable for all pools of a host: in Node 22 every variable that was used makes every promise
 * of the process dearer, for ever.
 */
const variables = new WeakMap<Contexts, ContextVariable<Hold>>();

function variableOf(contexts: Contexts): ContextVariable<Hold> {
  let variable = variables.get(contexts);
  if (variable === undefined) variables.set(contexts, variable = contexts.create<Hold>());
  return variable;
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
    if (contexts !== undefined) this.#variable = variableOf(contexts);
  }

  /** How many leased sockets belong to a hold that waits. */
  get blocked(): number {
    return this.#blocked;
  }

  /** The innermost hold of this pool within which this is called. */
  get current(): Hold | undefined {
    let hold = this.#variable?.get();
    while (hold !== undefined && hold.owner !== this) hold = hold.around;
    return hold;
  }

  /** A hold for a `use` that begins here. */
  begin(label: string, stack: string | undefined, leased: boolean): Hold {
    const around = this.#variable?.get();
    return { owner: this, around, parent: this.current, label, stack, waiting: 0, leased };
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
