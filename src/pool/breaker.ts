/** Options of {@linkcode Breaker}; see those of the pool. */
export interface BreakerOptions {
  /** Milliseconds to the first repetition after two failures in a row. */
  readonly backoffMs: number;
  /** The most milliseconds between two tries. */
  readonly maxBackoffMs: number;
  /** After so many failures in a row it is down. */
  readonly breakAfter: number;
  /** Gives numbers from 0 to below 1. */
  readonly random: () => number;
}

/**
 * When a target that failed is tried again.
 *
 * One failure is no reason to wait. From the second in a row on the next try waits, twice as long
 * after each, shortened by chance by up to a half so that many clients do not come back at once. From
 * `breakAfter` failures on the target is down: one connect at a time tries it. A success ends all
 * that.
 *
 * Connects that ran side by side and fail together are one failure: each is counted against the
 * `round` in which it began.
 */
export class Breaker {
  #options: BreakerOptions;
  #round = 0;
  #failures = 0;
  #restsUntilMs = -Infinity;
  #lastError: unknown;

  /** A target that nothing is known against. */
  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** What a connect has to say when it failed. */
  get round(): number {
    return this.#round;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** What the last failure was; `undefined` after a success. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** When it may be tried again. */
  get restsUntilMs(): number {
    return this.#restsUntilMs;
  }

  /** Whether there were so many failures in a row that nobody should wait for it. */
  get isDown(): boolean {
    return this.#failures >= this.#options.breakAfter;
  }

  /** How many connects may be on the way to it at once now. */
  maxConnecting(nowMs: number): number {
    if (nowMs < this.#restsUntilMs) return 0;
    return this.isDown ? 1 : Infinity;
  }

  /** A connect that began in `round` has failed. */
  failed(round: number, nowMs: number, error: unknown): void {
    this.#lastError = error;
    if (round !== this.#round) return;
    this.#round++;
    this.#failures++;
    if (this.#failures < 2) return;
    const { backoffMs, maxBackoffMs, random } = this.#options;
    const delayMs = Math.min(maxBackoffMs, backoffMs * 2 ** (this.#failures - 2));
    this.#restsUntilMs = nowMs + delayMs * (1 - random() / 2);
  }

  /** A connect has succeeded. */
  succeeded(): void {
    this.#round++;
    this.#failures = 0;
    this.#restsUntilMs = -Infinity;
    this.#lastError = undefined;
  }
}
