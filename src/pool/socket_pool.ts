import type { AddressTable } from "../address_table/mod.ts";
import { Fifo } from "../queue/mod.ts";
import { badPick, type Picker, roundRobin, startStrategy, type Strategy } from "../strategy/mod.ts";
import {
  addressOfTarget,
  assertTimeout,
  type Clock,
  formatAddress,
  JackfieldError,
  type LeaseEnd,
  type Socket,
  systemClock,
  type Target,
  type Transport,
} from "../transport/mod.ts";
import type { AcquireOptions, PoolRequest, PoolStats, SocketPoolOptions } from "./options.ts";
import { type PoolCandidate, PooledSocket } from "./pooled_socket.ts";
import { SocketLease } from "./socket_lease.ts";

interface Waiter {
  grant(lease: SocketLease): void;
  refuse(error: unknown): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * A bounded set of sockets to one target, leased to tasks and given back for the next task.
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
 */
export class SocketPool implements AsyncDisposable {
  #transport: Transport;
  #addresses: AddressTable | undefined;
  #target: Target;
  #maxSize: number;
  #maxWaiting: number;
  #connectTimeoutMs: number;
  #strategy: Strategy<PoolCandidate, PoolRequest>;
  #picker: Picker<PoolCandidate, PoolRequest>;
  #clock: Clock;
  /** In rotation order: the one that was not chosen for the longest time comes first. */
  #idle: PooledSocket[] = [];
  #leased = new Map<PooledSocket, SocketLease>();
  /** Connects that will settle; each of them is for one waiter. */
  #connecting = 0;
  /** Connects that were given up, and hold a descriptor until the transport says otherwise. */
  #abandoned = 0;
  /** Sockets that hold their descriptor until what was written is sent. */
  #ending = new Set<Socket>();
  /** Counts choices: the time of the rotation. */
  #turn = 0;
  #waiters = new Fifo<Waiter>();
  #stop = new AbortController();
  #closing: Promise<void> | undefined;
  #emptied: (() => void) | undefined;

