/** Options of {@linkcode RateLimit}. */
export interface RateLimitOptions {
  /**
   * How many bytes can be saved up while nobody takes any, at least 1.
   *
   * @default {what comes in 250 ms, and at least 4 KiB}
   */
  readonly burstBytes?: number;
}

/** Who wants to know when a {@linkcode RateLimit} was changed. */
export interface RateWatcher {
  /** What it was told to wait for may have come nearer. */
  rateChanged(limit: RateLimit): void;
}

/** What is saved up by default. */
const BURST_SECONDS = 0.25;
const LEAST_BURST_BYTES = 4096;
/** A turn is worth its cost when it takes what comes in this time, and so many bytes. */
const TURN_SECONDS = 0.01;
const LEAST_TURN_BYTES = 1024;
/** What is lost when times are rounded: a thousandth of a byte, ten nanoseconds. */
const ROUNDING_BYTES = 1e-3;
const ROUNDING_MS = 1e-5;

/**
 * So many bytes per second.
 *
 * Bytes come evenly with time, which begins with the first call, and are saved up to a bound; it
 * begins with none. They are worked out when somebody asks, so that a limit needs no timer, and
 * nothing is lost by asking often: fractions of a byte are kept. The caller says what time it is.
 *
 * One limit can be shared by many, and several limits can apply together: {@linkcode takeFromAll}.
 *
 * @example
 * ```ts
 * import { RateLimit } from "@jackfield/jackfield/core";
 *
 * const limit = new RateLimit(1000, { burstBytes: 500 });
 * limit.take(100, 0); // the time begins
 * if (limit.take(Infinity, 200) !== 200) throw new Error("unexpected");
 * if (Math.ceil(limit.waitMs(50, 200)) !== 51) throw new Error("unexpected");
 * if (limit.take(Infinity, 10_000) !== 500) throw new Error("unexpected");
 * ```
 */
export class RateLimit {
  #bytesPerSecond = Infinity;
  #burstBytes = Infinity;
  #turnBytes = Infinity;
  #savedBytes = 0;
  #atMs = NaN;
  #watchers: Set<RateWatcher> | undefined;

  /**
   * Checks the rate: from 0, which stops everything, to `Infinity`, which limits nothing.
   *
   * @throws {RangeError} When the rate or an option is out of range.
   */
  constructor(bytesPerSecond: number, options: RateLimitOptions = {}) {
    this.#set(bytesPerSecond, options);
  }

  /** The rate. */
  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** How many bytes can be saved up. */
  get burstBytes(): number {
    return this.#burstBytes;
  }

  /** How many bytes to wait for, so that there are not too many small turns. */
  get turnBytes(): number {
    return this.#turnBytes;
  }

