/** Time as a value that can be replaced, so that tests never sleep. */
export interface Clock {
  /** Milliseconds on a clock that never goes back; only differences mean something. */
  now(): number;
  /** Call `run` once after at least `delayMs`; the result takes it back. */
  schedule(delayMs: number, run: () => void): () => void;
}

/** The clock of the runtime: `performance.now()` and `setTimeout`. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, run) {
    // Runtimes cut fractions off, and longer delays than a signed 32-bit count would fire at once.
    const timer = setTimeout(run, Math.min(Math.ceil(delayMs), 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

/** Wait on a clock; rejects with the signal's reason when it is aborted, and leaves no listener. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const cancel = clock.schedule(delayMs, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    const stop = () => {
      cancel();
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}
