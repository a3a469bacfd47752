/** The first and the longest wait for an answer, and how much it is spread (RFC 2131, section 4.1). */
const FIRST_MS = 4000;
const LONGEST_MS = 64_000;
const SPREAD_MS = 1000;

/** How long to wait for an answer to a client's first requests, before it asks again. */
export function retryWaitMs(attempt: number, random: () => number): number {
  return Math.min(FIRST_MS * 2 ** attempt, LONGEST_MS) + Math.floor(SPREAD_MS * (2 * random() - 1));
}

/** The shortest wait between two requests for more time (RFC 2131, section 4.4.5). */
const LEAST_MS = 60_000;

/**
 * How long to wait for an answer to a request for more time: half of what is left, and a minute at
 * least. Of a lease too short for that an eighth is the least, so that each can be asked for again.
 */
export function renewWaitMs(leftMs: number, leaseLeftMs: number): number {
  const leastMs = Math.min(LEAST_MS, Math.max(leaseLeftMs / 8, 250));
  return Math.ceil(Math.min(leftMs, Math.max(leftMs / 2, leastMs)));
}
