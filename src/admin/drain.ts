import type { AdminOptions } from "./admin_options.ts";
import { poolsOf } from "./admin_state.ts";

/** How far draining has come. */
export type DrainState = "no" | "draining" | "drained" | "failed";

/** Ends what an admin handler was given, once. */
export class Drain {
  #options: AdminOptions;
  #state: DrainState = "no";

  /** Nothing has been asked yet. */
  constructor(options: AdminOptions) {
    this.#options = options;
  }

  /** How far it has come. */
  get state(): DrainState {
    return this.#state;
  }

  /** Begin, if nobody has. */
  start(): void {
    if (this.#state === "no") void this.#run();
  }

  async #run(): Promise<void> {
    const { drain = () => closeAll(this.#options), onError } = this.#options;
    this.#state = "draining";
    try {
      await drain();
      this.#state = "drained";
    } catch (error) {
      this.#state = "failed";
      onError?.(error);
    }
  }
}

/** What comes in first, for it may need what goes out. */
async function closeAll(options: AdminOptions): Promise<void> {
  await options.manager?.close();
  await Promise.all(poolsOf(options).map(([, pool]) => pool.close()));
}
