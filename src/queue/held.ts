import type { RateLimit, RateWatcher } from "./rate_limit.ts";
import { TimeWheelLink } from "./time_wheel.ts";

/** Who is told when a limit has changed that keeps somebody from sending. */
export interface HoldKeeper {
  /** Somebody's limit was changed. */
  recheck(held: Held): void;
}

/** Somebody whom a limit may keep from sending for a while. */
export class Held extends TimeWheelLink implements RateWatcher {
  readonly limit: RateLimit | undefined;
  #keeper: HoldKeeper;

  /** It may send. */
  constructor(limit: RateLimit | undefined, keeper: HoldKeeper) {
    super();
    this.limit = limit;
    this.#keeper = keeper;
  }

  /** Whether it is kept from sending now. */
  get held(): boolean {
    return this.list !== undefined;
  }

  /** See {@linkcode RateWatcher}. */
  rateChanged(): void {
    this.#keeper.recheck(this);
  }
}
