import type { Decision, Facts } from "./decision.ts";
import type { Picker, StatefulStrategy, Strategy } from "./strategy.ts";
import { startStrategy } from "./strategy.ts";

/** Options of {@linkcode recorded}. */
export interface RecordedOptions<Candidate, Request> {
  /**
   * Reads from a candidate what a log shall know: what strategies look at, and what it is called by.
   *
   * @default {its numbers `load` and `weight`, or itself if it is a plain value}
   */
  readonly describe?: (candidate: Candidate) => Facts;
  /**
   * Reads from a request what a log shall know, such as its key.
   *
   * @default {nothing}
   */
  readonly describeRequest?: (request: Request) => Facts;
  /**
   * The most entries of the log. The last one then is `{ event: "full" }`, and the strategy goes on
   * without being recorded.
   *
   * @default {100_000}
   */
  readonly maxDecisions?: number;
}

/**
 * The same strategy, with every choice and what led to it written into a log.
 *
 * It chooses as it would without a log. The log is plain data: keep it as JSON, look at it, or give
 * it to {@linkcode replay} to learn what another strategy had chosen. One log may serve several
 * places. When `describe` or `describeRequest` throws, the entry says so in `fault`.
 *
 * @param strategy the strategy at work
 * @param log where the entries go; behind what is in it already
 * @throws {RangeError} When `maxDecisions` is not a whole number of at least 1.
 *
 * @example
 * ```ts
 * import { type Decision, recorded, roundRobin, startStrategy } from "@jackfield/jackfield/core";
 *
 * const log: Decision[] = [];
 * const picker = startStrategy(recorded(roundRobin<{ load: number }>(), log));
 * const candidate = { load: 2 };
 * picker.added?.(candidate);
 * if (picker.pick([candidate], undefined) !== candidate) throw new Error("unexpected");
 * if (log.map(({ event }) => event).join() !== "start,added,pick") throw new Error("unexpected");
 * ```
 */
export function recorded<Candidate, Request>(
  strategy: Strategy<Candidate, Request>,
  log: Decision[],
  options: RecordedOptions<Candidate, Request> = {},
): StatefulStrategy<Candidate, Request> {
  const { describe = readUsual, describeRequest = () => ({}), maxDecisions = 100_000 } = options;
  if (!Array.isArray(log)) {
    throw new TypeError(`Cannot use log "${String(log)}": expected an array`);
  }
  if (!Number.isInteger(maxDecisions) || maxDecisions < 1) {
    throw new RangeError(
      `Cannot use maxDecisions "${maxDecisions}": expected an integer of at least 1`,
    );
  }
  const name = strategy?.name ?? ""; // What is no strategy is refused by `start`.
  const start = () => {
    const picker = startStrategy(strategy);
    const book = new Book(log, name, maxDecisions);
    return new RecordedPicker(picker, book, describe, describeRequest);
  };
  return { name, start };
}

/** The facts that the strategies of this room look at. */
function readUsual(candidate: unknown): Facts {
  if (typeof candidate === "string" || typeof candidate === "number") return { value: candidate };
  const { load, weight } = (candidate ?? {}) as { load?: unknown; weight?: unknown };
  return {
    ...(typeof load === "number" ? { load } : {}),
    ...(typeof weight === "number" ? { weight } : {}),
  };
}

/** Numbers for things, in the order in which they are met, that keep no object alive. */
class Numbers {
  #objects = new WeakMap<object, number>();
  // Each new one goes into the log, which is bounded.
  #values = new Map<unknown, number>();
  #last = 0;

  of(thing: unknown): number {
    const map = isObject(thing) ? this.#objects : this.#values;
    let number = map.get(thing as object);
    if (number === undefined) map.set(thing as object, number = ++this.#last);
    return number;
  }
}

/** What one place writes into the log. */
class Book {
  #log: Decision[];
  #maxDecisions: number;
  #place: number;
  #candidates = new Numbers();
  #groups = new Numbers();

