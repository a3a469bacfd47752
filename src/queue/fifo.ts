/** A place in a {@linkcode Fifo}, which can be given up from anywhere. */
export interface Place<T> {
  /** Who waits there. */
  readonly value: T;
}

interface Node<T> extends Place<T> {
  before: Node<T> | undefined;
  after: Node<T> | undefined;
  queued: boolean;
}

/**
 * First in, first out, with places that can be given up in between; every operation is O(1).
 *
 * @example
 * ```ts
 * import { Fifo } from "@jackfield/jackfield/core";
 *
 * const queue = new Fifo<string>();
 * const place = queue.push("a");
 * queue.push("b");
 * queue.remove(place);
 * if (queue.shift() !== "b") throw new Error("unexpected");
 * ```
 */
export class Fifo<T> {
  #first: Node<T> | undefined;
  #last: Node<T> | undefined;
  #length = 0;

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** Join at the end. */
  push(value: T): Place<T> {
    const node: Node<T> = { value, before: this.#last, after: undefined, queued: true };
    if (this.#last === undefined) this.#first = node;
    else this.#last.after = node;
    this.#last = node;
    this.#length++;
    return node;
  }

  /** Take the first one out; `undefined` when nobody waits. */
  shift(): T | undefined {
    const node = this.#first;
    if (node === undefined) return undefined;
    this.remove(node);
    return node.value;
  }

  /** Give a place up; `false` when it was taken or given up before. */
  remove(place: Place<T>): boolean {
    const node = place as Node<T>;
    if (!node.queued) return false;
    node.queued = false;
    if (node.before === undefined) this.#first = node.after;
    else node.before.after = node.after;
    if (node.after === undefined) this.#last = node.before;
    else node.after.before = node.before;
    this.#length--;
    return true;
  }
}
