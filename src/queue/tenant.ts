/** One that waits. */
export class Waiting<T> {
  readonly value: T;
  /** Its line; `undefined` once it was taken or given up. */
  line: Line<T> | undefined;
  before: Waiting<T> | undefined;
  after: Waiting<T> | undefined = undefined;
  /** The smaller, the earlier inside its tenant. */
  readonly rank: number;
  /** Counts arrivals: of two of one rank, the smaller is the earlier. */
  readonly order: number;
  readonly cost: number;

  /** It stands behind the last one of its line, which does not know it yet. */
  constructor(value: T, line: Line<T>, rank: number, order: number, cost: number) {
    this.value = value;
    this.line = line;
    this.before = line.last;
    this.rank = rank;
    this.order = order;
    this.cost = cost;
  }
}

/** Those of one tenant that have the same priority, in the order of arrival. */
export class Line<T> {
  readonly tenant: Tenant<T>;
  readonly priority: number;
  first: Waiting<T> | undefined = undefined;
  last: Waiting<T> | undefined = undefined;

  /** Nobody waits. */
  constructor(tenant: Tenant<T>, priority: number) {
    this.tenant = tenant;
    this.priority = priority;
  }

  /** Let one stand at the end. */
  append(waiting: Waiting<T>): void {
    if (this.last === undefined) this.first = waiting;
    else this.last.after = waiting;
    this.last = waiting;
  }

  /** Let one go, from anywhere. */
  delete(waiting: Waiting<T>): void {
    const { before, after } = waiting;
    waiting.line = undefined;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    // Who keeps an old place must not keep those that stood beside it.
    waiting.before = undefined;
    waiting.after = undefined;
  }
}

/** Who shares with others, and the lines of those that wait on its account. */
export class Tenant<T> {
  readonly name: string;
  weight = 1;
  /**
   * Its virtual time, when it was last worked out: `baseTag + used / weight`. The sum is divided
   * anew each time, so that three thirds are one.
   */
  tag = 0;
  baseTag = 0;
  /** The sum of what was served since the base. */
  used = 0;
  /** Where it stands in the heap that holds it. */
  index = -1;
  /** The one that is served next; `undefined` when nobody waits. */
  head: Waiting<T> | undefined = undefined;
  /** The line that somebody joined last; most tenants have no other. */
  line: Line<T>;
  #lines: Line<T>[];

  /** Nobody waits. */
  constructor(name: string) {
    this.name = name;
    this.line = new Line(this, 0);
    this.#lines = [this.line];
  }

  /** Make the line of a priority the one that somebody joins. */
  turnTo(priority: number): Line<T> {
    let line = this.#lines.find((one) => one.priority === priority);
    if (line === undefined) this.#lines.push(line = new Line(this, priority));
    return this.line = line;
  }

  /** Somebody has come to stand alone in its line; whether that makes it the head. */
  came(waiting: Waiting<T>): boolean {
    if (this.head !== undefined && this.head.rank <= waiting.rank) return false;
    this.head = waiting;
    return true;
  }

  /** The head has left; `after` stood behind it. */
  headLeft(after: Waiting<T> | undefined): void {
    this.head = this.#lines.length === 1 ? after : this.#earliest();
  }

  #earliest(): Waiting<T> | undefined {
    let best: Waiting<T> | undefined;
    for (const { first } of this.#lines) {
      if (first !== undefined && (best === undefined || comesBefore(first, best))) best = first;
    }
    return best;
  }
}

function comesBefore<T>(one: Waiting<T>, other: Waiting<T>): boolean {
  return one.rank < other.rank || (one.rank === other.rank && one.order < other.order);
}

/** Of two tenants, the one with less virtual time; of two level ones, whose head came first. */
export function isBehind<T>(one: Tenant<T>, other: Tenant<T>): boolean {
  if (one.tag !== other.tag) return one.tag < other.tag;
  // Those that rest have no head, and need no order.
  return one.head !== undefined && other.head !== undefined && one.head.order < other.head.order;
}
