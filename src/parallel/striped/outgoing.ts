import { HEADER_BYTES, MOST_UNITS } from "./frame.ts";
import { type Slab, Slabs, type Unit } from "./unit.ts";

/** So many units wait at most to be sent: more would only fall out of the processor's cache. */
const WAITING_UNITS = 4;
/** A slab with less room for bytes is not begun again. */
const LEAST_ROOM_BYTES = 512;

/**
 * The outgoing half of the stream: bytes become units, which stay until they are acknowledged.
 *
 * ```text
 * write ─► being filled ─► waiting ─► on the way ─► acknowledged
 *                                       │   ▲
 *                                       ▼   │
 *                                     to be sent again
 * ```
 */
export class Outgoing {
  /** Bytes before it may be sent: what the far end has said. */
  limit = 0;
  /** Bytes that were sent a second time. */
  resentBytes = 0;
  #unitBytes: number;
  #bufferBytes: number;
  #slabs: Slabs;
  /** From `#first` on: not acknowledged. From `#next` on: not sent. */
  #units: Unit[] = [];
  #first = 0;
  #next = 0;
  /** Units to be sent again, by their place in the stream. */
  #again: Unit[] = [];
  #filling: Slab | undefined;
  #filled = 0;
  #written = 0;
  #sent = 0;
  #acknowledged = 0;
  #hasEnded = false;
  #isEndSent = false;
  #isStopped = false;

  /** Cuts units of at most `unitBytes` and holds at most `bufferBytes`. */
  constructor(unitBytes: number, bufferBytes: number) {
    this.#unitBytes = unitBytes;
    this.#bufferBytes = bufferBytes;
    this.#slabs = new Slabs(unitBytes);
  }

  /** Bytes that were sent and not acknowledged, and those that wait to be sent. */
  get heldBytes(): number {
    return this.#written - Math.min(this.#acknowledged, this.#written);
  }

  /** Whether the far end wants no more. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whether the far end has everything, with the end; or wants nothing more. */
  get isOver(): boolean {
    return this.#isStopped || (this.#isEndSent && this.#acknowledged === this.#sent + 1);
  }

