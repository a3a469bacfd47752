/**
 * Wait for something as long as the caller does; what comes too late is undone.
 *
 * No listener stays behind at the signal.
 */
export function unlessAborted<T>(
  begun: Promise<T>,
  signal: AbortSignal | undefined,
  undo: (value: T) => void,
): Promise<T> {
  if (signal === undefined) return begun;
  return new Promise((resolve, reject) => {
    let waiting = true;
    const giveUp = () => {
      waiting = false;
      reject(signal.reason);
    };
    const leave = () => signal.removeEventListener("abort", giveUp);
    signal.addEventListener("abort", giveUp, { once: true });
    begun.then((value) => {
      leave();
      if (waiting) resolve(value);
      else undo(value);
    }, (error) => {
      leave();
      reject(error);
    });
    if (signal.aborted) giveUp();
  });
}
