import type { Piece } from "./unit_plan.ts";

/** A piece, and how fast it goes. */
export interface Moving {
  /** The piece. */
  readonly piece: Piece;
  /** Bytes per second lately. */
  readonly bytesPerSecond: number;
  /** Milliseconds since it was asked for. */
  readonly ageMs: number;
  /** How often what it fetches was taken over as a whole. */
  readonly takeovers: number;
}

/** What a worker without work takes over. */
export interface Theft {
  /** From whom. */
  readonly victim: Moving;
  /** The bytes from here on. */
  readonly from: number;
  /** Whether nothing is left to the other one. */
  readonly isWhole: boolean;
}

/** A request for less is not worth its trip. */
const LEAST_BYTES = 64 * 1024;
/** What is done so soon needs no help. */
const LEAST_MS = 250;
/** Before that nobody knows how fast it goes. */
const LEAST_AGE_MS = 300;
/** What was asked for so long ago may be asked for elsewhere as a whole. */
const LEAST_WHOLE_AGE_MS = 1000;
/** Two slow sockets must not take the same bytes from each other without end. */
const MAX_TAKEOVERS = 3;

/**
 * What to take over when no unit is free: a part of the piece that would be done last, so that both
 * are done at the same moment; all of it when what would be left to the slow one is little.
 * `undefined` when nobody would gain by it.
 */
export function chooseTheft(
  pieces: Iterable<Moving>,
  thief: { readonly bytesPerSecond: number; readonly latencyMs: number },
): Theft | undefined {
  let victim: Moving | undefined;
  let latestMs = Math.max(LEAST_MS, 4 * thief.latencyMs);
  for (const moving of pieces) {
    if (moving.ageMs < LEAST_AGE_MS) continue;
    const restMs = restOf(moving) / moving.bytesPerSecond * 1000;
    if (restOf(moving) > 0 && restMs > latestMs) {
      latestMs = restMs;
      victim = moving;
    }
  }
  if (victim === undefined || !(thief.bytesPerSecond > 0)) return undefined;
  const { piece: { at, end }, bytesPerSecond } = victim;
  const rest = end - at;
  const both = bytesPerSecond + thief.bytesPerSecond;
  const lostBytes = thief.latencyMs / 1000 * bytesPerSecond;
  const share = Math.floor((rest - lostBytes) * (thief.bytesPerSecond / both));
  if (rest - share >= LEAST_BYTES) {
    return share < LEAST_BYTES ? undefined : { victim, from: end - share, isWhole: false };
  }
  const ownMs = thief.latencyMs + rest / thief.bytesPerSecond * 1000;
  const isWorthIt = victim.ageMs >= LEAST_WHOLE_AGE_MS && victim.takeovers < MAX_TAKEOVERS &&
    latestMs > 4 * ownMs;
  return isWorthIt ? { victim, from: at, isWhole: true } : undefined;
}

function restOf({ piece }: Moving): number {
  return piece.end - piece.at;
}
