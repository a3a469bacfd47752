/** Up to so many ports are kept as a list; beyond, a bitmap is smaller and faster. */
const FEW = 16;

/**
 * Which places of a range are taken: a bit each, or a short list while there are few.
 *
 * One is kept per local address and destination, and there may be a hundred thousand destinations
 * with one connection each, or one with sixty thousand.
 */
export class PortSet {
  /** Where the search for a free place goes on. */
  next: number;
  #width: number;
  #size = 0;
  #few: number[] | undefined = [];
  #bits: Uint32Array | undefined;

  /** For places from 0 to below `width`; the first search begins with `next`. */
  constructor(width: number, next: number) {
    this.#width = width;
    this.next = next;
  }

  /** How many are taken. */
  get size(): number {
    return this.#size;
  }

  /** Whether a place is taken. */
  has(place: number): boolean {
    if (this.#bits === undefined) return this.#few!.includes(place);
    return (this.#bits[place >>> 5]! >>> (place & 31) & 1) === 1;
  }

  /** Take a place; `false` when it is taken already. */
  add(place: number): boolean {
    if (this.has(place)) return false;
    if (this.#few !== undefined && this.#size === FEW) this.#spread();
    if (this.#bits === undefined) this.#few!.push(place);
    else this.#bits[place >>> 5]! |= 1 << (place & 31);
    this.#size++;
    return true;
  }

  /** Give a place back; `false` when nobody had it. */
  delete(place: number): boolean {
    if (!this.has(place)) return false;
    if (this.#bits === undefined) this.#few!.splice(this.#few!.indexOf(place), 1);
    else this.#bits[place >>> 5]! &= ~(1 << (place & 31));
    this.#size--;
    return true;
  }

  /** The places from `32 × at` on as bits: 1 for taken. */
  word(at: number): number {
    if (this.#bits !== undefined) return this.#bits[at]!;
    let word = 0;
    for (const place of this.#few!) if (place >>> 5 === at) word |= 1 << (place & 31);
    return word;
  }

  /** The places that are taken, in no order. */
  *[Symbol.iterator](): Iterator<number> {
    if (this.#few !== undefined) return yield* this.#few;
    for (let place = 0; place < this.#width; place++) if (this.has(place)) yield place;
  }

  #spread(): void {
    const bits = new Uint32Array(this.#width + 31 >>> 5);
    for (const place of this.#few!) bits[place >>> 5]! |= 1 << (place & 31);
    this.#few = undefined;
    this.#bits = bits;
  }
}

/** Gives the places from `32 × at` on as bits: 1 for taken. */
export type Word = (at: number) => number;

/**
 * The first free place from `start` on, and round to it again; `undefined` when there is none.
 *
 * It looks at 32 places at a time, so a full range of 64,512 ports takes 2,016 looks.
 */
export function findFree(width: number, start: number, word: Word): number | undefined {
  const words = width + 31 >>> 5;
  const first = start >>> 5;
  for (let step = 0; step <= words; step++) {
    const at = first + step < words ? first + step : first + step - words;
    let free = ~word(at);
    // The word of the start is looked at twice: first from the start on, at last up to it.
    if (step === 0) free &= -1 << (start & 31);
    else if (step === words) free &= ~(-1 << (start & 31));
    if (free === 0) continue;
    const place = (at << 5) + 31 - Math.clz32(free & -free);
    if (place < width) return place; // Else only bits beyond the end are free in the last word.
  }
  return undefined;
}
