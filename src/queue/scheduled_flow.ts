import type { FairPlace } from "./fair_queue.ts";
import type { ByteFlow } from "./deficit_round_robin.ts";
import type { RateLimit, RateWatcher } from "./rate_limit.ts";
import { TimeWheelLink } from "./time_wheel.ts";

/** What a {@linkcode ByteScheduler} does with a flow. */
export type ScheduledFlowState =
  /** It waits for a place among the active ones. */
  | "queued"
  /** It has its turns. */
  | "active"
  /** It was taken out. */
  | "removed";

/** A flow of a {@linkcode ByteScheduler}. */
export interface ScheduledFlow<T> {
  /** What it was added for. */
  readonly value: T;
  /** The key of the client on whose account it sends. */
  readonly client: string;
  /** The higher, the earlier among those of the same client. */
  readonly priority: number;
  /** Whether it waits, or sends, or neither. */
  readonly state: ScheduledFlowState;
  /** Whether it was paused. */
  readonly paused: boolean;
  /** How many bytes it has sent. */
  readonly sentBytes: number;
  /** How many bytes its client has sent since its first active flow came. */
  readonly clientSentBytes: number;
}

/** Who is told when a limit has changed that keeps somebody from sending. */
export interface HoldKeeper {
  /** Somebody's limit was changed. */
  recheck(held: Held): void;
}

/** Somebody whom a limit may keep from sending for a while. */
export class Held extends TimeWheelLink implements RateWatcher {
  readonly limit: RateLimit | undefined;
  #keeper: HoldKeeper;

  /** It may send. */
  constructor(limit: RateLimit | undefined, keeper: HoldKeeper) {
    super();
    this.limit = limit;
    this.#keeper = keeper;
  }

  /** Whether it is kept from sending now. */
  get held(): boolean {
    return this.list !== undefined;
  }

  /** See {@linkcode RateWatcher}. */
  rateChanged(): void {
    this.#keeper.recheck(this);
  }
}

/** A client, as long as it has flows, queued ones included. */
export class Account extends Held {
  readonly name: string;
  readonly weight: number;
  flows = 0;

  /** It has no flows. */
  constructor(name: string, weight: number, limit: RateLimit | undefined, keeper: HoldKeeper) {
    super(limit, keeper);
    this.name = name;
    this.weight = weight;
  }
}

/** The inside of a {@linkcode ScheduledFlow}. */
export class Entry<T> extends Held implements ScheduledFlow<T> {
  readonly value: T;
  readonly account: Account;
  readonly priority: number;
  state: ScheduledFlowState = "queued";
  paused = false;
  /** It cannot send when its first turn comes. */
  parked = false;
  /** What its turn allows it. */
  granted = 0;
  /** Its place in the queue. */
  place: FairPlace<Entry<T>> | undefined = undefined;
  /** Its place among the active ones; it stays, for the figures. */
  flow: ByteFlow<Entry<T>> | undefined = undefined;

  /** It has no place. */
  constructor(
    value: T,
    account: Account,
    priority: number,
    limit: RateLimit | undefined,
    keeper: HoldKeeper,
  ) {
    super(limit, keeper);
    this.value = value;
    this.account = account;
    this.priority = priority;
  }

  get client(): string {
    return this.account.name;
  }

  get sentBytes(): number {
    return this.flow === undefined ? 0 : this.flow.sentBytes;
  }

  get clientSentBytes(): number {
    return this.flow === undefined ? 0 : this.flow.client.sentBytes;
  }
}
