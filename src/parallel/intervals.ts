/** A part of a file: `start` included, `end` not. */
export interface Interval {
  /** The first byte. */
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/** Parts of a file that are in a set, in order; what touches is one. */
export class Intervals {
  #list: Interval[] = [];
  #bytes = 0;

  /** How many bytes are in. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The parts, in order. */
  get list(): readonly Interval[] {
    return this.#list;
  }

  /** Where the part that begins at byte 0 ends; 0 when there is none. */
  get frontier(): number {
    const first = this.#list[0];
    return first !== undefined && first.start === 0 ? first.end : 0;
  }

  /** Put a part in; what is in already stays. */
  add(start: number, end: number): void {
    if (start >= end) return;
    const from = this.#firstEndingAt(start);
    let to = from;
    let joinedStart = start;
    let joinedEnd = end;
    for (; to < this.#list.length && this.#list[to]!.start <= end; to++) {
      const part = this.#list[to]!;
      joinedStart = Math.min(joinedStart, part.start);
      joinedEnd = Math.max(joinedEnd, part.end);
      this.#bytes -= part.end - part.start;
    }
    this.#list.splice(from, to - from, { start: joinedStart, end: joinedEnd });
    this.#bytes += joinedEnd - joinedStart;
  }

  /** Take a part out; what is not in stays out. */
  remove(start: number, end: number): void {
    if (start >= end) return;
    const rest: Interval[] = [];
    const from = this.#firstEndingAt(start);
    let to = from;
    for (; to < this.#list.length && this.#list[to]!.start < end; to++) {
      const part = this.#list[to]!;
      this.#bytes -= part.end - part.start;
      if (part.start < start) rest.push({ start: part.start, end: Math.min(part.end, start) });
      if (part.end > end) rest.push({ start: Math.max(part.start, end), end: part.end });
    }
    for (const part of rest) this.#bytes += part.end - part.start;
    this.#list.splice(from, to - from, ...rest);
  }

  /** Whether all of a part is in. */
  has(start: number, end: number): boolean {
    if (start >= end) return true;
    const part = this.#list[this.#firstEndingAt(start + 1)];
    return part !== undefined && part.start <= start && part.end >= end;
  }

  /** What is not in, of a file of that size. */
  missing(size: number): Interval[] {
    const gaps: Interval[] = [];
    let at = 0;
    for (const { start, end } of this.#list) {
      if (start > at) gaps.push({ start: at, end: start });
      at = end;
    }
    if (at < size) gaps.push({ start: at, end: size });
    return gaps;
  }

  /** The place of the first part that ends at or behind an offset. */
  #firstEndingAt(offset: number): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#list[middle]!.end < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
