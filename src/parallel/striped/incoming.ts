import { HEADER_BYTES, MOST_UNITS } from "./frame.ts";

/** Units up to this length are put together, so that a byte each does not cost an object each. */
const SMALL_BYTES = 4096;
/** What they are put together in. */
const CHUNK_BYTES = 64 * 1024;

/** Bytes that nobody has read yet. */
interface Chunk {
  readonly buffer: Uint8Array;
  start: number;
  end: number;
}

/** A unit that came before one that belongs in front of it. */
interface Early {
  readonly offset: number;
  readonly length: number;
  readonly buffer: Uint8Array;
}

/**
 * The incoming half of the stream: units are put in order, each once, and wait to be read.
 *
 * What it holds is bounded by the window: nothing beyond it may be sent.
 */
export class Incoming {
  #unitBytes: number;
  #windowBytes: number;
  /** All bytes before it have come. */
  #received = 0;
  /** All bytes before it have been read. */
  #read = 0;
  /** The end of the farthest unit that was announced. */
  #farthest = 0;
  #endAt: number | undefined;
  #early: Early[] = [];
  #chunks: Chunk[] = [];
  #spare: Uint8Array[] = [];
  #isDiscarding = false;

  /** Takes units of at most `unitBytes`, and `windowBytes` beyond what was read. */
  constructor(unitBytes: number, windowBytes: number) {
    this.#unitBytes = unitBytes;
    this.#windowBytes = windowBytes;
  }

  /** Bytes before it may be sent. */
  get limit(): number {
    return this.#read + this.#windowBytes;
  }

  /** What the far end is told to have come. */
  get acknowledged(): number {
    return this.#received + (this.#received === this.#endAt ? 1 : 0);
  }

  /** The end of the farthest unit. */
  get farthest(): number {
    return this.#farthest;
  }

  /** Whether everything has come, or nothing is wanted any more. */
  get isOver(): boolean {
    return this.#isDiscarding || this.#received === this.#endAt;
  }

  /** Whether nobody wants what comes. */
  get isDiscarding(): boolean {
    return this.#isDiscarding;
  }

  /** Whether there is something to read. */
  get hasBytes(): boolean {
    return this.#chunks.length > 0;
  }

  /** Whether everything has been read. */
  get isAtEnd(): boolean {
    return this.#read === this.#endAt;
  }

  /** A unit is announced; gives what is wrong with that, in words. */
  announce(offset: number, length: number, isEnd: boolean): string | undefined {
    if (length > this.#unitBytes) {
      return `it announces a unit of ${length} bytes, at most ${this.#unitBytes} were agreed on`;
    }
    if (this.#isDiscarding) return undefined;
    const end = offset + length;
    if (end > this.limit) return `its unit ends at ${end}, beyond the limit of ${this.limit}`;
    if (this.#endAt !== undefined && (isEnd ? end !== this.#endAt : end > this.#endAt)) {
      return `its unit ends at ${end}, and the stream at ${this.#endAt}`;
    }
    if (offset < this.#received && end > this.#received) {
      return `its unit at ${offset} was cut in another way before`;
    }
    this.#farthest = Math.max(this.#farthest, end);
    return isEnd ? this.#checkEnd(end) : undefined;
  }

  /** Whether a unit is needed: it may have come already, on another connection. */
  wants(offset: number, length: number): boolean {
    if (length === 0 || this.#isDiscarding || offset < this.#received) return false;
    const at = this.#placeOf(offset);
    return this.#early[at]?.offset !== offset;
  }

  /** Memory for a unit and one header behind it. */
  buffer(length: number): Uint8Array {
    // A long buffer for a short unit would be memory that the window does not count.
    if (length <= this.#unitBytes / 2) return new Uint8Array(length + HEADER_BYTES);
    return this.#spare.pop() ?? new Uint8Array(this.#unitBytes + HEADER_BYTES);
  }

  /** A buffer is needed no more. */
  giveBack(buffer: Uint8Array): void {
    if (buffer.byteLength === this.#unitBytes + HEADER_BYTES) this.#spare.push(buffer);
  }

  /** The stream ends here; gives what is wrong with that, in words. */
  end(end: number): string | undefined {
    if (this.#endAt !== undefined && end !== this.#endAt) {
      return `the stream ends at ${end}, and at ${this.#endAt}`;
    }
    if (!this.#isDiscarding) this.#endAt = end;
    return this.#checkEnd(end);
  }

  /** A unit has come as a whole; its buffer is ours now. Gives what is wrong with it, in words. */
  accept(offset: number, length: number, buffer: Uint8Array): string | undefined {
    if (!this.wants(offset, length)) {
      this.giveBack(buffer); // It has come on another connection meanwhile.
      return undefined;
    }
    if (offset === this.#received) {
      this.#append(buffer, length);
      return this.#takeEarly();
    }
    const at = this.#placeOf(offset);
    const before = this.#early[at - 1];
    const behind = this.#early[at];
    const overlaps = (before !== undefined && before.offset + before.length > offset) ||
      (behind !== undefined && offset + length > behind.offset);
    if (overlaps) return `its unit at ${offset} was cut in another way before`;
    if (this.#early.length >= MOST_UNITS) return `more than ${MOST_UNITS} of its units wait`;
    this.#early.splice(at, 0, { offset, length, buffer });
    return undefined;
  }

  /** Copy out what has come; gives the count. */
  read(into: Uint8Array): number {
    let count = 0;
    while (count < into.byteLength && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const part = Math.min(chunk.end - chunk.start, into.byteLength - count);
      into.set(chunk.buffer.subarray(chunk.start, chunk.start + part), count);
      count += part;
      chunk.start += part;
      if (chunk.start < chunk.end) break;
      this.#chunks.shift();
      this.giveBack(chunk.buffer);
    }
    this.#read += count;
    return count;
  }

  /** Let memory go that is not in use. */
  trim(): void {
    this.#spare = [];
  }

  /** Nobody reads any more. */
  discard(): void {
    this.#isDiscarding = true;
    this.#chunks = [];
    this.#early = [];
    this.#spare = [];
  }

  #checkEnd(end: number): string | undefined {
    if (this.#isDiscarding || end >= this.#farthest) return undefined;
    return `the stream ends at ${end}, and it has sent up to ${this.#farthest}`;
  }

  /** Where in the early ones an offset belongs; most come at the end. */
  #placeOf(offset: number): number {
    let at = this.#early.length;
    while (at > 0 && this.#early[at - 1]!.offset >= offset) at--;
    return at;
  }

  #append(buffer: Uint8Array, length: number): void {
    this.#received += length;
    const last = this.#chunks.at(-1);
    if (length > SMALL_BYTES) {
      this.#chunks.push({ buffer, start: 0, end: length });
    } else if (last !== undefined && last.buffer.byteLength - last.end >= length) {
      last.buffer.set(buffer.subarray(0, length), last.end);
      last.end += length;
    } else if (last === undefined) {
      this.#chunks.push({ buffer, start: 0, end: length }); // The reader may be waiting for it.
    } else {
      const chunk = new Uint8Array(CHUNK_BYTES);
      chunk.set(buffer.subarray(0, length));
      this.#chunks.push({ buffer: chunk, start: 0, end: length });
    }
  }

  #takeEarly(): string | undefined {
    let count = 0;
    for (const { offset, length, buffer } of this.#early) {
      if (offset > this.#received) break;
      if (offset < this.#received) return `its unit at ${offset} was cut in another way before`;
      this.#append(buffer, length);
      count++;
    }
    if (count > 0) this.#early.splice(0, count);
    return undefined;
  }
}
