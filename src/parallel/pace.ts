import { RateLimit } from "../queue/mod.ts";
import type { Control } from "./control.ts";

/** How many bytes may be read now. */
export class Pace {
  #limit: RateLimit;
  #control: Control;

  /** Keeps to a limit, which others may share. */
  constructor(limit: number | RateLimit, control: Control) {
    this.#limit = typeof limit === "number" ? new RateLimit(limit) : limit;
    this.#control = control;
  }

  /** Wait until some may be read; resolves to how many, from 1 to `maxBytes`. */
  async take(maxBytes: number): Promise<number> {
    const { clock } = this.#control;
    for (;;) {
      const turn = Math.min(maxBytes, this.#limit.turnBytes);
      const now = clock.now();
      const waitMs = this.#limit.waitMs(turn, now);
      const taken = waitMs > 0 ? 0 : this.#limit.take(maxBytes, now);
      if (taken > 0) return taken;
      // A limit that others share, or that was changed, is asked again now and then.
      await this.#control.delay(Math.max(1, Math.min(waitMs, 1000)));
    }
  }

  /** Of these none have come. */
  giveBack(bytes: number): void {
    if (bytes > 0) this.#limit.giveBack(bytes);
  }
}
