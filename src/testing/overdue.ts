import { systemClock } from "../transport/mod.ts";

/** Something waits for what never comes. */
export class OverdueError extends Error {
  /** It had so many milliseconds. */
  constructor(limitMs: number) {
    super(`it has not settled after ${limitMs} ms`);
  }
}

/**
 * The same promise, but no later than that. The timer also keeps a program alive that has nothing else
 * left to wait for, and would end without a word.
 */
export async function within<T>(limitMs: number, settles: Promise<T>): Promise<T> {
  let cancel = () => {};
  try {
    return await Promise.race([
      settles,
      new Promise<never>((_, reject) => {
        cancel = systemClock.schedule(limitMs, () => reject(new OverdueError(limitMs)));
      }),
    ]);
  } finally {
    cancel();
  }
}
