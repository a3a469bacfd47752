import { type Clock, delay, isJackfieldError } from "../transport/mod.ts";

/** The first and the longest pause before the next try, in milliseconds. */
const PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 320;
/** A client waits so long at most; then it is told to come again. */
const PATIENCE_MS = 5000;

/** Whether an error says that no descriptor is left: this process's own or the system's. */
export function isShortOfDescriptors(error: unknown): boolean {
  return isJackfieldError(error, "FILE_FAILED") &&
    (error.osCode === "EMFILE" || error.osCode === "ENFILE");
}

/** Who waits for a descriptor. */
export interface Patience {
  /** Times the tries. */
  readonly clock: Clock;
  /** Whether the client still waits. */
  readonly isWanted: () => boolean;
}

/**
 * Try again while no descriptor is left. They come back as other downloads end, which nobody tells:
 * the next one may be given back by another part of the program.
 *
 * @throws What `open` throws, after five seconds also that no descriptor is left.
 */
export async function openPatiently<T>(
  { clock, isWanted }: Patience,
  open: () => Promise<T>,
): Promise<T> {
  let waitedMs = 0;
  for (let pauseMs = PAUSE_MS;; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await open();
    } catch (error) {
      if (!isShortOfDescriptors(error) || waitedMs >= PATIENCE_MS || !isWanted()) throw error;
    }
    await delay(clock, pauseMs);
    waitedMs += pauseMs;
  }
}
