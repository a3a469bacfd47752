import type { Clock } from "../transport/mod.ts";
import { type Deadline, DeadlineList, isSooner, type Slot, slotOf } from "./deadline.ts";
import { Heap } from "./heap.ts";

/** Options of {@linkcode Deadlines}. */
export interface DeadlinesOptions {
  /**
   * Told what an `expire` threw; the others expire all the same. Without it, or when it throws
   * itself, the error is thrown in a microtask of its own: uncaught, as out of a timer.
   */
  readonly onError?: (error: unknown) => void;
}

/** How many delays have a list of their own; most users have one or two. */
const MAX_LISTS = 8;
/** A microtask through it costs Node a third of what `queueMicrotask` does. */
const READY = Promise.resolve();
/** How many microtasks a timer is kept for that has no deadline. */
const MAX_HOPS = 8;

/**
 * Many deadlines, one timer.
 *
 * Those with the same delay expire in the order in which they came, so they wait in a list: to come
 * and to go costs next to nothing, and nothing is rounded. Only a ninth delay at a time goes into a
 * heap. They expire in the order of their times, never early, and as late as the clock's timer.
 *
 * The time begins when what runs now, and the microtasks that are ready, have run. Then the clock
 * is read once for all that have come, and the timer is set if none is, or none so early. It is
 * taken back some microtasks after the last deadline has gone, so that one that comes and goes
 * again and again costs no timer each time.
 *
 * @example
 * ```ts
 * import { Deadline, Deadlines } from "@jackfield/jackfield/core";
 * import { VirtualClock } from "@jackfield/jackfield/testing";
 *
 * class Guest extends Deadline {
 *   gone = false;
 *
 *   expire(): void {
 *     this.gone = true;
 *   }
 * }
 *
 * const clock = new VirtualClock();
 * const deadlines = new Deadlines(clock);
 * const [early, late] = [new Guest(), new Guest()];
 * deadlines.add(early, 1000);
 * deadlines.add(late, 5000);
 * await clock.advance(1000);
 * if (!early.gone || late.gone) throw new Error("unexpected");
 * deadlines.remove(late);
 * ```
 */
export class Deadlines {
  #clock: Clock;
  #onError: ((error: unknown) => void) | undefined;
  #size = 0;
  #begun = 0;
  /** Those whose time has not begun and whose delay has no list. */
  #others: DeadlineList = new DeadlineList(this, NaN);
  /** How many there are whose time has not begun. */
  #fresh = 0;
  /** One for each delay; an empty one is given to the next delay that has none. */
  #lists: DeadlineList[] = [];
  /** Those whose delay has no list. */
  #heap = new Heap<Slot>(isSooner);
  /** Takes the timer back, when there is one. */
  #cancel: (() => void) | undefined;
  /** What the timer is set for: not later than any deadline, but maybe earlier than all. */
  #armedMs = Infinity;
  #nowMs: number | undefined;
  #settling = false;
  #hops = 0;
  #settle: () => void = () => this.#settleNow();
  #fire: () => void = () => this.#expireDue();

