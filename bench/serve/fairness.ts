/**
 * Jain's index of shares: 1 when all are equal, 1/n when one of n has everything (Jain, Chiu and
 * Hawe, DEC-TR-301).
 */
export function jainsIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? 0 : sum * sum / (shares.length * squares);
}
