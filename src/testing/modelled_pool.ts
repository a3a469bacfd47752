import type {
  AcquireOptions,
  PoolCandidate,
  PoolRequest,
  PoolStats,
  PoolTarget,
} from "../pool/mod.ts";
import type { Strategy } from "../strategy/mod.ts";
import type { Clock, Socket, Transport } from "../transport/mod.ts";

/** A lease, as far as {@linkcode poolModel} uses it; a `SocketLease` is one. */
export interface ModelledLease {
  /** The socket, until the lease is over. */
  readonly socket: Socket;
  /** Give it back for the next task. */
  release(): void;
  /** Give it back as unusable. */
  discard(): void;
}

/** A pool, as far as {@linkcode poolModel} uses it; a `SocketPool` is one. */
export interface ModelledPool {
  /** The most sockets at any instant. */
  readonly maxSize: number;
  /** Lease a socket. */
  acquire(options: AcquireOptions): Promise<ModelledLease>;
  /** Lease one at once, or none. */
  tryAcquire?(): ModelledLease | undefined;
  /** Make it larger or smaller; a RangeError says that it cannot be so small. */
  resize?(maxSize: number): void;
  /** What it says of itself: it must be true. */
  stats?(): Pick<PoolStats, "size" | "idle" | "leased" | "closing" | "waiting">;
  /** Lease nothing any more, and resolve when every lease is given back. */
  close(): Promise<void>;
  /** Throws when a rule of your own is broken: asked after each step, and at the end. */
  check?(): void;
}

/** What a pool is made of in a run of {@linkcode poolModel}. */
export interface PoolMaterials {
  /** Leads into a network in memory. */
  readonly transport: Transport;
  /** The only place that there is in it. */
  readonly target: PoolTarget;
  /** Virtual time. */
  readonly clock: Clock;
  /** Seeded chance: numbers from 0 to below 1. */
  readonly random: () => number;
  /** The strategy of the model's options, watched; left out without one. */
  readonly strategy?: Strategy<PoolCandidate, PoolRequest>;
}
