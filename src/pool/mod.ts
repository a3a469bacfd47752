/**
 * A pool lends sockets to tasks and takes them back.
 *
 * `pool.acquire()` gives an idle socket that the strategy chooses; without one, and within the
 * bounds, a new one is connected (from an address of the table, if there is one) and prepared; else
 * the caller waits in line. A socket that was given back goes to the next waiter, or becomes idle.
 *
 * ```text
 * connecting ─► preparing ─► idle ◄──────► leased ─► resetting ─► idle, or the next task
 *     │             │         ▲ ▼             │          │
 *     ▼             │       checking          │          │
 * abandoned         └──────────┴──────► closing ◄────────┘ ─► gone
 * ```
 *
 * A leased socket may be lent on to another thread or process ({@linkcode SocketLease.lend}): for the
 * pool it stays leased until it comes back, which releases the lease, or until its connection ends,
 * wherever that is, which discards it.
 *
 * Who owns what: a leased socket belongs to the task, every other one to the pool, and each counts
 * towards `maxSize` until its descriptor is given back. Callers and sockets meet in one line: a
 * connect, a check or a reset belongs to nobody in particular, and its socket serves whoever is next
 * when it is done. So a caller that gives up, at whatever await, leaves the line and nothing else, and
 * its deadline is one from the call to the lease. What the user's `prepare`, `check` and `reset` do
 * after their time is of no consequence: their socket is gone by then.
 *
 * @module
 */
export {
  diagnosticsObserver,
  type LeakReport,
  type PartingReason,
  type PoolObserver,
} from "./observer.ts";
export type {
  AcquireOptions,
  AddOptions,
  PoolRequest,
  PoolStage,
  PoolStats,
  PoolTarget,
  PrepareContext,
  SocketContext,
  SocketPoolOptions,
  TargetShare,
  TargetStats,
} from "./options.ts";
export type { PoolCandidate } from "./pooled_socket.ts";
export { SocketLease } from "./socket_lease.ts";
export { SocketPool } from "./socket_pool.ts";