  /** Nothing waits, and there is no timer. */
  constructor(clock: Clock, { onError }: DeadlinesOptions = {}) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * The clock's time, read only once before what runs now, and the microtasks that are ready, have
   * run: late by what those take.
   */
  get nowMs(): number {
    if (this.#nowMs !== undefined) return this.#nowMs;
    if (!this.#settling) this.#settleSoon();
    return this.#nowMs = this.#clock.now();
  }

  /**
   * Let a deadline expire after so long, or never, with `Infinity`. One that waits already begins
   * anew.
   *
   * @throws {RangeError} When the delay is negative or not a number.
   * @throws {TypeError} When it waits among other deadlines than these.
   */
  add(deadline: Deadline, delayMs: number): void {
    if (!(delayMs >= 0)) {
      throw new RangeError(`Cannot use delayMs "${delayMs}": expected 0 or more milliseconds`);
    }
    const slot = slotOf(deadline);
    if ((slot.list !== undefined || slot.index !== -1) && !this.remove(deadline)) {
      throw new TypeError("Cannot add deadline: it waits among other deadlines");
    }
    if (delayMs === Infinity) return;
    slot.timeMs = delayMs;
    slot.order = 0;
    (this.#listOf(delayMs) ?? this.#others).push(slot);
    this.#fresh++;
    this.#size++;
    this.#hops = 0;
    if (!this.#settling) this.#settleSoon();
  }

  /** Let a deadline not expire; `false` when it does not wait here. */
  remove(deadline: Deadline): boolean {
    const slot = slotOf(deadline);
    const { list } = slot;
    if (list === undefined ? !this.#heap.has(slot) : list.owner !== this) return false;
    this.#take(slot);
    if (this.#size === 0 && !this.#settling && this.#cancel !== undefined) this.#settleSoon();
    return true;
  }

  #take(slot: Slot): void {
    if (slot.list === undefined) this.#heap.delete(slot);
    else slot.list.delete(slot);
    if (slot.order === 0) this.#fresh--;
    this.#size--;
  }

  #settleSoon(): void {
    this.#settling = true;
    void READY.then(this.#settle);
  }

  #settleNow(): void {
    this.#settling = false;
    this.#nowMs = undefined;
    if (this.#fresh > 0) this.#begin();
    else if (this.#size === 0 && this.#cancel !== undefined) this.#disarmLater();
  }

  /** The time of the fresh ones begins. */
  #begin(): void {
    this.#hops = 0;
    this.#fresh = 0;
    const nowMs = this.#clock.now();
    let soonestMs = Infinity;
    for (const list of this.#lists) {
      if (list.fresh === undefined) continue;
      const dueMs = nowMs + list.delayMs;
      for (let slot: Slot | undefined = list.fresh; slot !== undefined; slot = slot.after) {
        slot.timeMs = dueMs;
        slot.order = ++this.#begun;
      }
      list.fresh = undefined;
      if (dueMs < soonestMs) soonestMs = dueMs;
    }
    for (let slot = this.#others.first; slot !== undefined; slot = this.#others.first) {
      this.#others.delete(slot);
      slot.timeMs += nowMs;
      slot.order = ++this.#begun;
      if (slot.timeMs < soonestMs) soonestMs = slot.timeMs;
      this.#heap.put(slot);
    }
    if (soonestMs < this.#armedMs) this.#arm(soonestMs, soonestMs - nowMs);
  }

  #listOf(delayMs: number): DeadlineList | undefined {
    let unused: DeadlineList | undefined;
    for (const list of this.#lists) {
      if (list.delayMs === delayMs) return list;
      if (list.first === undefined) unused ??= list;
    }
    // Those of one delay stay together, or two of one turn would change places.
    if (this.#others.first !== undefined) return undefined;
    if (unused !== undefined) unused.delayMs = delayMs;
    else if (this.#lists.length < MAX_LISTS) {
      this.#lists.push(unused = new DeadlineList(this, delayMs));
    }
    return unused;
  }

  #arm(dueMs: number, delayMs: number): void {
    this.#cancel?.();
    this.#armedMs = dueMs;
    this.#cancel = this.#clock.schedule(delayMs, this.#fire);
  }

  /** A timer costs more than some microtasks, and who has left often comes back within them. */
  #disarmLater(): void {
    if (++this.#hops <= MAX_HOPS) return this.#settleSoon();
    this.#cancel!();
    this.#cancel = undefined;
    this.#armedMs = Infinity;
  }

  #expireDue(): void {
    const nowMs = this.#clock.now();
    // Bun's and Node's timers cut a delay down to whole milliseconds, and so come early; of what is
    // left, nothing may be left by the next one.
    const leastMs = nowMs < this.#armedMs ? 1 : 0;
    this.#cancel = undefined;
    this.#armedMs = Infinity;
    let slot = this.#soonest();
    for (; slot !== undefined && slot.timeMs <= nowMs; slot = this.#soonest()) {
      this.#take(slot);
      try {
        slot.expire();
      } catch (error) {
        this.#report(error);
      }
    }
    if (slot !== undefined) this.#arm(slot.timeMs, Math.max(leastMs, slot.timeMs - nowMs));
  }

  #soonest(): Slot | undefined {
    let soonest = this.#heap.first;
    for (const { first } of this.#lists) {
      if (first === undefined || first.order === 0) continue; // Its time has not begun.
      if ((soonest === undefined || isSooner(first, soonest))) {
        soonest = first;
      }
    }
    return soonest;
  }

  #report(error: unknown): void {
    try {
      if (this.#onError === undefined) throw error;
      this.#onError(error);
    } catch (uncaught) {
      queueMicrotask(() => {
        throw uncaught;
      });
    }
  }
}