  /** How many whole bytes can be taken now. */
  available(nowMs: number): number {
    if (this.#bytesPerSecond === Infinity) return Infinity;
    this.#save(nowMs);
    const bytes = Math.floor(this.#savedBytes + ROUNDING_BYTES);
    return bytes > 0 ? bytes : 0;
  }

  /**
   * Take as many bytes as there are now, up to `maxBytes`; returns how many.
   *
   * @throws {RangeError} When `maxBytes` is negative or not a number.
   */
  take(maxBytes: number, nowMs: number): number {
    assertBytes(maxBytes, "maxBytes");
    if (this.#bytesPerSecond === Infinity) return maxBytes;
    const bytes = Math.min(Math.floor(maxBytes), this.available(nowMs));
    this.#savedBytes -= bytes;
    return bytes;
  }

  /** Bytes that were taken and not used come back. */
  giveBack(bytes: number): void {
    assertBytes(bytes, "bytes");
    if (this.#bytesPerSecond === Infinity) return;
    this.#savedBytes = Math.min(this.#burstBytes, this.#savedBytes + bytes);
  }

  /**
   * After how many milliseconds so many bytes can be taken, when nobody else takes any; 0 when they
   * can be taken now. More than are saved up are never there at once: it is the time until all are.
   */
  waitMs(bytes: number, nowMs: number): number {
    assertBytes(bytes, "bytes");
    if (this.#bytesPerSecond === Infinity || this.available(nowMs) >= bytes) return 0;
    const missing = Math.min(bytes, this.#burstBytes) - this.#savedBytes;
    if (missing <= ROUNDING_BYTES) return 0;
    return missing / this.#bytesPerSecond * 1000 + ROUNDING_MS;
  }

  /**
   * Change the rate from now on. What is saved up stays, as far as it may.
   *
   * @throws {RangeError} When the rate or an option is out of range; nothing changes then.
   */
  change(bytesPerSecond: number, nowMs: number, options: RateLimitOptions = {}): void {
    const wasUnlimited = this.#bytesPerSecond === Infinity;
    this.#save(nowMs);
    this.#set(bytesPerSecond, options);
    if (wasUnlimited) this.#savedBytes = 0;
    if (this.#savedBytes > this.#burstBytes) this.#savedBytes = this.#burstBytes;
    if (this.#watchers === undefined) return;
    for (const watcher of this.#watchers) watcher.rateChanged(this);
  }

  /** Tell somebody of every change. */
  watch(watcher: RateWatcher): void {
    (this.#watchers ??= new Set()).add(watcher);
  }

  /** Tell somebody no more. */
  unwatch(watcher: RateWatcher): void {
    this.#watchers?.delete(watcher);
  }

  #set(bytesPerSecond: number, options: RateLimitOptions): void {
    if (!(bytesPerSecond >= 0)) {
      throw new RangeError(
        `Cannot use bytesPerSecond "${bytesPerSecond}": expected 0 or more bytes`,
      );
    }
    const { burstBytes = Math.max(bytesPerSecond * BURST_SECONDS, LEAST_BURST_BYTES) } = options;
    if (!(burstBytes >= 1)) {
      throw new RangeError(`Cannot use burstBytes "${burstBytes}": expected at least 1`);
    }
    this.#bytesPerSecond = bytesPerSecond;
    this.#burstBytes = Math.floor(burstBytes);
    const turnBytes = Math.max(Math.floor(bytesPerSecond * TURN_SECONDS), LEAST_TURN_BYTES);
    this.#turnBytes = Math.min(turnBytes, this.#burstBytes);
  }

  /** Bytes have come since it was asked last. */
  #save(nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs > 0) {
      const bytes = this.#savedBytes + elapsedMs * this.#bytesPerSecond / 1000;
      this.#savedBytes = bytes < this.#burstBytes ? bytes : this.#burstBytes;
      this.#atMs = nowMs;
    } else if (!(elapsedMs <= 0)) {
      if (!Number.isFinite(nowMs)) {
        throw new RangeError(`Cannot use nowMs "${nowMs}": expected a finite number`);
      }
      this.#atMs = nowMs;
    }
  }
}

/**
 * Take the same number of bytes from several limits, as many as the strictest one allows; returns
 * how many. Either all of them give, or none does.
 *
 * @example
 * ```ts
 * import { RateLimit, takeFromAll } from "@jackfield/jackfield/core";
 *
 * const [own, overall] = [new RateLimit(1000), new RateLimit(300)];
 * takeFromAll([own, overall], 1, 0); // the time begins
 * if (takeFromAll([own, overall], 5000, 1000) !== 300) throw new Error("unexpected");
 * if (own.available(1000) !== 700) throw new Error("unexpected");
 * ```
 *
 * @throws {RangeError} When `maxBytes` is negative or not a number.
 */
export function takeFromAll(limits: readonly RateLimit[], maxBytes: number, nowMs: number): number {
  assertBytes(maxBytes, "maxBytes");
  let bytes = maxBytes;
  for (const limit of limits) bytes = Math.min(bytes, limit.available(nowMs));
  if (bytes < Infinity) bytes = Math.floor(bytes);
  for (const limit of limits) limit.take(bytes, nowMs);
  return bytes;
}

/** After how many milliseconds {@linkcode takeFromAll} can take so many bytes; 0 when it can now. */
export function waitForAllMs(limits: readonly RateLimit[], bytes: number, nowMs: number): number {
  let longestMs = 0;
  for (const limit of limits) longestMs = Math.max(longestMs, limit.waitMs(bytes, nowMs));
  return longestMs;
}

function assertBytes(bytes: number, name: string): void {
  if (bytes >= 0) return;
  throw new RangeError(`Cannot use ${name} "${bytes}": expected 0 or more bytes`);
}
