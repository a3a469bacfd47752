import type { AddressTable } from "../address_table/mod.ts";
import type { Strategy } from "../strategy/mod.ts";
import type { Clock, Socket, Target, Transport } from "../transport/mod.ts";
import type { PoolObserver } from "./observer.ts";
import type { PoolCandidate } from "./pooled_socket.ts";

/** What a pool adds to a target when there are several. */
export interface TargetShare {
  /**
   * How much of the pool this target gets, against the weights of the others; more than 0.
   *
   * @default {1}
   */
  readonly weight?: number;
  /**
   * The most sockets to this target at any instant.
   *
   * @default {that of the pool}
   */
  readonly maxSize?: number;
  /** The IP literal to connect from. The same address from two local ones is two targets. */
  readonly localAddress?: string;
}

/** Where sockets of a pool lead to. */
export type PoolTarget = Target & TargetShare;

/** What a strategy is told about who asks. */
export interface PoolRequest {
  /** What `acquire` was given as `key`. */
  readonly key?: unknown;
  /** What `acquire` was given as `tenant`. */
  readonly tenant?: string;
  /** What `acquire` was given as `priority`. */
  readonly priority?: number;
}

/** What `prepare`, `check` and `reset` are given besides the socket. */
export interface SocketContext<Session> {
  /** Aborted when the time is over, the pool ends or the socket is gone. */
  readonly signal: AbortSignal;
  /** What `prepare` gave for this connection; `undefined` before. */
  readonly session: Session;
  /** Where the socket leads to; `undefined` for one that was added. */
  readonly target: Target | undefined;
}

/** What `prepare` is given besides the socket. */
export interface PrepareContext extends SocketContext<undefined> {
  /**
   * The pool goes on with another socket on the same connection: what `startTls` gave, in protocols
   * that secure a connection after a few words in the clear.
   */
  replaceSocket(socket: Socket): void;
}

/** What a background failure belongs to. */
export type PoolStage =
  | "connect"
  | "prepare"
  | "check"
  | "reset"
  | "resume"
  | "leak"
  | "observer"
  | "strategy";

