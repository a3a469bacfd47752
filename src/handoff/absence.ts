import type { ConnectionEnd, Socket } from "../transport/mod.ts";

/**
 * A connection that the other end has, or is about to have, and tells of: when it has ended, or, for
 * one that was lent, when it comes back.
 */
export class Absence {
  /** The socket when it is here again, or `undefined` when the connection has ended. */
  readonly back: Promise<Socket | undefined>;
  /** Whether it was lent: only then somebody waits for it. */
  readonly isLent: boolean;
  /** Told of its end; goes along with the socket that it is here again. */
  readonly onEnd: ((how: ConnectionEnd) => void) | undefined;
  #settle: (socket: Socket | undefined) => void;
  #isMoved = false;
  #isOver = false;
  #how: ConnectionEnd = "closed";
  #isComing = false;
  #isRecalled = false;
  #isSettled = false;

  /** It is on its way. */
  constructor(onEnd: ((how: ConnectionEnd) => void) | undefined, isLent: boolean) {
    const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
    this.back = promise;
    this.isLent = isLent;
    this.onEnd = onEnd;
    this.#settle = resolve;
  }

  /** The other end owns it. */
  moved(): void {
    this.#isMoved = true;
    this.#check();
  }

  /** The other end says that it has ended, or has ended itself; it may be that it never moved. */
  over(how: ConnectionEnd = "closed"): void {
    this.#isOver = true;
    this.#how = how;
    this.#check();
  }

  /** It is on its way back: the end of the other end says nothing of it any more. */
  comes(): void {
    this.#isComing = true;
  }

  /** It does not come: it is with the other end, as before. */
  stays(): void {
    this.#isComing = false;
    this.#check();
  }

  /** It could not be moved, and nobody has it any more. */
  lost(): void {
    this.#end();
  }

  /** It is here again: it has come back, or could not be moved. */
  returned(socket: Socket): void {
    if (this.#isRecalled) socket.abort();
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settle(this.#isRecalled ? undefined : socket);
  }

  /** Whether whoever lent it does not want it any more. */
  get isRecalled(): boolean {
    return this.#isRecalled;
  }

  /** Abort it when it comes back. */
  recall(): void {
    this.#isRecalled = true;
  }

  #check(): void {
    if (this.#isMoved && this.#isOver && !this.#isComing) this.#end();
  }

  #end(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settle(undefined);
    this.onEnd?.(this.#how);
  }
}
