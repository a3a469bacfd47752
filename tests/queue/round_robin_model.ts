type Reason = "parked" | "paused" | "sending" | "gone";

interface Member {
  credit: number;
  readonly refill: number;
  round: number;
  passed: number;
}

interface Ring<T extends Member> {
  round: number;
  entries: number;
  back: T[];
  current: T[];
  coming: T[];
}

/** A flow of the model. */
export interface ModelFlow extends Member {
  readonly id: number;
  readonly client: ModelClient;
  readonly line: Line;
  readonly reasons: Set<Reason>;
  granted: number;
  sent: number;
}

interface Line extends Ring<ModelFlow> {
  readonly priority: number;
  since: number;
}

interface ModelClient extends Member {
  readonly name: string;
  readonly most: number;
  readonly lines: Line[];
  paused: boolean;
  turns: number;
  fruitless: number;
  flows: number;
  sent: number;
}

/** What a DeficitRoundRobin does, said with plain arrays, which are searched whenever somebody moves. */
export class RoundRobinModel {
  readonly #quantum: number;
  readonly #aging: number;
  readonly #weightOf: (client: string) => number;
  readonly #ring: Ring<ModelClient> = { round: 0, entries: 64, back: [], current: [], coming: [] };
  /** Those that have flows, and those that left after a turn and have less than new ones. */
  #clients: ModelClient[] = [];

  constructor(quantum: number, aging: number, weightOf: (client: string) => number) {
    this.#quantum = quantum;
    this.#aging = aging;
    this.#weightOf = weightOf;
  }

  get clients(): number {
    return this.#clients.filter(({ flows }) => flows > 0).length;
  }

  add(id: number, name: string, priority: number): ModelFlow {
    const client = this.#clients.find((one) => one.name === name && one.flows > 0) ??
      this.#newClient(name);
    const own = this.#aging === 0 ? 0 : priority;
    let line = client.lines.find((one) => one.priority === own);
    if (line === undefined) {
      line = { round: 0, entries: 64, back: [], current: [], coming: [], priority: own, since: 0 };
      client.lines.push(line);
    }
    client.flows++;
    const flow: ModelFlow = {
      id,
      client,
      line,
      reasons: new Set(),
      granted: 0,
      sent: 0,
      credit: 0,
      refill: client.most,
      round: enter(line),
      passed: -1,
    };
    this.#came(flow, "current");
    return flow;
  }