  /** Checks the options; nothing is connected before somebody asks. */
  constructor(options: SocketPoolOptions) {
    const { maxSize = 10, maxWaiting = 1000, connectTimeoutMs = DEFAULT_TIMEOUT_MS } = options;
    if (!Number.isInteger(maxSize) || maxSize < 1) {
      throw new RangeError(`Cannot use maxSize "${maxSize}": expected an integer of at least 1`);
    }
    if (!(maxWaiting >= 0)) {
      throw new RangeError(`Cannot use maxWaiting "${maxWaiting}": expected 0 or more`);
    }
    if (!(connectTimeoutMs > 0)) {
      throw new RangeError(
        `Cannot use connectTimeoutMs "${connectTimeoutMs}": expected more than 0`,
      );
    }
    const { addresses, transport = addresses?.transport } = options;
    if (transport === undefined) {
      throw new TypeError("Cannot create pool: expected a transport or an address table");
    }
    if (addresses !== undefined && addresses.transport !== transport) {
      throw new TypeError("Cannot create pool: its address table has another transport");
    }
    this.#transport = transport;
    this.#addresses = addresses;
    this.#target = options.target;
    this.#maxSize = maxSize;
    this.#maxWaiting = maxWaiting;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#strategy = options.strategy ?? roundRobin();
    this.#picker = startStrategy(this.#strategy);
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Lease a socket: an idle one that the strategy chooses, or a new one, or the next to come free.
   *
   * @throws {JackfieldError} `POOL_TIMEOUT`, `POOL_CLOSED`, `POOL_QUEUE_FULL`, or what `connect`
   * failed with; or the signal's reason.
   */
  acquire(options: AcquireOptions = {}): Promise<SocketLease> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    try {
      assertTimeout(timeoutMs);
      signal?.throwIfAborted();
      const lease = this.tryAcquire();
      if (lease !== undefined) return Promise.resolve(lease);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#wait(signal, timeoutMs);
  }

  /**
   * Lease an idle socket at once; `undefined` when there is none or somebody waits already.
   *
   * @throws {JackfieldError} `POOL_CLOSED`.
   */
  tryAcquire(): SocketLease | undefined {
    if (this.#closing !== undefined) throw this.#closedError();
    if (this.#waiters.length > 0) return undefined;
    const entry = this.#pick();
    return entry === undefined ? undefined : this.#lease(entry);
  }

  /**
   * Run a task with a leased socket. The socket goes back when the task is done, and is closed when
   * it threw, because nobody knows what is left on the wire then.
   */
  async use<T>(
    task: (lease: SocketLease) => T | Promise<T>,
    options: AcquireOptions = {},
  ): Promise<T> {
    const lease = await this.acquire(options);
    try {
      const result = await task(lease);
      lease.release();
      return result;
    } catch (error) {
      lease.discard();
      throw error;
    }
  }

  /** What the pool holds now. */
  stats(): PoolStats {
    return {
      size: this.#size(),
      idle: this.#idle.length,
      leased: this.#leased.size,
      connecting: this.#connecting + this.#abandoned,
      closing: this.#ending.size,
      waiting: this.#waiters.length,
    };
  }

  /**
   * Lease nothing any more, close what is idle, refuse who waits, and resolve when every lease has
   * been given back. Idempotent.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#drain();
  }

  /** End everything now: every socket is aborted with `reason`. */
  abort(reason: unknown = this.#closedError()): void {
    void this.close();
    for (const [entry, lease] of [...this.#leased]) {
      entry.socket.abort(reason);
      lease.discard();
    }
    for (const { socket } of this.#idle) socket.abort(reason);
    for (const socket of this.#ending) socket.abort(reason);
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #size(): number {
    return this.#idle.length + this.#leased.size + this.#connecting + this.#abandoned +
      this.#ending.size;
  }

  #wait(signal: AbortSignal | undefined, timeoutMs: number): Promise<SocketLease> {
    const behind = this.#waiters.length - this.#connecting;
    if (behind >= this.#maxWaiting && this.#size() >= this.#maxSize) {
      const message = `Cannot acquire socket: ${this.#maxWaiting} callers already wait`;
      return Promise.reject(
        new JackfieldError("POOL_QUEUE_FULL", message, {
          operation: "acquire",
          limit: this.#maxWaiting,
        }),
      );
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.remove(place);
        cancel();
        signal?.removeEventListener("abort", giveUp);
      };
      const refuse = (error: unknown) => {
        leave();
        reject(error);
      };
      const giveUp = () => refuse(signal!.reason);
      const cancel = timeoutMs === Infinity
        ? () => {}
        : this.#clock.schedule(timeoutMs, () => refuse(this.#timeoutError(timeoutMs)));
      signal?.addEventListener("abort", giveUp, { once: true });
      const place = this.#waiters.push({
        grant: (lease) => {
          leave();
          resolve(lease);
        },
        refuse,
      });
      this.#connectForWaiters();
    });
  }

  /** Open as many sockets as callers wait, within the bound. */
  #connectForWaiters(): void {
    while (
      this.#closing === undefined && this.#connecting < this.#waiters.length &&
      this.#size() < this.#maxSize
    ) {
      this.#connect();
    }
  }

  #connect(): void {
    this.#connecting++;
    let pending = true;
    let held = true;
    const options = {
      timeoutMs: this.#connectTimeoutMs,
      signal: this.#stop.signal,
      onReleased: () => {
        held = false;
        if (pending) return; // It counts until the promise has settled.
        this.#abandoned--;
        this.#freed();
      },
    };
    const connected = this.#addresses === undefined
      ? this.#transport.connect(this.#target, options)
      : this.#addresses.connect(this.#target, options);
    connected.then((socket) => {
      pending = false;
      this.#connecting--;
      this.#connected(socket);
    }, (error) => {
      pending = false;
      this.#connecting--;
      if (held) this.#abandoned++;
      // The one that waits longest learns why; the others' connects are on the way.
      this.#waiters.shift()?.refuse(error);
      this.#freed();
    });
  }

