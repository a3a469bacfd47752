/**
 * Chooses one of the candidates for a request.
 *
 * `candidates` is a live, read-only view in rotation order: the one that was not chosen for the
 * longest time comes first. `undefined` means: open a new one if the limits allow it, else wait.
 */
export type Pick<Candidate, Request> = (
  candidates: readonly Candidate[],
  request: Request,
) => Candidate | undefined;

/**
 * A strategy at work in one place.
 *
 * The hooks tell a picker what became available and what no longer is, so that it may keep notes of
 * its own and a pick need not look at all candidates. A picker that is set to work in a place that
 * runs already is told of every candidate there is, in rotation order.
 */
export interface Picker<Candidate, Request> {
  /** Choose. What is chosen stays a candidate until `removed` says otherwise. */
  pick: Pick<Candidate, Request>;
  /**
   * How many candidates `pick` looks at, from the first in rotation on: it is given no more than
   * these, and the fewer they are, the less it costs to show them. 0 for a picker that chooses from
   * its own notes; without a value it is given all.
   *
   * A picker that sets it promises to choose whenever there is a candidate: what comes free while
   * tasks wait may then go to the first of them without asking.
   */
  readonly window?: number;
  /** It became available; at the end of the rotation, unless it was passed over while in use. */
  added?(candidate: Candidate): void;
  /** It is no longer available: chosen, or gone. */
  removed?(candidate: Candidate): void;
  /** A fact of an available one has changed: its load, or its weight. */
  changed?(candidate: Candidate): void;
}

/** A strategy that keeps notes: `start` gives each place a picker of its own. */
export interface StatefulStrategy<Candidate, Request> {
  /** Stands in errors. */
  readonly name: string;
  /** A fresh picker. */
  start(): Picker<Candidate, Request>;
}

/**
 * How one of several is chosen: a plain function, or an object with `start`.
 *
 * @example
 * ```ts
 * import { type Strategy, startStrategy } from "@jackfield/jackfield/core";
 *
 * const shortest: Strategy<string, unknown> = (words) =>
 *   words.toSorted((a, b) => a.length - b.length)[0];
 * const picked = startStrategy(shortest).pick(["three", "two"], undefined);
 * if (picked !== "two") throw new Error("unexpected");
 * ```
 */
export type Strategy<Candidate, Request> =
  | Pick<Candidate, Request>
  | StatefulStrategy<Candidate, Request>;

/**
 * A picker for one place.
 *
 * @throws {TypeError} When the value is not a strategy.
 * @throws {RangeError} When its picker's window is not a whole number of at least 0.
 */
export function startStrategy<Candidate, Request>(
  strategy: Strategy<Candidate, Request>,
): Picker<Candidate, Request> {
  if (typeof strategy === "function") return { pick: strategy };
  if (typeof strategy?.start !== "function") {
    throw new TypeError(
      `Cannot use strategy "${String(strategy)}": expected a function or an object with start()`,
    );
  }
  const picker = strategy.start();
  if (typeof picker?.pick !== "function") {
    throw new TypeError(
      `Cannot use strategy "${strategy.name}": its start() gave "${String(picker)}", ` +
        "expected an object with pick()",
    );
  }
  const { window } = picker;
  if (window === undefined || (Number.isInteger(window) && window >= 0)) return picker;
  throw new RangeError(
    `Cannot use strategy "${strategy.name}": its window is "${String(window)}", ` +
      "expected an integer of at least 0",
  );
}

/** The error for a strategy that chose what was not offered. */
export function badPick(strategy: { readonly name: string }, picked: unknown): TypeError {
  const name = strategy.name === "" ? "strategy" : `strategy "${strategy.name}"`;
  return new TypeError(
    `Cannot use choice of ${name}: expected a candidate or undefined, got "${String(picked)}"`,
  );
}
