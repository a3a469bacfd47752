import type { Clock } from "../../transport/mod.ts";

/**
 * A number that was given back rests for so long. Its last message, that the address is free, may
 * still be on its way: it would end the next lease under the same number, and only the server knew.
 */
const REST_MS = 10_000;

/** The numbers of the leases, by which servers know each one. */
export class Slots {
  #max: number;
  #taken = new Set<number>();
  /** Those that were given back, the one that rests longest first. */
  #resting: { readonly slot: number; readonly untilMs: number }[] = [];
  #next = 0;
  /** Addresses from before a restart, by number. */
  #saved = new Map<number, string>();

  /** So many at once. */
  constructor(max: number) {
    this.#max = max;
  }

  /** What is left of the time before a restart: those numbers go first. */
  get saved(): ReadonlyMap<number, string> {
    return this.#saved;
  }

  /** What was leased before a restart. */
  restore(leases: Iterable<readonly [number, string]>): void {
    this.#saved = new Map(leases);
  }

  /** A free number and the address that it had; `undefined` when so many are taken. */
  take(clock: Clock): { readonly slot: number; readonly saved: string | undefined } | undefined {
    if (this.#taken.size >= this.#max) return undefined;
    const [first] = this.#saved;
    const [slot, saved] = first ?? [this.#free(clock), undefined];
    this.#saved.delete(slot);
    this.#taken.add(slot);
    return { slot, saved };
  }

  /** The number rests, and is free then: asked under it, a server gives the same address if it can. */
  free(slot: number, clock: Clock): void {
    this.#taken.delete(slot);
    this.#resting.push({ slot, untilMs: clock.now() + REST_MS });
  }

  #free(clock: Clock): number {
    const [first] = this.#resting;
    if (first !== undefined && first.untilMs <= clock.now()) {
      this.#resting.shift();
      return first.slot;
    }
    while (this.#taken.has(this.#next)) this.#next++; // One from before a restart.
    return this.#next++;
  }
}