/** Options of `SocketPool`. */
export interface SocketPoolOptions<Session = undefined> {
  /** Where the sockets come from; not needed with `addresses`. */
  readonly transport?: Transport;
  /** Gives every socket its own local address. */
  readonly addresses?: AddressTable;
  /** Where the sockets lead to: one target or several. None for a pool that lives of `add`. */
  readonly target?: PoolTarget | readonly PoolTarget[];
  /**
   * The most sockets at any instant, those being connected and those given up included; `Infinity`
   * for no limit.
   *
   * @default {10}
   */
  readonly maxSize?: number;
  /**
   * How many sockets are kept ready beyond those that are leased, within `maxSize`. They are
   * connected at once, and again when they are leased or go, within a quarter of a second.
   *
   * @default {0}
   */
  readonly minIdle?: number;
  /**
   * The most connects at one time, `prepare` included; `Infinity` for no limit of its own.
   *
   * @default {16}
   */
  readonly maxConnecting?: number;
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
   * Makes the session of a new connection, such as a protocol's client after its handshake: once
   * for each, before it is lent for the first time. A socket whose `prepare` fails is closed, and
   * who waits learns why.
   */
  readonly prepare?: (
    socket: Socket,
    context: PrepareContext,
  ) => Session | Promise<Session>;
  /**
   * Milliseconds that `prepare` may take.
   *
   * @default {30_000}
   */
  readonly prepareTimeoutMs?: number;
  /**
   * Says whether an idle socket still works. `false` or an error ends it, and another one is taken.
   * It is asked before a socket is lent that was not in use for `checkAfterMs`, and while sockets
   * are idle, every `checkIntervalMs`.
   */
  readonly check?: (
    socket: Socket,
    context: SocketContext<Session>,
  ) => boolean | Promise<boolean>;
  /**
   * Milliseconds that `check` may take.
   *
   * @default {5_000}
   */
  readonly checkTimeoutMs?: number;
  /**
   * Milliseconds since its last use after which a socket is checked before it is lent; 0 for every
   * time, `Infinity` for never.
   *
   * @default {500}
   */
  readonly checkAfterMs?: number;
  /**
   * Milliseconds between two checks of an idle socket; `Infinity` for none.
   *
   * @default {30_000}
   */
  readonly checkIntervalMs?: number;
  /** Puts a socket that was given back into the state in which the next task wants it. */
  readonly reset?: (socket: Socket, context: SocketContext<Session>) => void | Promise<void>;
  /**
   * Milliseconds that `reset` may take.
   *
   * @default {5_000}
   */
  readonly resetTimeoutMs?: number;
  /**
   * Makes the session go on with the socket that a lease has after it was lent (`SocketLease.lend`):
   * the connection is the same, the socket is a new object. Without it the session stays as it is.
   */
  readonly resume?: (socket: Socket, session: Session) => Session;
  /**
   * Whether sockets can be lent to other processes, and in Deno to other threads.
   *
   * @default {false}
   */
  readonly transferable?: boolean;
  /**
   * Milliseconds after which an idle socket is closed, down to `minIdle`; `Infinity` for never.
   * What the pool learns of a target that closes earlier by itself counts too.
   *
   * @default {60_000}
   */
  readonly idleTimeoutMs?: number;
  /**
   * Milliseconds after which a connection is replaced as soon as nobody uses it, a little less for
   * each by chance, so that they do not all end at once; `Infinity` for never. The name of the
   * target is looked up again for the new one.
   *
   * @default {1_800_000}
   */
  readonly maxLifetimeMs?: number;
  /**
   * Milliseconds to the first repetition of a connect that failed twice in a row; doubled with each
   * failure more, and shortened by chance by up to a half.
   *
   * @default {100}
   */
  readonly backoffMs?: number;
  /**
   * The most milliseconds between two tries.
   *
   * @default {30_000}
   */
  readonly maxBackoffMs?: number;
  /**
   * After so many failures in a row a target is down: whoever could only wait for it is refused at
   * once with what went wrong, until a try succeeds.
   *
   * @default {5}
   */
  readonly breakAfter?: number;
  /**
   * Chooses among the idle sockets.
   *
   * @default {roundRobin()}
   */
  readonly strategy?: Strategy<PoolCandidate, PoolRequest>;
  /**
   * How much of the pool each tenant gets when several wait; more than 0.
   *
   * @default {1 for each}
   */
  readonly tenantWeight?: (tenant: string) => number;
  /**
   * Milliseconds of waiting that one step of priority is worth.
   *
   * @default {1_000}
   */
  readonly agingMs?: number;
  /**
   * Milliseconds after which a lease that was not given back is reported, once; `Infinity` for
   * never.
   *
   * @default {Infinity}
   */
  readonly leakAfterMs?: number;
  /**
   * Whether the place of an `acquire` or `use` is noted and named in reports; a number from 0 to 1
   * for that share of them. It costs about a microsecond each.
   *
   * @default {false}
   */
  readonly debug?: boolean | number;
  /** Told of what happens. */
  readonly observer?: PoolObserver;
  /** Told of failures that no caller is told of. */
  readonly onError?: (error: unknown, context: { readonly stage: PoolStage }) => void;
  /**
   * Times what waits.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
  /**
   * Gives numbers from 0 to below 1, for jitter.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
}

/** Options of `SocketPool.acquire`. */
export interface AcquireOptions {
  /** Gives up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds from this call to the lease, whatever it takes: waiting, connecting, preparing and
   * checking together; `Infinity` for no limit.
   *
   * @default {30_000}
   */
  readonly timeoutMs?: number;
  /**
   * An integer from -8 to 8: each step more is worth `agingMs` of waiting.
   *
   * @default {0}
   */
  readonly priority?: number;
  /**
   * Whom the socket is for. When several tenants wait, each gets its share.
   *
   * @default {""}
   */
  readonly tenant?: string;
  /** What the strategy may choose by; `sticky` does. */
  readonly key?: unknown;
  /** Names the call in reports; `use` takes the name of its function. */
  readonly label?: string;
}

/** Options of `SocketPool.add`. */
export interface AddOptions<Session> {
  /** The session of this connection, in place of what `prepare` would give. */
  readonly session?: Session;
}

/** What a pool has to do with one target now. */
export interface TargetStats {
  /** The target in words, its local address included. */
  readonly target: string;
  /** Sockets in all. */
  readonly size: number;
  /** Sockets that wait for a task. */
  readonly idle: number;
  /** Sockets that a task has. */
  readonly leased: number;
  /** Connects on the way. */
  readonly connecting: number;
  /** Failures in a row. */
  readonly failures: number;
  /** `up`; `resting` until the next try; `down` after `breakAfter` failures. */
  readonly health: "up" | "resting" | "down";
  /** After how many idle milliseconds it was seen to close by itself, less a margin. */
  readonly learnedIdleLimitMs: number | undefined;
}

/** What a pool holds now. */
export interface PoolStats {
  /** Sockets in all: idle, leased, connecting, checking and closing. */
  readonly size: number;
  /** Sockets that wait for a task. */
  readonly idle: number;
  /** Sockets that a task has. */
  readonly leased: number;
  /** Connects on the way, `prepare` and given-up ones that still hold a descriptor included. */
  readonly connecting: number;
  /** Sockets that are being checked or reset. */
  readonly checking: number;
  /** Sockets that end and still hold their descriptor. */
  readonly closing: number;
  /** Callers that wait. */
  readonly waiting: number;
  /** The same for each target. */
  readonly targets: readonly TargetStats[];
}