  /** Whether something was never sent. */
  get hasUnsent(): boolean {
    return !this.#isStopped &&
      (this.#written > this.#sent || (this.#hasEnded && !this.#isEndSent));
  }

  /** Whether nothing goes on before something is acknowledged: the end, or what there is no room for. */
  get isBlocked(): boolean {
    if (this.hasUnsent) return this.peekNew() === undefined;
    return this.#hasEnded || this.heldBytes >= this.#bufferBytes;
  }

  /** Copy bytes in, as far as there is room; gives their count. */
  write(bytes: Uint8Array): number {
    let count = 0;
    while (count < bytes.byteLength) {
      const room = Math.min(this.#room, this.#openRoom(), bytes.byteLength - count);
      if (room <= 0) break;
      const slab = this.#filling!;
      const isAll = room === bytes.byteLength;
      slab.bytes.set(
        isAll ? bytes : bytes.subarray(count, count + room),
        slab.used + HEADER_BYTES + this.#filled,
      );
      this.#filled += room;
      this.#written += room;
      count += room;
      if (this.#openRoom() === 0) this.#cut();
    }
    return count;
  }

  /** Nothing more is written. */
  end(): void {
    this.#hasEnded = true;
  }

  /** Whether units wait to be sent again. */
  get hasAgain(): boolean {
    return this.#again.length > 0;
  }

  /** Whether anything was sent that is not acknowledged. */
  get hasUnacknowledged(): boolean {
    return this.#first < this.#next;
  }

  /** The first unit to be sent again that is not on its way in the same place. */
  takeAgain(isThere: (unit: Unit) => boolean): Unit | undefined {
    for (let at = 0; at < this.#again.length; at++) {
      const unit = this.#again[at]!;
      const isNeeded = !unit.hasArrived && !unit.isAcknowledged;
      if (isNeeded && isThere(unit)) continue;
      this.#again.splice(at--, 1);
      if (!isNeeded) continue;
      this.resentBytes += unit.length;
      return unit;
    }
    return undefined;
  }

  /** The next unit that was never sent; it is sent when `takeNew` is called. */
  peekNew(): Unit | undefined {
    if (!this.hasUnsent || this.#next - this.#first >= MOST_UNITS) return undefined;
    if (this.#next === this.#units.length) {
      // Cut only what may be sent, so that what waits grows into a longer unit.
      if (this.#written > this.limit) return undefined;
      this.#cut();
    }
    const unit = this.#units[this.#next]!;
    return unit.offset + unit.length > this.limit ? undefined : unit;
  }

  /** What `peekNew` has given is being sent. */
  takeNew(): void {
    const unit = this.#units[this.#next++]!;
    this.#sent = unit.offset + unit.length;
    // The end goes with the last bytes where that is still possible.
    unit.isEnd = this.#hasEnded && this.#sent === this.#written;
    this.#isEndSent = unit.isEnd;
  }

  /** The far end may not get this one: send it once more, before what is new. */
  sendAgain(unit: Unit): void {
    const isNeeded = !unit.hasArrived && !unit.isAcknowledged && !this.#isStopped;
    if (!isNeeded || this.#again.includes(unit)) return;
    let at = this.#again.length;
    while (at > 0 && this.#again[at - 1]!.offset > unit.offset) at--;
    this.#again.splice(at, 0, unit);
  }

  /** The far end has everything before this; gives whether it can have, and forgets it. */
  acknowledge(offset: number): boolean {
    if (offset > this.#sent + (this.#isEndSent ? 1 : 0)) return false;
    if (offset <= this.#acknowledged) return true; // An older word, on a slower connection.
    this.#acknowledged = offset;
    while (this.#first < this.#next) {
      const unit = this.#units[this.#first]!;
      if (unit.offset + unit.length + (unit.isEnd ? 1 : 0) > offset) break;
      this.#first++;
      unit.isAcknowledged = true;
      if (unit.writes === 0) this.release(unit);
    }
    if (this.#first >= 1024 || this.#first === this.#units.length) this.#compact();
    return true;
  }

  /** The far end has everything; gives whether it can have. */
  complete(): boolean {
    return this.#isEndSent && this.acknowledge(this.#sent + 1);
  }

  /** A unit that was acknowledged, and that no write needs any more. */
  release(unit: Unit): void {
    if (unit.slab !== undefined) this.#slabs.release(unit.slab);
  }

  /** Let memory go that is not in use. */
  trim(): void {
    this.#slabs.trim();
  }

  /** The far end wants no more: nothing of it is needed. */
  stop(): void {
    this.#isStopped = true;
    // Writes may still be at work with the slabs: those are left to the collector.
    this.#slabs = new Slabs(this.#unitBytes);
    this.#units = [];
    this.#again = [];
    this.#first = this.#next = 0;
    this.#filling = undefined;
    this.#filled = 0;
    this.#acknowledged = this.#written;
  }

  /** How many bytes may be written now. */
  get #room(): number {
    const waiting = WAITING_UNITS * this.#unitBytes - (this.#written - this.#sent);
    return Math.min(waiting, this.#bufferBytes - this.heldBytes);
  }

  /** How many bytes the unit that is being filled can still take. */
  #openRoom(): number {
    this.#filling ??= this.#slabs.take();
    const { bytes, used } = this.#filling;
    return bytes.byteLength - used - HEADER_BYTES - this.#filled;
  }

  /** What was filled is a unit from now on. */
  #cut(): void {
    const slab = this.#filled === 0 ? undefined : this.#filling!;
    const at = slab?.used ?? 0;
    this.#units.push({
      offset: this.#written - this.#filled,
      length: this.#filled,
      isEnd: false,
      slab,
      at,
      carriers: 0,
      writes: 0,
      hasArrived: false,
      isAcknowledged: false,
    });
    if (slab === undefined) return;
    slab.users++;
    slab.used += HEADER_BYTES + this.#filled;
    this.#filled = 0;
    if (slab.bytes.byteLength - slab.used >= HEADER_BYTES + LEAST_ROOM_BYTES) return;
    this.#filling = undefined;
    this.#slabs.release(slab);
  }

  #compact(): void {
    this.#units.splice(0, this.#first);
    this.#next -= this.#first;
    this.#first = 0;
  }
}
