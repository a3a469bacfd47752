import type { Clock } from "../transport/mod.ts";

/** The most tuples that rest at once; with one more, the one that rests longest is tried again. */
const MAX_RESTING = 16_384;

/** A tuple that the kernel refused. */
export interface RestingPort {
  /** The local address. */
  readonly address: string;
  /** The destination, or every one. */
  readonly destination: string;
  /** The port's place in the range. */
  readonly place: number;
}

interface Resting extends RestingPort {
  readonly untilMs: number;
}

/** Tuples that are left alone for a while; all for the same time, so the first is over first. */
export class RestingPorts {
  #clock: Clock;
  #restMs: number;
  #over: (one: RestingPort) => void;
  #queue: Resting[] = [];
  /** Where the queue begins: what lies before is over. */
  #head = 0;

  /** `over` is told of each one whose rest has ended; nothing ends before `wake` is called. */
  constructor(clock: Clock, restMs: number, over: (one: RestingPort) => void) {
    this.#clock = clock;
    this.#restMs = restMs;
    this.#over = over;
  }

  /** How many rest. */
  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** One more. */
  add(one: RestingPort): void {
    if (!(this.#restMs > 0)) return this.#over(one);
    if (this.size === MAX_RESTING) this.#next();
    this.#queue.push({ ...one, untilMs: this.#clock.now() + this.#restMs });
  }

  /** End the rests whose time is over. Without any it costs nothing. */
  wake(): void {
    if (this.size === 0) return;
    const nowMs = this.#clock.now();
    while (this.size > 0 && this.#queue[this.#head]!.untilMs <= nowMs) this.#next();
  }

  /** How many rest, by `ADDRESS DESTINATION`. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (let at = this.#head; at < this.#queue.length; at++) {
      const { address, destination } = this.#queue[at]!;
      const key = `${address} ${destination}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  #next(): void {
    const one = this.#queue[this.#head++]!;
    if (this.#head * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    this.#over(one);
  }
}
