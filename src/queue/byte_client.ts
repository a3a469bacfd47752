import { RoundMember, Rounds } from "./rounds.ts";

/** What keeps a flow from sending; together as the bits of a number. */
export const PARKED = 1;
/** See {@linkcode PARKED}. */
export const PAUSED = 2;
/** It has a turn, of which nothing was heard yet. */
export const SENDING = 4;
/** It was removed. */
export const GONE = 8;

/** A flow, among those of its client that have the same priority. */
export class Flow<T> extends RoundMember {
  readonly value: T;
  readonly client: Client<T>;
  readonly line: FlowLine<T>;
  /** Why it cannot send now; 0 when it can. */
  blocked = 0;
  /** What its turn allows it; 0 when it has none. */
  granted = 0;
  sentBytes = 0;

  /** It has no place yet. */
  constructor(value: T, client: Client<T>, line: FlowLine<T>) {
    super(client.turnBytes);
    this.value = value;
    this.client = client;
    this.line = line;
  }

  /** The higher, the earlier among the flows of its client. */
  get priority(): number {
    return this.line.priority;
  }
}

/** Those flows of a client that have the same priority; they take turns. */
export class FlowLine<T> extends Rounds<Flow<T>> {
  readonly priority: number;
  /** The turn of the client in which it was served last, or somebody came to it. */
  since = 0;

  /** Nobody is there. */
  constructor(priority: number) {
    super();
    this.priority = priority;
  }
}

/** Who shares with others, and its flows. */
export class Client<T> extends RoundMember {
  readonly name: string;
  weight: number;
  /** The most that a turn takes. */
  turnBytes: number;
  /** How many flows it has. */
  flows = 0;
  /** How many of them could send now. */
  ready = 0;
  paused = false;
  /** Counts its turns. */
  turns = 0;
  /** How many turns in a row its flows made nothing of. */
  fruitless = 0;
  sentBytes = 0;
  #agingTurns: number;
  /** Most clients have no more than one. */
  #lines: FlowLine<T>[] = [];

  /** It has no flows. */
  constructor(name: string, weight: number, quantumBytes: number, agingTurns: number) {
    const refillBytes = Math.round(quantumBytes * weight);
    super(refillBytes);
    this.name = name;
    this.weight = weight;
    // Not more than a round adds: whoever owes for a turn can pay with the next round.
    this.turnBytes = Math.min(quantumBytes, refillBytes);
    this.#agingTurns = agingTurns;
  }

  /** The line of a priority. */
  lineOf(priority: number): FlowLine<T> {
    let line = this.#lines.find((one) => one.priority === priority);
    // Not by `push`, which makes room for 17 lines in V8.
    if (line === undefined) this.#lines = [...this.#lines, line = new FlowLine(priority)];
    return line;
  }

  /** The line that is served next; somebody must be ready. */
  nextLine(): FlowLine<T> {
    const lines = this.#lines;
    let best = lines[0]!;
    if (lines.length === 1) return best;
    let bestScore = -Infinity;
    for (const line of lines) {
      if (line.size === 0) continue;
      // What one line is ahead by its priority, another one makes up for by turns that it waits.
      const score = this.turns - line.since + line.priority * this.#agingTurns;
      if (score < bestScore || (score === bestScore && line.priority > best.priority)) continue;
      best = line;
      bestScore = score;
    }
    return best;
  }
}
