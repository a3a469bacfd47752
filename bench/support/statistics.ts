/** The middle of some figures, and how far they spread. */
export interface Spread {
  /** The smallest. */
  readonly min: number;
  /** A quarter lies below. */
  readonly lower: number;
  /** The middle one. */
  readonly median: number;
  /** A quarter lies above. */
  readonly upper: number;
  /** The largest. */
  readonly max: number;
}

/** Median, quartiles and ends; at least one figure. */
export function spreadOf(figures: readonly number[]): Spread {
  if (figures.length === 0) throw new RangeError("Cannot take the median of nothing");
  const sorted = [...figures].sort((a, b) => a - b);
  // Between two figures it is the point that lies as far along as the rank does.
  const at = (part: number): number => {
    const rank = part * (sorted.length - 1);
    const below = sorted[Math.floor(rank)]!;
    const above = sorted[Math.ceil(rank)]!;
    return below + (above - below) * (rank % 1);
  };
  return { min: at(0), lower: at(0.25), median: at(0.5), upper: at(0.75), max: at(1) };
}

/** Each figure over its partner of the same round. */
export function ratiosOf(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((figure, index) => figure / theirs[index]!);
}
