import type { ConnectionToken } from "../transport/mod.ts";

/** The states of an entry; who changes `OFFERED` has the token. */
const OFFERED = 1;
const TAKEN = 2;
const WITHDRAWN = 3;
const STATE_BITS = 2;
const WORDS = 2;

/** An entry as it travels; the count tells it from others that had its place. */
export interface LedgerEntry {
  /** Its place. */
  readonly place: number;
  /** Its count. */
  readonly count: number;
}

/**
 * The tokens that one end of a link has offered to the other, in memory that both share.
 *
 * A token belongs to the one who changes its entry first: the receiver takes it, or the sender
 * withdraws it. When the sender has died, the other end withdraws what is left: a message that was
 * never delivered would keep its descriptor for ever.
 */
export class Ledger {
  #words: Int32Array<SharedArrayBuffer>;
  #next = 0;
  #count = 0;

  /** A new one with so many places, or a view of that of the other end. */
  constructor(shared: number | SharedArrayBuffer) {
    this.#words = new Int32Array(
      typeof shared === "number"
        ? new SharedArrayBuffer(shared * WORDS * Int32Array.BYTES_PER_ELEMENT)
        : shared,
    );
  }

  /** What the other end needs for its view. */
  get shared(): SharedArrayBuffer {
    return this.#words.buffer;
  }

  /** Enter a token. */
  offer(token: ConnectionToken): LedgerEntry {
    const places = this.#words.length / WORDS;
    for (let tried = 0; tried < places; tried++) {
      const place = this.#next;
      this.#next = (place + 1) % places;
      const word = Atomics.load(this.#words, place * WORDS);
      if ((word & OFFERED) !== 0 && (word & TAKEN) === 0) continue;
      const count = this.#count = (this.#count + 1) & 0xfffffff;
      Atomics.store(this.#words, place * WORDS + 1, token);
      Atomics.store(this.#words, place * WORDS, wordOf(count, OFFERED));
      return { place, count };
    }
    throw new Error("more tokens are on their way than the ledger has places");
  }

  /** Take a token; whether it was still there. */
  take(entry: LedgerEntry): boolean {
    return this.#change(entry, TAKEN);
  }

  /** Take an offer back; whether nobody had taken it. */
  withdraw(entry: LedgerEntry): boolean {
    return this.#change(entry, WITHDRAWN);
  }

  /** Withdraw what is left of an end that has died. */
  sweep(discard: (token: ConnectionToken) => void): void {
    for (let at = 0; at < this.#words.length; at += WORDS) {
      const word = Atomics.load(this.#words, at);
      const entry = { place: at / WORDS, count: word >>> STATE_BITS };
      if (!this.withdraw(entry)) continue;
      try {
        discard(Atomics.load(this.#words, at + 1));
      } catch {
        // Somebody has it: the others are still to be given back.
      }
    }
  }

  #change({ place, count }: LedgerEntry, to: number): boolean {
    const from = wordOf(count, OFFERED);
    const at = place * WORDS;
    return Atomics.compareExchange(this.#words, at, from, wordOf(count, to)) === from;
  }
}

function wordOf(count: number, state: number): number {
  return count << STATE_BITS | state;
}
