import { type LeaseState, moveLease, type Socket } from "../transport/mod.ts";

/**
 * A socket on loan from the other end of a channel, to be given back.
 *
 * The first of `release` and `discard` counts. A connection that ends, or is recalled, ends the loan
 * as well: there is nothing to give back then. It is disposable, so that `await using lease = …`
 * gives it back at the end of the block.
 */
export class LentSocket implements Disposable, AsyncDisposable {
  /** The socket. It is `gone` when the loan is over. */
  readonly socket: Socket;
  #state: LeaseState = "leased";
  #giveBack: (socket: Socket) => Promise<void>;
  #over: Promise<void> = Promise.resolve();

  /** Made by channels. */
  constructor(socket: Socket, giveBack: (socket: Socket) => Promise<void>) {
    this.socket = socket;
    this.#giveBack = giveBack;
  }

  /** Who has it now. */
  get state(): LeaseState {
    return this.#state;
  }

  /**
   * Give it back, with whatever has come and was not read; writes that are pending are waited for.
   * Resolves when the other end has it. One that cannot be given back, such as a socket with a
   * pending read, is aborted. It never rejects, and every call gives the same promise.
   */
  release(): Promise<void> {
    if (this.#move("release")) {
      this.#over = this.#giveBack(this.socket).catch(() => this.socket.abort());
    }
    return this.#over;
  }

  /** Abort it. Does nothing when the loan is over. */
  discard(): void {
    if (this.#move("discard")) this.socket.abort();
  }

  /** The same as {@linkcode release}. */
  [Symbol.dispose](): void {
    void this.release();
  }

  /** The same as {@linkcode release}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #move(event: "release" | "discard"): boolean {
    const next = moveLease(this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }
}
