/**
 * Who waits, and how long: for a socket of a pool, or for a place among the active downloads.
 *
 * @module
 */
export { type Abortable, Aborts } from "./aborts.ts";
export { Deadline } from "./deadline.ts";
export { Deadlines, type DeadlinesOptions } from "./deadlines.ts";
export {
  type FairPlace,
  type FairPushOptions,
  FairQueue,
  type FairQueueOptions,
} from "./fair_queue.ts";
export { Fifo, type Place } from "./fifo.ts";
