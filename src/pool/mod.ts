/**
 * A pool lends sockets to tasks and takes them back.
 *
 * `pool.acquire()` gives a free socket that the strategy chooses; without one, and below `maxSize`,
 * a new one is connected (from an address of the table, if there is one); else the caller waits in
 * line. A released socket goes to the next waiter, or becomes free again.
 *
 * Who owns what: an idle socket belongs to the pool, a leased one to the task, a connect on the way
 * to the pool. A caller that gives up leaves the line and nothing else: a connect that was begun for
 * it goes on, and its socket serves the next one. `maxSize` counts idle, leased, connecting
 * and closing ones together: a connect that was given up, and a socket that ends, count until their
 * descriptor is given back.
 *
 * @module
 */
export type { AcquireOptions, PoolRequest, PoolStats, SocketPoolOptions } from "./options.ts";
export type { PoolCandidate } from "./pooled_socket.ts";
export { SocketLease } from "./socket_lease.ts";
export { SocketPool } from "./socket_pool.ts";
