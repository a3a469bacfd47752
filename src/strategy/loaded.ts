/** A candidate that has something to do already: what {@linkcode leastBusy} compares. */
export interface Loaded {
  /** How much it has to do now, counted in whole things: 0 or more. */
  readonly load: number;
  /**
   * What its load belongs to. Candidates with the same group have the same load at every moment, so
   * a change is told of any one of them. Without it the load is its own.
   */
  readonly group?: object | undefined;
}

/**
 * The load of a candidate.
 *
 * @throws {RangeError} When it is not a number of at least 0.
 */
export function loadOf(candidate: Loaded): number {
  const { load } = candidate;
  if (load >= 0) return load;
  throw new RangeError(`Cannot use load "${load}": expected a number of at least 0`);
}
