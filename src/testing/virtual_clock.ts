import type { Clock } from "../transport/mod.ts";

/** Options of {@linkcode VirtualClock}. */
export interface VirtualClockOptions {
  /** What `now()` says at first. @default {0} */
  readonly startMs?: number;
  /**
   * Of several timers that are due at one moment, any one runs next: which, is drawn from here
   * (numbers from 0 to below 1). With `seededRandom(seed)` each seed is another schedule of what
   * waits on this clock, in `delay(clock, 0)` too.
   *
   * @default {the oldest one runs next}
   */
  readonly random?: () => number;
}

/** Options of {@linkcode VirtualClock.runAll}. */
export interface RunAllOptions {
  /**
   * How many timers may run; timers that start new ones could go on for ever.
   *
   * @default {10_000}
   */
  readonly maxTimers?: number;
}

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

type Later = (run: () => void) => unknown;

/** A turn of the event loop, after every promise that is ready; a timer where there is no other. */
const later: Later = (globalThis as { setImmediate?: Later }).setImmediate ??
  ((run) => setTimeout(run, 0));

/**
 * A clock that stands still until it is told to go on, so that tests never sleep.
 *
 * @example Half a minute in no time
 * ```ts
 * import { VirtualClock } from "@jackfield/jackfield/testing";
 *
 * const clock = new VirtualClock();
 * const ran: number[] = [];
 * clock.schedule(30_000, () => ran.push(clock.now()));
 * clock.schedule(10, () => ran.push(clock.now()));
 * await clock.advance(30_000);
 * if (ran.join() !== "10,30000") throw new Error(`unexpected: ${ran}`);
 * ```
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  /** The next one last; of two at one moment, the older one is the next. */
  #timers: Timer[] = [];
  #running = false;
  #random: (() => number) | undefined;

  /** A clock without timers. */
  constructor({ startMs = 0, random }: VirtualClockOptions = {}) {
    if (!Number.isFinite(startMs)) {
      throw new RangeError(`Cannot use startMs "${startMs}": expected a finite number`);
    }
    this.#nowMs = startMs;
    this.#random = random;
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Milliseconds; only `advance` and `runAll` move them. */
  now(): number {
    return this.#nowMs;
  }

  /**
   * Call `run` once when the clock has come so far; the result takes it back.
   *
   * It never runs within this call, not even with a delay of 0.
   *
   * @throws {RangeError} When the delay is not a finite number: it would mean something else on
   * each runtime's own clock.
   */
  schedule(delayMs: number, run: () => void): () => void {
    if (!Number.isFinite(delayMs)) {
      throw new RangeError(`Cannot use delayMs "${delayMs}": expected a finite number`);
    }
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    let at = this.#timers.length;
    while (at > 0 && this.#timers[at - 1]!.atMs <= timer.atMs) at--;
    this.#timers.splice(at, 0, timer);
    return () => {
      const found = this.#timers.indexOf(timer);
      if (found >= 0) this.#timers.splice(found, 1);
    };
  }

  /**
   * Let so many milliseconds pass: every timer that falls due runs, in order and at its own moment,
   * those too that were started on the way. After each one, promises settle before time goes on.
   *
   * @throws {RangeError} When `ms` is negative or not finite.
   * @throws What a timer throws; the clock stays at its moment.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Infinity)) {
      throw new RangeError(`Cannot advance clock by "${ms}": expected 0 or more milliseconds`);
    }
    const endMs = this.#nowMs + ms;
    await this.#run((next) => next.atMs <= endMs);
    this.#nowMs = endMs;
  }

  /**
   * Run timers, in order, until none is left.
   *
   * @throws {Error} When timers are left after `maxTimers`.
   */
  async runAll({ maxTimers = 10_000 }: RunAllOptions = {}): Promise<void> {
    if (!(maxTimers >= 0)) {
      throw new RangeError(`Cannot use maxTimers "${maxTimers}": expected 0 or more`);
    }
    let count = 0;
    await this.#run(() => {
      if (++count <= maxTimers) return true;
      throw new Error(`Cannot run all timers: ${this.pending} are left after ${maxTimers}`);
    });
  }

  /** Let promises settle without letting time pass. */
  settle(): Promise<void> {
    return new Promise((resolve) => void later(resolve));
  }

  async #run(goOn: (next: Timer) => boolean): Promise<void> {
    if (this.#running) throw new Error("Cannot advance clock: it is on its way already");
    this.#running = true;
    try {
      await this.settle();
      for (let next = this.#timers.at(-1); next && goOn(next); next = this.#timers.at(-1)) {
        const timer = this.#take(next.atMs);
        this.#nowMs = timer.atMs;
        timer.run();
        await this.settle();
      }
    } finally {
      this.#running = false;
    }
  }

  /** Take out the one that runs next: of those at this moment, which is the next one. */
  #take(atMs: number): Timer {
    const last = this.#timers.length - 1;
    if (this.#random === undefined) return this.#timers.pop()!;
    let first = last;
    while (first > 0 && this.#timers[first - 1]!.atMs === atMs) first--;
    const place = first + Math.floor(this.#random() * (last + 1 - first));
    return this.#timers.splice(place, 1)[0]!;
  }
}
