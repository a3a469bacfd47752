import { Client, Flow, GONE, PARKED, PAUSED, SENDING } from "./byte_client.ts";
import { Rounds } from "./rounds.ts";
import { assertPriority } from "./priority.ts";

/** So many turns that send nothing, one after another, and the client has no more in this round. */
const MAX_FRUITLESS = 16;

/** Options of {@linkcode DeficitRoundRobin}. */
export interface DeficitRoundRobinOptions {
  /**
   * How many bytes a client of weight 1 may send in a round, and any client at most in one turn; at
   * least 1 KiB.
   *
   * @default {262_144}
   */
  readonly quantumBytes?: number;
  /**
   * The share of a client, against those of the others: from 0.01 to 100. Asked whenever a client
   * comes that has no flow.
   *
   * @default {() => 1}
   */
  readonly weightOf?: (client: string) => number;
  /**
   * How many turns of waiting one step of priority is worth. With 0, priority means nothing.
   *
   * @default {8}
   */
  readonly agingTurns?: number;
}

/** Options of {@linkcode DeficitRoundRobin.add}. */
export interface FlowOptions {
  /** On whose account. @default {""} */
  readonly client?: string;
  /** From -8 to 8; the higher, the earlier among those of the same client. @default {0} */
  readonly priority?: number;
}

/** A client of a {@linkcode DeficitRoundRobin}, known as long as it has flows. */
export interface ByteClient {
  /** Its key. */
  readonly name: string;
  /** Its share. */
  readonly weight: number;
  /** How many flows it has. */
  readonly flows: number;
  /** How many bytes its flows have sent since it came. */
  readonly sentBytes: number;
}

/** A flow of a {@linkcode DeficitRoundRobin}. */
export interface ByteFlow<T> {
  /** What it was added for. */
  readonly value: T;
  /** On whose account it sends. */
  readonly client: ByteClient;
  /** The higher, the earlier among those of the same client. */
  readonly priority: number;
  /** How many bytes it has sent. */
  readonly sentBytes: number;
}

/** Whose turn it is. */
export interface ByteTurn<Flow> {
  /** Who may send. */
  readonly flow: Flow;
  /** How many bytes, at least 1. */
  readonly bytes: number;
}

/**
 * Who sends next, and how many bytes.
 *
 * Clients share what there is to send with, each by its weight, however many flows it has; a
 * client's flows share what is the client's. Shares are counted in bytes, in rounds: a client that
 * sends little at a time has more turns. A flow that cannot send is parked, and is not behind when
 * it comes back within the round; of what it misses beyond that, it makes up for one round. So
 * nobody saves up a claim to the whole.
 *
 * Inside a client, flows with a higher priority go first; a step of it is worth `agingTurns` turns
 * of the client, so that nobody waits for ever.
 *
 * It sends nothing itself. A turn costs the same with ten flows and with ten thousand, and makes no
 * garbage.
 *
 * @example
 * ```ts
 * import { DeficitRoundRobin } from "@jackfield/jackfield/core";
 *
 * const flows = new DeficitRoundRobin<string>({ quantumBytes: 1024 });
 * for (const name of ["a1", "a2", "a3"]) flows.add(name, { client: "a" });
 * flows.add("b1", { client: "b" });
 * const order: string[] = [];
 * for (let i = 0; i < 6; i++) {
 *   const { flow, bytes } = flows.next()!;
 *   order.push(flow.value);
 *   flows.sent(flow, bytes);
 * }
 * if (order.join() !== "a1,b1,a2,b1,a3,b1") throw new Error(`unexpected: ${order}`);
 * ```
 */
export class DeficitRoundRobin<T> {
  /** How many bytes a client of weight 1 may send in a round. */
  readonly quantumBytes: number;
  #weightOf: ((client: string) => number) | undefined;
  #agingTurns: number;
  #size = 0;
  /** Those that have flows, and those that left but are remembered. */
  #clients = new Map<string, Client<T>>();
  /** How many have flows. */
  #present = 0;
  /** Those clients of whom a flow could send now. */
  #ready = new Rounds<Client<T>>();
  /** Those that left after a turn: who comes back at once has only what it left, or still owes. */
  #left: Client<T>[] = [];
  /** The round in which it was looked at last whom to forget. */
  #leftRound = 0;
  /** The same object each time. */
  #turn: { flow: ByteFlow<T>; bytes: number } = { flow: undefined as never, bytes: 0 };

