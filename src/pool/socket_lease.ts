import { type LeaseEnd, type LeaseEvent, type LeaseState, moveLease } from "../transport/mod.ts";
import type { Socket } from "../transport/mod.ts";
import type { PooledSocket } from "./pooled_socket.ts";

/** Where a lease goes back to. */
export interface LeaseOwner<Session> {
  /** The lease is over; told once. */
  returned(entry: PooledSocket<Session>, end: LeaseEnd): void;
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

  #move(event: LeaseEvent): void {
    const next = moveLease(this.#state, event);
    if (next === undefined) return;
    this.#state = next;
    this.#owner.returned(this.#entry, next as LeaseEnd);
  }
}
