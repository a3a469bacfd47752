import type { Clock } from "../../../src/core.ts";
import { VirtualClock } from "../../../src/testing/mod.ts";

/** Virtual time that counts the turns of the event loop. */
export class ModelClock extends VirtualClock {
  /** In one turn everything happens that needs no time. */
  turn = 0;

  override settle(): Promise<void> {
    return super.settle().then(() => {
      this.turn++;
    });
  }
}

/** The time of somebody whose timers are counted. */
export class CountedClock implements Clock {
  /** How many timers wait. */
  pending = 0;
  #clock: Clock;

  /** The same time as that of another clock. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  schedule(delayMs: number, run: () => void): () => void {
    let waits = true;
    const done = () => {
      if (waits) this.pending--;
      waits = false;
    };
    this.pending++;
    const cancel = this.#clock.schedule(delayMs, () => {
      done();
      run();
    });
    return () => {
      done();
      cancel();
    };
  }
}
