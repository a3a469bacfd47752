import type { Clock } from "../transport/mod.ts";

interface Deadline {
  readonly atMs: number;
  readonly expire: () => void;
}

/** The deadlines of a channel, with one timer for all of them: each timer of its own costs a microsecond. */
export class Deadlines {
  #clock: Clock;
  #all = new Set<Deadline>();
  #wakeMs = Infinity;
  #cancel: (() => void) | undefined;

  /** Without any there is no timer. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call `expire` when the time is over; the result takes it back. */
  add(timeoutMs: number, expire: () => void): () => void {
    if (timeoutMs === Infinity) return () => {};
    const deadline = { atMs: this.#clock.now() + timeoutMs, expire };
    this.#all.add(deadline);
    if (deadline.atMs < this.#wakeMs) this.#wake(deadline.atMs, timeoutMs);
    return () => {
      this.#all.delete(deadline);
      if (this.#all.size === 0) this.#rest();
    };
  }

  #wake(atMs: number, delayMs: number): void {
    this.#cancel?.();
    this.#wakeMs = atMs;
    this.#cancel = this.#clock.schedule(delayMs, () => this.#fire());
  }

  #rest(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wakeMs = Infinity;
  }

  #fire(): void {
    const nowMs = this.#clock.now();
    this.#rest();
    let nextMs = Infinity;
    for (const deadline of [...this.#all]) {
      if (deadline.atMs <= nowMs) {
        this.#all.delete(deadline);
        deadline.expire();
      } else nextMs = Math.min(nextMs, deadline.atMs);
    }
    if (nextMs < this.#wakeMs) this.#wake(nextMs, nextMs - nowMs);
  }
}
