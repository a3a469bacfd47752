import type { AddressTable } from "../address_table/mod.ts";
import type { Strategy } from "../strategy/mod.ts";
import type { Clock, Target, Transport } from "../transport/mod.ts";
import type { PoolCandidate } from "./pooled_socket.ts";

/** What a strategy is told about who asks. */
export interface PoolRequest {
  /** Where the socket leads to. */
  readonly target: Target;
}

/** Options of `SocketPool`. */
export interface SocketPoolOptions {
  /** Where the sockets come from; not needed with `addresses`. */
  readonly transport?: Transport;
  /** Gives every socket its own local address. */
  readonly addresses?: AddressTable;
  /** Where the sockets lead to. */
  readonly target: Target;
  /**
   * The most sockets at any instant, those being connected and those given up included.
   *
   * @default {10}
   */
  readonly maxSize?: number;
  /**
   * The most callers that may wait for a socket to come free, not counting those that a connect is
   * on the way for; `Infinity` for no limit.
   *
   * @default {1000}
   */
  readonly maxWaiting?: number;
  /**
   * Milliseconds that one connect may take.
   *
   * @default {30_000}
   */
  readonly connectTimeoutMs?: number;
  /**
   * Chooses among the idle sockets.
   *
   * @default {roundRobin()}
   */
  readonly strategy?: Strategy<PoolCandidate, PoolRequest>;
  /**
   * Times what waits.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** Options of `SocketPool.acquire`. */
export interface AcquireOptions {
  /** Gives up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds until a socket must be there; `Infinity` for no limit.
   *
   * @default {30_000}
   */
  readonly timeoutMs?: number;
}

/** What a pool holds now. */
export interface PoolStats {
  /** Sockets in all: idle, leased, connecting and closing. */
  readonly size: number;
  /** Sockets that wait for a task. */
  readonly idle: number;
  /** Sockets that a task has. */
  readonly leased: number;
  /** Connects on the way, given-up ones that still hold a descriptor included. */
  readonly connecting: number;
  /** Sockets that end and still hold their descriptor. */
  readonly closing: number;
  /** Callers that wait. */
  readonly waiting: number;
}
