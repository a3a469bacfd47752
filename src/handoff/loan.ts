import type { Socket } from "../transport/mod.ts";

/** A socket that was lent to the other end of a channel, seen from here. */
export interface Loan {
  /** Resolves when the other end has it; rejects, as `send` does, when it cannot be moved. */
  readonly taken: Promise<void>;
  /**
   * The socket, as a new object, when it is here again: given back, or never moved. `undefined` when
   * the connection has ended, here or there, or with the other end itself. It never rejects.
   */
  readonly back: Promise<Socket | undefined>;
  /** Have the other end abort it, wherever it is by now; `back` resolves when nobody has it. */
  recall(): void;
}
