import type { Clock } from "../transport/mod.ts";

/** Addresses that rest between their last descriptor and the next one; the first ends first. */
export class ReuseRests {
  #clock: Clock;
  #restMs: number;
  #over: (hostname: string) => void;
  #untilMs = new Map<string, number>();

  /** `over` is told of each one whose rest has ended; nothing ends before `wake` is called. */
  constructor(clock: Clock, restMs: number, over: (hostname: string) => void) {
    this.#clock = clock;
    this.#restMs = restMs;
    this.#over = over;
  }

  /** One more; without a time to rest nothing happens. */
  add(hostname: string): void {
    if (this.#restMs > 0) this.#untilMs.set(hostname, this.#clock.now() + this.#restMs);
  }

  /** Whether an address rests. */
  has(hostname: string): boolean {
    return this.#untilMs.has(hostname);
  }

  /** The addresses that rest. */
  get hostnames(): readonly string[] {
    return [...this.#untilMs.keys()];
  }

  /** End the rests whose time is over. */
  wake(): void {
    if (this.#untilMs.size === 0) return;
    const nowMs = this.#clock.now();
    for (const [hostname, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) return;
      this.#untilMs.delete(hostname);
      this.#over(hostname);
    }
  }
}
