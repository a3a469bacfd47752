/** What {@linkcode backoffMs} is given. */
export interface BackoffOptions {
  /** Milliseconds before the second try. */
  readonly backoffMs: number;
  /** The most milliseconds between two tries. */
  readonly maxBackoffMs: number;
  /** Gives numbers from 0 to below 1. */
  readonly random: () => number;
}

/**
 * How long to wait after so many failures in a row: twice as long after each, shortened by chance by
 * up to a half, so that many clients do not come back at once.
 */
export function waitAfter(failures: number, options: BackoffOptions): number {
  const { backoffMs, maxBackoffMs, random } = options;
  const waitMs = Math.min(maxBackoffMs, backoffMs * 2 ** Math.max(0, failures - 1));
  return waitMs * (1 - random() / 2);
}

/** A server may ask for an hour; whoever waits so long would like to know. */
const MOST_ASKED_MS = 60_000;

/**
 * How long a server asks to wait (Retry-After: RFC 9110, section 10.2.3), at most a minute; 0 when it
 * does not say. A date is not looked at: clocks differ.
 */
export function askedWaitMs(retryAfter: string | undefined): number {
  if (retryAfter === undefined || !/^\d{1,9}$/.test(retryAfter)) return 0;
  return Math.min(Number(retryAfter) * 1000, MOST_ASKED_MS);
}
