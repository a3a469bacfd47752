import { type Interval, Intervals } from "./intervals.ts";

/** What one worker fetches now: one data unit, or several in a row, or a part of one. */
export interface Piece {
  /** Its first byte. */
  readonly start: number;
  /** Behind the last byte that has come. */
  readonly at: number;
  /** Behind its last byte. It comes nearer when another worker takes a part over. */
  readonly end: number;
  /** Behind the last byte that is known to be good and written. */
  readonly settled: number;
}

/** The same, for the plan. */
interface Assigned extends Piece {
  at: number;
  end: number;
  settled: number;
}

/** What {@linkcode UnitPlan} is made with. */
export interface UnitPlanOptions {
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of a data unit; the last one may be shorter. */
  readonly unitBytes: number;
  /** What is there already. */
  readonly done?: Iterable<Interval>;
}

/**
 * Who fetches which bytes of a file: every byte is free, or assigned to one piece, or done.
 *
 * The file is cut into data units of equal size. A piece begins with the first byte that is free and
 * ends with a unit. The bytes of a piece are done when they are settled, in order; what a piece that
 * is given back has not settled is free again. Nothing here knows time, sockets or bytes.
 */
export class UnitPlan {
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of a data unit. */
  readonly unitBytes: number;
  #free: Intervals = new Intervals();
  #done: Intervals = new Intervals();
  #assigned = new Set<Assigned>();

  /** Everything that is not done is free. */
  constructor({ size, unitBytes, done = [] }: UnitPlanOptions) {
    this.size = size;
    this.unitBytes = unitBytes;
    for (const { start, end } of done) this.#done.add(start, Math.min(end, size));
    for (const { start, end } of this.#done.missing(size)) this.#free.add(start, end);
  }

  /** Bytes that are done. */
  get doneBytes(): number {
    return this.#done.bytes;
  }

  /** The parts that are done, in order. */
  get done(): readonly Interval[] {
    return this.#done.list;
  }

  /** Whether every byte is done. */
  get isComplete(): boolean {
    return this.#done.bytes === this.size;
  }

  /** Everything before this byte is done. */
  get frontier(): number {
    return this.#done.frontier;
  }

  /** The first byte that is free; `undefined` when none is. */
  get firstFree(): number | undefined {
    return this.#free.list[0]?.start;
  }

  /** How many bytes are neither done nor assigned. */
  get freeBytes(): number {
    return this.#free.bytes;
  }

  /** The pieces at work. */
  get pieces(): ReadonlySet<Piece> {
    return this.#assigned;
  }

  /**
   * Assign the first bytes that are free: about so many, up to the end of a unit, and none from
   * `limit` on. `undefined` when there are none.
   */
  claim(bytes: number = this.unitBytes, limit: number = Infinity): Piece | undefined {
    const first = this.#free.list[0];
    if (first === undefined || first.start >= limit) return undefined;
    const whole = Math.max(1, Math.floor((first.start % this.unitBytes + bytes) / this.unitBytes));
    const unit = first.start - first.start % this.unitBytes;
    const end = Math.min(first.end, limit, unit + whole * this.unitBytes);
    return this.#assign(first.start, end);
  }

  /** Assign exactly these bytes, which are free. */
  claimExactly(start: number, end: number): Piece {
    if (!this.#free.has(start, end)) {
      throw new RangeError(`Cannot assign bytes ${start} to ${end}: they are not free`);
    }
    return this.#assign(start, end);
  }

  /** Bytes have come: resolves to how many of them the piece still wants. */
  advance(piece: Piece, count: number): number {
    const own = this.#own(piece);
    const wanted = Math.min(count, own.end - own.at);
    own.at += wanted;
    return wanted;
  }

  /** All that has come for a piece is good and written. Returns how many units it has completed. */
  settle(piece: Piece): number {
    const own = this.#own(piece);
    const from = own.settled;
    if (own.at === from) return 0;
    own.settled = own.at;
    this.#done.add(from, own.at);
    let units = 0;
    for (let unit = from - from % this.unitBytes; unit < own.at; unit += this.unitBytes) {
      if (this.#done.has(unit, Math.min(unit + this.unitBytes, this.size))) units++;
    }
    return units;
  }

  /** Whether what has come and is not settled reaches the end of a unit. */
  hasUnit({ settled, at, end }: Piece): boolean {
    return at === end ||
      Math.floor(at / this.unitBytes) > Math.floor(settled / this.unitBytes);
  }

  /** End a piece; what it has not settled is free again. */
  giveBack(piece: Piece): void {
    const own = this.#own(piece);
    this.#assigned.delete(own);
    this.#free.add(own.settled, own.end);
  }

  /** Let another piece have the bytes from an offset on, which have not come. */
  split(piece: Piece, at: number): Piece {
    const own = this.#own(piece);
    if (!(at >= own.at && at < own.end)) {
      throw new RangeError(`Cannot split piece at ${at}: expected ${own.at} to ${own.end - 1}`);
    }
    const other: Assigned = { start: at, at, end: own.end, settled: at };
    own.end = at;
    this.#assigned.add(other);
    return other;
  }

  #assign(start: number, end: number): Piece {
    this.#free.remove(start, end);
    const piece: Assigned = { start, at: start, end, settled: start };
    this.#assigned.add(piece);
    return piece;
  }

  #own(piece: Piece): Assigned {
    if (!this.#assigned.has(piece as Assigned)) throw new Error("Cannot use piece: it has ended");
    return piece as Assigned;
  }
}
