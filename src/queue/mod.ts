/**
 * Who waits, and how long: for a socket of a pool, or for a place among the active downloads. And who
 * of those sends next, and how many bytes.
 *
 * @module
 */
export { type Abortable, Aborts } from "./aborts.ts";
export type { ByteObserver } from "./byte_observer.ts";
export { ByteScheduler } from "./byte_scheduler.ts";
export type {
  ByteSchedulerOptions,
  ByteSchedulerStats,
  ScheduledFlowOptions,
} from "./byte_scheduler_options.ts";
export { Deadline } from "./deadline.ts";
export { Deadlines, type DeadlinesOptions } from "./deadlines.ts";
export {
  type ByteClient,
  type ByteFlow,
  type ByteTurn,
  DeficitRoundRobin,
  type DeficitRoundRobinOptions,
  type FlowOptions,
} from "./deficit_round_robin.ts";
export {
  type FairPlace,
  type FairPushOptions,
  FairQueue,
  type FairQueueOptions,
} from "./fair_queue.ts";
export { Fifo, type Place } from "./fifo.ts";
export {
  RateLimit,
  type RateLimitOptions,
  type RateWatcher,
  takeFromAll,
  waitForAllMs,
} from "./rate_limit.ts";
export type { ScheduledFlow, ScheduledFlowState } from "./scheduled_flow.ts";
export { assertPriority } from "./priority.ts";
