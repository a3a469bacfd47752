/** So many units may be on the way of a path that nothing is known of. */
const FIRST_UNITS = 4;
/** One is being sent while the other one is on its way. */
const LEAST_UNITS = 2;
/** Time that may pass in queues beyond two trips: both programs get their turns only now and then. */
const QUEUE_MS = 1;
/** A rate over less time says more of the clock than of the path. */
const LEAST_SAMPLE_MS = 5;
/** How much of a lower rate is believed at once. */
const DECAY = 1 / 8;

/**
 * How many bytes may be on their way over one connection: what the path delivers in two of its
 * shortest trips and a little more.
 *
 * Without it a slow path takes as many units as its queues hold, seconds of them, and everything
 * that the fast ones bring meanwhile has to wait for them in the window of the receiver.
 */
export class PathLimit {
  #unitBytes: number;
  /** The best guess, in bytes per millisecond; 0 for none. */
  #rate = 0;
  #shortestTripMs = Infinity;
  #sampleMs = 0;
  #sampleBytes = 0;

  /** For units of this length. */
  constructor(unitBytes: number) {
    this.#unitBytes = unitBytes;
  }

  /** Bytes that may be on their way. */
  get bytes(): number {
    if (this.#rate === 0) return FIRST_UNITS * this.#unitBytes;
    const bytes = this.#rate * (2 * this.#shortestTripMs + QUEUE_MS);
    return Math.max(LEAST_UNITS * this.#unitBytes, bytes);
  }

  /** Bytes per second, as far as it is known. */
  get bytesPerSecond(): number {
    return Math.round(this.#rate * 1000);
  }

  /** Something is on its way again: the time without anything says nothing of the path. */
  begin(nowMs: number): void {
    this.#sampleMs = nowMs;
    this.#sampleBytes = 0;
  }

  /** A unit has arrived that was sent so long ago. */
  tripped(tripMs: number): void {
    this.#shortestTripMs = Math.min(this.#shortestTripMs, tripMs);
  }

  /** So many bytes more have arrived. */
  arrived(bytes: number, nowMs: number): void {
    this.#sampleBytes += bytes;
    const tookMs = nowMs - this.#sampleMs;
    if (tookMs < LEAST_SAMPLE_MS || this.#shortestTripMs === Infinity) return;
    const rate = this.#sampleBytes / tookMs;
    this.#rate = rate > this.#rate ? rate : this.#rate + (rate - this.#rate) * DECAY;
    this.begin(nowMs);
  }
}
