import type { HandoffChannel, LendOptions } from "../handoff/mod.ts";
import { type LeaseEnd, type LeaseEvent, type LeaseState, moveLease } from "../transport/mod.ts";
import type { Socket } from "../transport/mod.ts";
import type { PooledSocket } from "./pooled_socket.ts";

/** Where a lease goes back to. */
export interface LeaseOwner<Session> {
  /** The lease is over; told once. */
  returned(entry: PooledSocket<Session>, end: LeaseEnd): void;
  /** The connection of a lease goes on in another socket; whether its session does, too. */
  resumed(entry: PooledSocket<Session>, socket: Socket): boolean;
}

/**
 * A socket on loan from a pool, with its session.
 *
 * `release` and `discard` are idempotent: the first one counts. A lease is disposable, so that
 * `using lease = …` gives it back at the end of the block.
 */
// It moves as a `Lease` does, but is no subclass of it: a derived class and a closure for each lease
// made up half the cost of a lease in V8.
export class SocketLease<Session = undefined> implements Disposable, AsyncDisposable {
  #entry: PooledSocket<Session>;
  #owner: LeaseOwner<Session>;
  #state: LeaseState = "leased";

  /** Made by pools. */
  constructor(entry: PooledSocket<Session>, owner: LeaseOwner<Session>) {
    this.#entry = entry;
    this.#owner = owner;
  }

  /** The socket. It is somebody else's when the lease is over. */
  get socket(): Socket {
    return this.#entry.socket;
  }

  /** What `prepare` made of this connection; `undefined` in a pool without `prepare`. */
  get session(): Session {
    return this.#entry.session as Session;
  }

  /** Who has it now. */
  get state(): LeaseState {
    return this.#state;
  }

  /**
   * Lend the socket on to another thread or process, with any structured data; the `onLease` of the
   * channel there is given a `LentSocket`. Resolves when the other end has it.
   *
   * For the pool the socket stays leased. When the other end gives it back, the lease is released, and
   * the next task has the same connection; when that closes or discards it, or ends, the lease is
   * discarded. Meanwhile `release` does nothing, so that a lease may be lent within `use`, and
   * `discard` recalls it. The session stays here; see `resume` of the pool's options. A pool that
   * lends to processes needs `transferable`.
   *
   * When it rejects and `state` is `leased`, the socket is still here, perhaps as a new object; else
   * the connection has ended.
   *
   * @throws {TypeError} When the lease is over or lent.
   * @throws {JackfieldError} What `HandoffChannel.send` rejects with.
   */
  async lend(
    channel: HandoffChannel,
    data?: unknown,
    options: LendOptions = {},
  ): Promise<void> {
    if (this.#state !== "leased") {
      throw new TypeError(`Cannot lend a lease that is ${this.#state}: expected it to be leased`);
    }
    const loan = channel.lend(this.#entry.socket, data, options);
    this.#state = "lent";
    this.#entry.loan = loan;
    try {
      await loan.taken;
    } catch (error) {
      this.#resume(await loan.back);
      throw error;
    }
    void loan.back.then((socket) => {
      this.#resume(socket);
      this.release();
    });
  }

  /** Give it back for the next task. Does nothing when the lease is over. */
  release(): void {
    this.#move("release");
  }

  /** Give it back as unusable: it is aborted. Does nothing when the lease is over. */
  discard(): void {
    this.#move("discard");
  }

  /** The same as {@linkcode release}. */
  [Symbol.dispose](): void {
    this.#move("release");
  }

  /** The same as {@linkcode release}. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#move("release");
    return Promise.resolve();
  }

  /** What the pool knows of a lease of its own. */
  static entryOf<Session>(lease: SocketLease<Session>): PooledSocket<Session> {
    return lease.#entry;
  }

  /** What was lent is here again, or has ended. */
  #resume(socket: Socket | undefined): void {
    const next = moveLease(this.#state, "return");
    if (next === undefined) return; // Recalled.
    this.#entry.loan = undefined;
    if (socket === undefined) return this.discard();
    this.#state = next;
    if (!this.#owner.resumed(this.#entry, socket)) this.discard();
  }

  #move(event: LeaseEvent): void {
    const next = moveLease(this.#state, event);
    if (next === undefined) return;
    this.#state = next;
    this.#owner.returned(this.#entry, next as LeaseEnd);
  }
}
