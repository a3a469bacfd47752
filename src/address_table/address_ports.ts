import { findFree, PortSet } from "./port_set.ts";

/** Stands for every destination: a port that was bound before its destination was known. */
export const ANYWHERE = "*";

/**
 * How many destinations use each port: what a port must be free of that is to serve all of them.
 *
 * Made when somebody binds without a destination, for only then it is asked for; four bytes a port.
 */
class Users {
  #counts: Uint32Array;
  #bits: Uint32Array;

  constructor(width: number) {
    this.#counts = new Uint32Array(width);
    this.#bits = new Uint32Array(width + 31 >>> 5);
  }

  add(place: number): void {
    if (this.#counts[place]!++ === 0) this.#bits[place >>> 5]! |= 1 << (place & 31);
  }

  delete(place: number): void {
    if (--this.#counts[place]! === 0) this.#bits[place >>> 5]! &= ~(1 << (place & 31));
  }

  has(place: number): boolean {
    return this.#counts[place]! > 0;
  }

  word(at: number): number {
    return this.#bits[at]!;
  }
}

/** The ports of one local address, as places in a range: which are in use for which destination. */
export class AddressPorts {
  #width: number;
  #reserved: Uint32Array | undefined;
  #destinations = new Map<string, PortSet>();
  #bound: PortSet | undefined;
  /** Bound ports outside of the range, where nobody searches. */
  #outside: Set<number> | undefined;
  #users: Users | undefined;

  /** For places from 0 to below `width`; those of a bit in `reserved` are never found. */
  constructor(width: number, reserved: Uint32Array | undefined) {
    this.#width = width;
    this.#reserved = reserved;
  }

  /** Whether nothing is in use. */
  get isEmpty(): boolean {
    return this.#destinations.size === 0 && this.#bound === undefined &&
      this.#outside === undefined;
  }

  /** A place that is free for a destination, or for all of them. */
  find(destination: string, begin: () => number): number | undefined {
    if (destination === ANYWHERE) return this.#findForAll(begin);
    const own = this.#destinations.get(destination);
    const [bound, reserved] = [this.#bound, this.#reserved];
    return findFree(this.#width, own?.next ?? begin(), (at) => {
      let word = own === undefined ? 0 : own.word(at);
      if (bound !== undefined) word |= bound.word(at);
      if (reserved !== undefined) word |= reserved[at]!;
      return word;
    });
  }

  /** Whether a place is free for all destinations; reserved ones are, for who asks for them. */
  isFree(place: number): boolean {
    if (!this.#isInside(place)) return this.#outside?.has(place) !== true;
    return !this.#usersNow().has(place) && this.#bound?.has(place) !== true;
  }

  /** Whether a place is in use for this destination. */
  has(place: number, destination: string): boolean {
    if (!this.#isInside(place)) return this.#outside?.has(place) === true;
    return this.#setOf(destination)?.has(place) === true;
  }

  /** Use a place that was found to be free. */
  add(place: number, destination: string, begin: () => number): void {
    if (!this.#isInside(place)) {
      (this.#outside ??= new Set()).add(place);
      return;
    }
    const set = this.#setOf(destination) ?? this.#newSet(destination, begin());
    set.add(place);
    set.next = place + 1 === this.#width ? 0 : place + 1;
    if (destination !== ANYWHERE) this.#users?.add(place);
  }

  /** Use it no longer; `false` when nobody did. */
  delete(place: number, destination: string): boolean {
    if (!this.#isInside(place)) {
      const found = this.#outside?.delete(place) === true;
      if (this.#outside?.size === 0) this.#outside = undefined;
      return found;
    }
    const set = this.#setOf(destination);
    if (set === undefined || !set.delete(place)) return false;
    if (destination !== ANYWHERE) this.#users?.delete(place);
    if (set.size > 0) return true;
    if (destination === ANYWHERE) this.#bound = undefined;
    else this.#destinations.delete(destination);
    return true;
  }

  /** Have the next search for a destination begin at a place. */
  searchFrom(destination: string, place: number): void {
    const set = this.#setOf(destination);
    if (set !== undefined) set.next = place;
  }

  /** How many are in use, for each destination. */
  sizes(): [destination: string, size: number][] {
    const bound = (this.#bound?.size ?? 0) + (this.#outside?.size ?? 0);
    const sizes = [...this.#destinations].map((
      [destination, set],
    ): [string, number] => [destination, set.size]);
    return bound === 0 ? sizes : [[ANYWHERE, bound], ...sizes];
  }

  #findForAll(begin: () => number): number | undefined {
    const users = this.#usersNow();
    const [bound, reserved] = [this.#bound, this.#reserved];
    return findFree(this.#width, bound?.next ?? begin(), (at) => {
      let word = users.word(at);
      if (bound !== undefined) word |= bound.word(at);
      if (reserved !== undefined) word |= reserved[at]!;
      return word;
    });
  }

  #usersNow(): Users {
    if (this.#users === undefined) {
      this.#users = new Users(this.#width);
      for (const set of this.#destinations.values()) {
        for (const place of set) this.#users.add(place);
      }
    }
    return this.#users;
  }

  #setOf(destination: string): PortSet | undefined {
    return destination === ANYWHERE ? this.#bound : this.#destinations.get(destination);
  }

  #newSet(destination: string, next: number): PortSet {
    const set = new PortSet(this.#width, next);
    if (destination === ANYWHERE) this.#bound = set;
    else this.#destinations.set(destination, set);
    return set;
  }

  #isInside(place: number): boolean {
    return place >= 0 && place < this.#width;
  }
}