  /** Checks the options; there are no flows. */
  constructor(options: DeficitRoundRobinOptions = {}) {
    const { quantumBytes = 262_144, weightOf, agingTurns = 8 } = options;
    if (!(Number.isSafeInteger(quantumBytes) && quantumBytes >= 1024)) {
      throw new RangeError(
        `Cannot use quantumBytes "${quantumBytes}": expected an integer of at least 1024`,
      );
    }
    if (!(agingTurns >= 0 && agingTurns < Infinity)) {
      throw new RangeError(`Cannot use agingTurns "${agingTurns}": expected 0 or more turns`);
    }
    this.quantumBytes = quantumBytes;
    this.#weightOf = weightOf;
    this.#agingTurns = agingTurns;
  }

  /** How many flows there are. */
  get size(): number {
    return this.#size;
  }

  /** How many clients have flows. */
  get clients(): number {
    return this.#present;
  }

  /**
   * Let somebody send, from now on.
   *
   * @throws {RangeError} When an option, or the weight of the client, is out of range.
   */
  add(value: T, options: FlowOptions = {}): ByteFlow<T> {
    const { client: name = "", priority = 0 } = options;
    assertPriority(priority);
    const client = this.#clientOf(name);
    const flow = new Flow(value, client, client.lineOf(this.#agingTurns === 0 ? 0 : priority));
    if (client.flows++ === 0) this.#present++;
    this.#size++;
    flow.line.enter(flow);
    this.#join(flow);
    return flow;
  }

  /** Whose turn it is, if it can be told now; nothing changes. `undefined` when nobody can send. */
  peek(): ByteFlow<T> | undefined {
    const client = this.#ready.first();
    return client === undefined ? undefined : client.nextLine().first();
  }

  /**
   * Give the next one its turn, and no more than so many bytes; `undefined` when nobody can send.
   *
   * The flow has no further turn until {@linkcode sent} is told; others can have theirs meanwhile.
   * The result is the same object each time: read it before the next call.
   *
   * @throws {RangeError} When `maxBytes` is less than 1.
   */
  next(maxBytes: number = Infinity): ByteTurn<ByteFlow<T>> | undefined {
    if (!(maxBytes >= 1)) {
      throw new RangeError(`Cannot use maxBytes "${maxBytes}": expected at least 1`);
    }
    const client = this.#ready.first();
    if (this.#left.length > 0) this.#forgetLeft();
    if (client === undefined) return undefined;
    const line = client.nextLine();
    const flow = line.first()!;
    const bytes = maxBytes < client.turnBytes ? Math.floor(maxBytes) : client.turnBytes;
    line.leave(flow);
    flow.credit -= bytes;
    flow.granted = bytes;
    flow.blocked = SENDING;
    line.since = ++client.turns;
    client.credit -= bytes;
    if (--client.ready === 0) this.#ready.leave(client);
    else this.#ready.step(client);
    const turn = this.#turn;
    turn.flow = flow;
    turn.bytes = bytes;
    return turn;
  }

  /**
   * Say how much of its turn a flow has used; what is left is given back. A flow that was removed
   * during its turn may still be told of.
   *
   * @throws {TypeError} When the flow has no turn.
   * @throws {RangeError} When `bytes` is not an integer from 0 to what the turn allowed.
   */
  sent(flow: ByteFlow<T>, bytes: number): void {
    const own = flow as Flow<T>;
    const { client, granted, line } = own;
    if (granted === 0) throw new TypeError("Cannot count sent bytes: flow has no turn");
    if (!(bytes >= 0 && bytes <= granted && Number.isInteger(bytes))) {
      throw new RangeError(
        `Cannot count sent bytes "${bytes}": expected an integer from 0 to ${granted}`,
      );
    }
    own.granted = 0;
    own.sentBytes += bytes;
    client.sentBytes += bytes;
    if (bytes < granted) {
      if (bytes === 0) {
        line.pass(own);
        if (++client.fruitless >= MAX_FRUITLESS) this.#passBy(client);
      }
      own.credit += granted - bytes;
      this.#ready.giveBack(client, granted - bytes);
    }
    if (bytes > 0) client.fruitless = 0;
    own.blocked &= ~SENDING;
    if (own.blocked === 0) this.#join(own);
  }

  /** A flow cannot send now, because its socket takes no more; also during its turn. */
  park(flow: ByteFlow<T>): void {
    this.#block(flow as Flow<T>, PARKED);
  }

  /** A flow that was parked can send again. */
  ready(flow: ByteFlow<T>): void {
    this.#unblock(flow as Flow<T>, PARKED);
  }

  /** Let a flow not send until it is resumed; a turn that it has goes on. */
  pause(flow: ByteFlow<T>): void {
    this.#block(flow as Flow<T>, PAUSED);
  }

  /** Let a flow that was paused go on. */
  resume(flow: ByteFlow<T>): void {
    this.#unblock(flow as Flow<T>, PAUSED);
  }

  /**
   * Let no flow of a client send until it is resumed, new ones included; `false` when it has no
   * flows. It is forgotten with its last flow.
   */
  pauseClient(name: string): boolean {
    const client = this.#clients.get(name);
    if (client === undefined || client.flows === 0) return false;
    client.paused = true;
    if (client.list !== undefined) this.#ready.leave(client);
    return true;
  }

  /** Let the flows of a client that was paused go on; `false` when it has no flows. */
  resumeClient(name: string): boolean {
    const client = this.#clients.get(name);
    if (client === undefined || client.flows === 0) return false;
    client.paused = false;
    if (client.ready > 0 && client.list === undefined) this.#ready.comeBack(client);
    return true;
  }

  /** Take a flow out, whatever it does; `false` when it was taken out before. */
  remove(flow: ByteFlow<T>): boolean {
    const own = flow as Flow<T>;
    if ((own.blocked & GONE) !== 0) return false;
    this.#block(own, GONE);
    this.#size--;
    if (--own.client.flows === 0) this.#forget(own.client);
    return true;
  }

  #block(flow: Flow<T>, reason: number): void {
    if (flow.blocked === 0) {
      const { client, line } = flow;
      line.leave(flow);
      if (--client.ready === 0 && client.list !== undefined) this.#ready.leave(client);
    }
    flow.blocked |= reason;
  }

  #unblock(flow: Flow<T>, reason: number): void {
    if (flow.blocked === 0) return;
    flow.blocked &= ~reason;
    if (flow.blocked !== 0) return;
    const { client, line } = flow;
    if (line.size === 0) line.since = client.turns;
    line.comeBack(flow);
    if (client.ready++ === 0 && !client.paused) this.#ready.comeBack(client);
  }

  #join(flow: Flow<T>): void {
    const { client, line } = flow;
    if (line.size === 0) line.since = client.turns;
    line.join(flow);
    if (client.ready++ === 0 && !client.paused) this.#ready.join(client);
  }

