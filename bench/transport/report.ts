/** What a child measured. */
export interface Report {
  /** The runtime and its version. */
  readonly version: string;
  /** What stands on our side. */
  readonly ours: string;
  /** What stands on the other. */
  readonly theirs: string;
  /** One for each line of the table. */
  readonly cells: readonly CellReport[];
}

/** The figures of one cell, a pair for each round. */
export interface CellReport {
  /** What was done. */
  readonly name: string;
  /** What the figures count. */
  readonly unit: string;
  /** Ours. */
  readonly ours: number[];
  /** Theirs, in the same round. */
  readonly theirs: number[];
}
