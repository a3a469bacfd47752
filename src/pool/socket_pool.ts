import type { Strategy } from "../strategy/mod.ts";
import type { Socket } from "../transport/mod.ts";
import { Exchange, NO_OPTIONS } from "./exchange.ts";
import { closedError, fullError } from "./failures.ts";
import type { Hold } from "./holds.ts";
import type {
  AcquireOptions,
  AddOptions,
  PoolRequest,
  PoolStats,
  SocketPoolOptions,
} from "./options.ts";
import { statsOf } from "./pool_target.ts";
import type { PoolCandidate } from "./pooled_socket.ts";
import { isCount, need, type Settings, settingsOf } from "./settings.ts";
import { SocketLease } from "./socket_lease.ts";

/**
 * A bounded set of sockets to one target or several, leased to tasks and given back for the next
 * task.
 *
 * @example
 * ```ts
 * import { SocketPool } from "@jackfield/jackfield/core";
 * import { memoryTransport } from "@jackfield/jackfield/testing";
 *
 * const transport = memoryTransport();
 * const listener = await transport.listen({ port: 7000 });
 * const pool = new SocketPool({ transport, target: listener.address, maxSize: 2 });
 * const first = await pool.acquire();
 * const { port } = first.socket.localAddress;
 * first.release();
 * const second = await pool.acquire(); // the same connection serves the next task
 * if (second.socket.localAddress.port !== port) throw new Error("unexpected");
 * second.release();
 * await pool.close();
 * await listener.close();
 * ```
 *
 * @typeParam Session What `prepare` makes of a connection.
 */
export class SocketPool<Session = undefined> implements AsyncDisposable {
  #settings: Settings;
  #exchange: Exchange<Session>;
  #closing: Promise<void> | undefined;

  /** Checks the options; without `minIdle` nothing is connected before somebody asks. */
  constructor(options: SocketPoolOptions<Session>) {
    this.#settings = settingsOf(options);
    this.#exchange = new Exchange(options, this.#settings);
    this.#exchange.keeper.replenish();
  }

  /**
   * Lease a socket: an idle one that the strategy chooses, or a new one, or the next to come free.
   *
   * The time limit counts from this call to the lease, whatever happens in between. A caller that
   * gives up leaves nothing behind.
   *
   * @throws {JackfieldError} `POOL_TIMEOUT` with its `phase`, `POOL_CLOSED`, `POOL_QUEUE_FULL`,
   * `POOL_DEADLOCK`, `POOL_PREPARE_FAILED`, or what `connect` failed with; or the signal's reason.
   */
  acquire(options: AcquireOptions = NO_OPTIONS): Promise<SocketLease<Session>> {
    try {
      return Promise.resolve(this.#exchange.lease(options, options.label));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Lease an idle socket at once; `undefined` when there is none that may be lent without a check, or
   * somebody waits already.
   *
   * @throws {JackfieldError} `POOL_CLOSED`.
   */
  tryAcquire(options: AcquireOptions = NO_OPTIONS): SocketLease<Session> | undefined {
    return this.#exchange.tryAcquire(options, options.label);
  }

  /**
   * Run a task with a leased socket. The socket goes back when the task is done, and is closed when
   * it threw, because nobody knows what is left on the wire then.
   *
   * A task that asks this pool for another socket, while all others do the same, is refused with
   * `POOL_DEADLOCK` instead of waiting for ever.
   */
  async use<T>(
    task: (lease: SocketLease<Session>) => T | Promise<T>,
    options: AcquireOptions = NO_OPTIONS,
  ): Promise<T> {
    const label = options.label ?? (task.name === "" ? "use" : task.name);
    const exchange = this.#exchange;
    const given = exchange.lease(options, label);
    const lease = given instanceof SocketLease ? given : await given;
    try {
      const begun = exchange.holds.run(this.#holdOf(lease, label), () => task(lease));
      // An await less is a third of the whole for a task that is done at once.
      const result = isThenable(begun) ? await begun : begun;
      lease.release();
      return result;
    } catch (error) {
      lease.discard();
      throw error;
    }
  }

  /**
   * Put a socket into the pool that was made elsewhere, such as an accepted one, under the same rules
   * as the others. It belongs to the pool from then on.
   *
   * @returns When it is available: at once without `prepare`.
   * @throws {JackfieldError} `POOL_FULL` or `POOL_CLOSED`, and the socket still belongs to the caller;
   * `POOL_PREPARE_FAILED`, and it is closed.
   */
  async add(socket: Socket, options: AddOptions<Session> = {}): Promise<void> {
    if (this.#closing !== undefined) throw closedError("add");
    const state = socket.isBusy
      ? "busy"
      : socket.hasUnread
      ? "with bytes that nobody read"
      : socket.state;
    if (state !== "open") {
      throw new TypeError(`Cannot add socket that is ${state}: expected an open one at rest`);
    }
    const { roster } = this.#exchange;
    for (const entry of roster.all) {
      if (entry.socket === socket) {
        throw new TypeError("Cannot add socket: the pool has it already");
      }
    }
    if (roster.size >= this.maxSize) throw fullError(this.maxSize);
    await this.#exchange.connected(this.#settings.added, socket, options);
  }

  /**
   * Wait until as many sockets stand as `minIdle` asks for.
   *
   * @throws {JackfieldError} What the last connect failed with; the pool goes on trying.
   */
  warmUp(): Promise<void> {
    return this.#exchange.warmUp();
  }

  /** The most sockets at any instant. */
  get maxSize(): number {
    return this.#exchange.maxSize;
  }

  /**
   * Make the pool larger or smaller. What is idle beyond the new bound ends at once, what is leased
   * when it is given back; no new one is connected before there is room.
   *
   * @throws {RangeError} For less than 1, or less than `minIdle`.
   */
  resize(maxSize: number): void {
    const least = Math.max(1, this.#settings.minIdle);
    need("maxSize", maxSize, isCount(maxSize, least), `an integer of at least ${least}`);
    this.#exchange.resize(maxSize);
  }

  /** Who chooses among the idle sockets; another one takes over at once. */
  get strategy(): Strategy<PoolCandidate, PoolRequest> {
    return this.#exchange.roster.strategy;
  }

  set strategy(strategy: Strategy<PoolCandidate, PoolRequest>) {
    this.#exchange.roster.strategy = strategy;
    this.#exchange.serve();
  }

  /** What the pool holds now. */
  stats(): PoolStats {
    return statsOf(this.#settings, this.#exchange.line.length);
  }

  /**
   * Lease nothing any more, close what is idle, refuse who waits, and resolve when every lease has
   * been given back. Idempotent.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#drain();
  }

  /** End everything now: every socket is aborted with `reason`. */
  abort(reason: unknown = closedError()): void {
    void this.close();
    this.#exchange.abort(reason);
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #holdOf(lease: SocketLease<Session>, label: string): Hold {
    const entry = SocketLease.entryOf(lease);
    const { holds } = this.#exchange;
    const hold = holds.begin(label, entry.call?.stack, lease.state === "leased");
    if (hold.leased) entry.hold = hold;
    return hold;
  }

  async #drain(): Promise<void> {
    this.#exchange.shut();
    await Promise.resolve(); // `#closing` must be set before anybody is told.
    await this.#exchange.drain();
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === "function";
}