  next(maxBytes: number): { flow: ModelFlow; bytes: number } | undefined {
    const client = firstOf(this.#ring);
    this.#clients = this.#clients.filter((one) =>
      one.flows > 0 || (client !== undefined && isBehind(this.#ring, one))
    );
    if (client === undefined) return undefined;
    const scores = client.lines.filter((line) => sizeOf(line) > 0).map((line) => ({
      line,
      score: client.turns - line.since + line.priority * this.#aging,
    }));
    scores.sort((one, other) => other.score - one.score || one.line.priority - other.line.priority);
    const { line } = scores[0]!;
    const flow = firstOf(line)!;
    const bytes = Math.min(client.most, Math.floor(maxBytes));
    this.block(flow, "sending", false);
    flow.granted = bytes;
    flow.credit -= bytes;
    client.credit -= bytes;
    line.since = ++client.turns;
    if (leave(this.#ring, client) && readyOf(client) > 0) join(this.#ring, client);
    return { flow, bytes };
  }

  sent(flow: ModelFlow, bytes: number): void {
    const { client, line, granted } = flow;
    flow.granted = 0;
    flow.sent += bytes;
    client.sent += bytes;
    if (bytes === 0) {
      flow.passed = line.round;
      if (++client.fruitless === 16) {
        client.fruitless = 0;
        client.passed = this.#ring.round;
      }
    } else client.fruitless = 0;
    flow.credit += granted - bytes;
    client.credit += granted - bytes;
    if (bytes < granted && this.#ring.coming.includes(client)) {
      leave(this.#ring, client);
      join(this.#ring, client);
    }
    this.unblock(flow, "sending", "current");
  }

  block(flow: ModelFlow, reason: Reason, leaving = true): void {
    const { client, line, reasons } = flow;
    reasons.add(reason);
    leave(line, flow);
    if (leaving && readyOf(client) === 0) leave(this.#ring, client);
    if (reason !== "gone") return;
    if (--client.flows > 0 || (client.turns > 0 && isBehind(this.#ring, client))) return;
    this.#clients = this.#clients.filter((one) => one !== client);
  }

  unblock(flow: ModelFlow, reason: Reason, where: "back" | "current" = "back"): void {
    if (flow.reasons.delete(reason) && flow.reasons.size === 0) this.#came(flow, where);
  }

  pauseClient(name: string, paused: boolean): void {
    const client = this.#clients.find((one) => one.name === name && one.flows > 0);
    if (client === undefined || client.paused === paused) return;
    client.paused = paused;
    if (paused) leave(this.#ring, client);
    else if (readyOf(client) > 0) join(this.#ring, client, "back");
  }

  #came(flow: ModelFlow, where: "back" | "current"): void {
    const { client, line } = flow;
    if (sizeOf(line) === 0) line.since = client.turns;
    join(line, flow, where);
    if (readyOf(client) === 1 && !client.paused) join(this.#ring, client, where);
  }

  #newClient(name: string): ModelClient {
    const refill = Math.round(this.#quantum * this.#weightOf(name));
    const most = Math.min(this.#quantum, refill);
    const left = this.#clients.find((one) => one.name === name);
    this.#clients = this.#clients.filter((one) => one.name !== name);
    const client: ModelClient = {
      name,
      most,
      refill,
      lines: [],
      credit: Math.max(left?.credit ?? 0, 1 - most),
      round: left?.round ?? enter(this.#ring),
      passed: -1,
      paused: false,
      turns: left?.turns ?? 0,
      fruitless: 0,
      flows: 0,
      sent: 0,
    };
    this.#clients.push(client);
    return client;
  }
}

/** The round that a new member's credit is for. */
function enter<T extends Member>(ring: Ring<T>): number {
  return ring.entries-- > 0 ? ring.round - 1 : ring.round;
}

/** Whether a new member would have more. */
function isBehind<T extends Member>(ring: Ring<T>, { credit, refill, round }: T): boolean {
  return credit + (ring.round - round) * refill < refill;
}

function sizeOf<T extends Member>({ back, current, coming }: Ring<T>): number {
  return back.length + current.length + coming.length;
}

function readyOf({ lines }: ModelClient): number {
  return lines.reduce((sum, line) => sum + sizeOf(line), 0);
}

function join<T extends Member>(
  ring: Ring<T>,
  member: T,
  where: "back" | "current" = "current",
): void {
  const hadShare = member.round === ring.round && member.credit <= 0;
  (hadShare || member.passed === ring.round ? ring.coming : ring[where]).push(member);
}

function leave<T extends Member>(ring: Ring<T>, member: T): boolean {
  const count = sizeOf(ring);
  ring.back = ring.back.filter((one) => one !== member);
  ring.current = ring.current.filter((one) => one !== member);
  ring.coming = ring.coming.filter((one) => one !== member);
  return sizeOf(ring) < count;
}

function firstOf<T extends Member>(ring: Ring<T>): T | undefined {
  if (sizeOf(ring) === 0) return undefined;
  if (ring.back.length + ring.current.length === 0) {
    ring.current = ring.coming;
    ring.coming = [];
    ring.round++;
    ring.entries = Math.max(64, sizeOf(ring));
  }
  const member = (ring.back[0] ?? ring.current[0])!;
  const shares = ring.round - member.round;
  if (shares > 0) {
    member.credit = Math.min(member.credit + shares * member.refill, 2 * member.refill);
  }
  member.round = ring.round;
  return member;
}