  #connected(socket: Socket): void {
    if (this.#closing !== undefined) {
      this.#end(socket, "discarded");
      return this.#freed();
    }
    if (socket.state !== "open") {
      this.#end(socket, "discarded");
      this.#waiters.shift()?.refuse(this.#lostError());
      return this.#freed();
    }
    const entry = new PooledSocket(socket, ++this.#turn);
    const gone = () => this.#lost(entry);
    socket.closed.then(gone, gone);
    this.#offer(entry);
  }

  /** Give a free socket to the next waiter, or keep it at its place in the rotation. */
  #offer(entry: PooledSocket): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) return waiter.grant(this.#lease(entry));
    let at = this.#idle.length;
    while (at > 0 && this.#idle[at - 1]!.turn > entry.turn) at--;
    if (at === this.#idle.length) this.#idle.push(entry);
    else this.#idle.splice(at, 0, entry);
  }

  #pick(): PooledSocket | undefined {
    while (this.#idle.length > 0) {
      const picked = this.#picker.pick(this.#idle, { target: this.#target });
      if (picked === undefined) return undefined;
      if (!this.#unidle(picked as PooledSocket)) throw badPick(this.#strategy, picked);
      const entry = picked as PooledSocket;
      if (entry.isClean) return entry;
      this.#end(entry.socket, "released");
    }
    return undefined;
  }

  /** Take one out of the idle ones; `false` when it is none of them. */
  #unidle(entry: PooledSocket): boolean {
    const at = this.#idle[0] === entry ? 0 : this.#idle.indexOf(entry);
    if (at === -1) return false;
    if (at === 0) this.#idle.shift();
    else this.#idle.splice(at, 1);
    return true;
  }

  #lease(entry: PooledSocket): SocketLease {
    entry.leases++;
    entry.turn = ++this.#turn;
    const lease = new SocketLease(entry.socket, (end) => this.#returned(entry, end));
    this.#leased.set(entry, lease);
    return lease;
  }

  #returned(entry: PooledSocket, end: LeaseEnd): void {
    this.#leased.delete(entry);
    if (end === "released" && entry.isClean && this.#closing === undefined) {
      return this.#offer(entry);
    }
    this.#end(entry.socket, end);
    this.#freed();
  }

  /** Part with a socket; it counts until its descriptor is given back. */
  #end(socket: Socket, end: LeaseEnd): void {
    if (end === "discarded") socket.abort();
    if (socket.state === "closed" || socket.state === "gone") return;
    this.#ending.add(socket);
    void socket.close().then(() => {
      this.#ending.delete(socket);
      this.#freed();
    });
  }

  /** An idle socket has ended by itself; a leased one goes when its lease is given back. */
  #lost(entry: PooledSocket): void {
    if (this.#unidle(entry)) this.#freed();
  }

  async #drain(): Promise<void> {
    const closed = this.#closedError();
    await Promise.resolve(); // `#closing` must be set before anybody is told.
    this.#stop.abort(closed);
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.refuse(closed);
    }
    for (const { socket } of this.#idle.splice(0)) this.#end(socket, "released");
    if (this.#size() > 0) await new Promise<void>((resolve) => this.#emptied = resolve);
  }

  /** There may be room now. */
  #freed(): void {
    if (this.#closing === undefined) this.#connectForWaiters();
    else if (this.#size() === 0) this.#emptied?.();
  }

  #closedError(): JackfieldError {
    return new JackfieldError("POOL_CLOSED", "Cannot acquire socket: pool is closed", {
      operation: "acquire",
    });
  }

  #lostError(): JackfieldError {
    const address = addressOfTarget(this.#target);
    const message = `Cannot connect to ${formatAddress(address)}: the connection ended at once`;
    return new JackfieldError("CONNECT_FAILED", message, {
      operation: "connect",
      address,
      reason: "reset",
    });
  }

  #timeoutError(timeoutMs: number): JackfieldError {
    const { leased, connecting } = this.stats();
    const to = formatAddress(addressOfTarget(this.#target));
    const message = `Cannot acquire socket to ${to}: none came free in ${timeoutMs} ms ` +
      `(${leased} leased, ${connecting} connecting, at most ${this.#maxSize})`;
    return new JackfieldError("POOL_TIMEOUT", message, {
      operation: "acquire",
      phase: "wait",
      limit: timeoutMs,
    });
  }
}