  #clientOf(name: string): Client<T> {
    const known = this.#clients.get(name);
    if (known !== undefined && known.flows > 0) return known;
    const weight = this.#weightOf === undefined ? 1 : this.#weightOf(name);
    assertWeight(weight, name);
    const client = new Client<T>(name, weight, this.quantumBytes, this.#agingTurns);
    if (known === undefined) {
      this.#ready.enter(client);
    } else {
      client.round = known.round;
      client.turns = known.turns;
      // Its debt too, but no more than it can pay at once.
      client.credit = Math.max(known.credit, 1 - client.turnBytes);
    }
    this.#clients.set(name, client);
    return client;
  }

  /** Others wait for the end of the round, which would never come. */
  #passBy(client: Client<T>): void {
    client.fruitless = 0;
    this.#ready.pass(client);
  }

  #forget(client: Client<T>): void {
    this.#present--;
    if (client.turns > 0 && this.#ready.isBehind(client)) this.#left.push(client);
    else this.#clients.delete(client.name);
  }

  /** Once a round, forget those that would have no less than new ones; all, when nobody can send. */
  #forgetLeft(): void {
    const idle = this.#ready.size === 0;
    if (!idle && this.#leftRound === this.#ready.round) return;
    this.#leftRound = this.#ready.round;
    this.#left = this.#left.filter((client) => {
      if (this.#clients.get(client.name) !== client) return false;
      if (!idle && this.#ready.isBehind(client)) return true;
      this.#clients.delete(client.name);
      return false;
    });
  }
}

/**
 * Refuse a client's weight that is out of range.
 *
 * @throws {RangeError} When it is not a number from 0.01 to 100.
 */
export function assertWeight(weight: number, client: string): void {
  if (weight >= 0.01 && weight <= 100) return;
  throw new RangeError(
    `Cannot use weight "${weight}" of client "${client}": expected a number from 0.01 to 100`,
  );
}
