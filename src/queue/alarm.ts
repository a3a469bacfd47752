import { Deadline } from "./deadline.ts";
import type { Deadlines } from "./deadlines.ts";

/** A deadline that is moved only when it has to come nearer: too early does no harm. */
export class Alarm extends Deadline {
  #deadlines: Deadlines;
  #ring: () => void;
  #setMs = Infinity;

  /** It is not set. */
  constructor(deadlines: Deadlines, ring: () => void) {
    super();
    this.#deadlines = deadlines;
    this.#ring = ring;
  }

  /** Ring at this time, or before; never, with `Infinity`. */
  set(dueMs: number, nowMs: number): void {
    if (dueMs === Infinity) return this.clear();
    if (dueMs >= this.#setMs) return;
    this.#setMs = dueMs;
    this.#deadlines.add(this, Math.max(0, dueMs - nowMs));
  }

  /** Do not ring. */
  clear(): void {
    if (this.#setMs === Infinity) return;
    this.#setMs = Infinity;
    this.#deadlines.remove(this);
  }

  expire(): void {
    this.#setMs = Infinity;
    this.#ring();
  }
}
