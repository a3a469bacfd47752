/**
 * Facts of a candidate or of a request, as they go into a log: plain values by name. What is
 * `undefined` is not in the log when it is kept as JSON.
 */
export type Facts = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** What stands in each entry of a log. */
export interface DecisionPlace {
  /** The entry's place in the log, from 0. */
  readonly sequence: number;
  /** Which place it happened in, where several share the strategy: the sequence of its `start`. */
  readonly place: number;
}

/** A place was given the strategy. */
export interface StartDecision extends DecisionPlace {
  /** The word for this entry. */
  readonly event: "start";
  /** The name of the strategy. */
  readonly strategy: string;
}

/** A candidate became available, is no longer, or has other facts. */
export interface CandidateDecision extends DecisionPlace {
  /** What happened to it. */
  readonly event: "added" | "removed" | "changed";
  /** The candidate's number, from 1, in its place. */
  readonly candidate: number;
  /** The number of the group that it shares its load with, from 1, in its place. */
  readonly group?: number;
  /** What was read from it. */
  readonly facts: Facts;
  /** What reading it failed with. */
  readonly fault?: string;
}

/** The strategy was asked. */
export interface PickDecision extends DecisionPlace {
  /** The word for this entry. */
  readonly event: "pick";
  /** The number of the candidate that was chosen; `null` for none. */
  readonly choice: number | null;
  /** What was read from the request. */
  readonly request: Facts;
  /** What reading the request, or choosing, failed with. */
  readonly fault?: string;
}

/** The log is full: what happened from here on is not in it. */
export interface FullDecision extends DecisionPlace {
  /** The word for this entry. */
  readonly event: "full";
}

/**
 * One entry of a log that {@linkcode recorded} writes: plain data, which survives `JSON.stringify`
 * and `JSON.parse`.
 */
export type Decision = StartDecision | CandidateDecision | PickDecision | FullDecision;
