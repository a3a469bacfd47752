import type { Clock } from "../transport/mod.ts";
import type { ByteObserver } from "./byte_observer.ts";
import type { Deadlines } from "./deadlines.ts";
import type { RateLimit } from "./rate_limit.ts";

/** Options of {@linkcode ByteScheduler}. */
export interface ByteSchedulerOptions<T> {
  /** The most flows that have turns; further ones wait. @default {256} */
  readonly maxActive?: number;
  /** The most flows that wait; further ones are refused. @default {1024} */
  readonly maxQueued?: number;
  /** See {@linkcode DeficitRoundRobinOptions.quantumBytes}. @default {262_144} */
  readonly quantumBytes?: number;
  /** See {@linkcode DeficitRoundRobinOptions.agingTurns}. @default {8} */
  readonly agingTurns?: number;
  /** How much waiting for a place one step of priority is worth. @default {1000} */
  readonly agingMs?: number;
  /** See {@linkcode DeficitRoundRobinOptions.weightOf}. @default {() => 1} */
  readonly weightOf?: (client: string) => number;
  /**
   * What a client's flows may send together. Asked, like the weight, whenever a client comes that has
   * no flow.
   */
  readonly rateLimitOf?: (client: string) => RateLimit | undefined;
  /** What all flows may send together. */
  readonly rateLimit?: RateLimit;
  /**
   * Called when there may be something to send, the first time and whenever `next` has said that there
   * is nothing. It is called from within what has made it so: do no more in it than wake who asks.
   * Without it there is no timer, and who asks looks at {@linkcode ByteScheduler.waitMs}.
   */
  readonly onReady?: () => void;
  /** Is told of every flow's progress. */
  readonly observer?: ByteObserver<T>;
  /** Told what the observer or `onReady` threw; without it, it is thrown in a microtask. */
  readonly onError?: (error: unknown) => void;
  /** Where to wait for limits, together with others. @default {ones of its own} */
  readonly deadlines?: Deadlines;
  /** Measures how long flows wait for a place, and for limits. @default {systemClock} */
  readonly clock?: Clock;
}

/** Options of {@linkcode ByteScheduler.add}. */
export interface ScheduledFlowOptions {
  /** On whose account. @default {""} */
  readonly client?: string;
  /** From -8 to 8; the higher, the earlier among those of the same client. @default {0} */
  readonly priority?: number;
  /** What this flow may send. */
  readonly rateLimit?: RateLimit;
  /** Whether it was admitted before: it may wait, however many do. @default {false} */
  readonly isAdmitted?: boolean;
}

/** What a {@linkcode ByteScheduler} does now. */
export interface ByteSchedulerStats {
  /** Flows that have turns. */
  readonly active: number;
  /** Flows that wait for a place. */
  readonly queued: number;
  /** Clients that have active flows. */
  readonly clients: number;
  /** Flows and clients that a limit keeps from sending. */
  readonly limited: number;
  /** Bytes that were sent. */
  readonly sentBytes: number;
}
