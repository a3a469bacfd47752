import type { Clock } from "../../transport/mod.ts";

/** A timer that is set when there is reason to, and does not run otherwise. */
export class Alarm {
  #clock: Clock;
  #afterMs: number;
  #ring: () => void;
  #cancel: (() => void) | undefined;

  /** Rings so long after it was set; never with `Infinity`. */
  constructor(clock: Clock, afterMs: number, ring: () => void) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    this.#ring = ring;
  }

  /** Set it, unless it is set. */
  set(): void {
    if (this.#cancel !== undefined || this.#afterMs === Infinity) return;
    this.#cancel = this.#clock.schedule(this.#afterMs, () => {
      this.#cancel = undefined;
      this.#ring();
    });
  }

  /** It does not ring. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
