import type { FairPlace } from "./fair_queue.ts";
import type { Account } from "./accounts.ts";
import type { ByteFlow } from "./deficit_round_robin.ts";
import { Held, type HoldKeeper } from "./held.ts";
import type { RateLimit } from "./rate_limit.ts";

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