  constructor(log: Decision[], strategy: string, maxDecisions: number) {
    this.#log = log;
    this.#maxDecisions = maxDecisions;
    this.#place = log.length;
    if (this.isOpen) this.#write({ ...this.#next(), event: "start", strategy });
  }

  get isOpen(): boolean {
    return this.#log.length < this.#maxDecisions && this.#log.at(-1)?.event !== "full";
  }

  tell(
    event: "added" | "removed" | "changed",
    candidate: unknown,
    group: object | undefined,
    facts: Facts,
    fault: string | undefined,
  ): void {
    if (!this.isOpen) return;
    this.#write({
      ...this.#next(),
      event,
      candidate: this.#candidates.of(candidate),
      ...(group !== undefined ? { group: this.#groups.of(group) } : {}),
      facts: { ...facts },
      ...(fault === undefined ? {} : { fault }),
    });
  }

  choose(choice: unknown, request: Facts, fault: string | undefined): void {
    if (!this.isOpen) return;
    this.#write({
      ...this.#next(),
      event: "pick",
      choice: choice === undefined ? null : this.#candidates.of(choice),
      request: { ...request },
      ...(fault === undefined ? {} : { fault }),
    });
  }

  #next(): { sequence: number; place: number } {
    return { sequence: this.#log.length, place: this.#place };
  }

  /** The last entry that there is room for says that it is the last. */
  #write(decision: Decision): void {
    const isLast = this.#log.length === this.#maxDecisions - 1;
    this.#log.push(isLast ? { ...this.#next(), event: "full" } : decision);
  }
}

class RecordedPicker<Candidate, Request> implements Picker<Candidate, Request> {
  readonly window?: number;
  #picker: Picker<Candidate, Request>;
  #book: Book;
  #describe: (candidate: Candidate) => Facts;
  #describeRequest: (request: Request) => Facts;

  constructor(
    picker: Picker<Candidate, Request>,
    book: Book,
    describe: (candidate: Candidate) => Facts,
    describeRequest: (request: Request) => Facts,
  ) {
    this.#picker = picker;
    this.#book = book;
    this.#describe = describe;
    this.#describeRequest = describeRequest;
    if (picker.window !== undefined) this.window = picker.window;
  }

  pick(candidates: readonly Candidate[], request: Request): Candidate | undefined {
    if (!this.#book.isOpen) return this.#picker.pick(candidates, request);
    const [facts, fault] = read(this.#describeRequest, request, {});
    let choice: Candidate | undefined;
    try {
      choice = this.#picker.pick(candidates, request);
    } catch (error) {
      this.#book.choose(undefined, facts, inWords(error));
      throw error;
    }
    this.#book.choose(choice, facts, fault);
    return choice;
  }

  added(candidate: Candidate): void {
    this.#tell("added", candidate);
    this.#picker.added?.(candidate);
  }

  removed(candidate: Candidate): void {
    this.#tell("removed", candidate);
    this.#picker.removed?.(candidate);
  }

  changed(candidate: Candidate): void {
    this.#tell("changed", candidate);
    this.#picker.changed?.(candidate);
  }

  #tell(event: "added" | "removed" | "changed", candidate: Candidate): void {
    if (!this.#book.isOpen) return;
    const [facts, fault] = read(this.#describe, candidate, {});
    const [group] = read(groupOf, candidate, undefined);
    this.#book.tell(event, candidate, group, facts, fault);
  }
}

/** What is read, or why nothing is if that throws: a log must not stop traffic. */
function read<T, Found>(
  describe: (thing: T) => Found,
  thing: T,
  nothing: Found,
): [Found, string | undefined] {
  try {
    return [describe(thing), undefined];
  } catch (error) {
    return [nothing, inWords(error)];
  }
}

function groupOf(candidate: unknown): object | undefined {
  const group = isObject(candidate) ? (candidate as { group?: unknown }).group : undefined;
  return isObject(group) ? group : undefined;
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
