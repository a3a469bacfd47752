import type { Socket } from "../transport/mod.ts";

/** Options of {@linkcode HandoffChannel.lend}. */
export interface LendOptions {
  /** Bytes that were read and not used; the next owner reads them first. */
  readonly unread?: Uint8Array;
  /**
   * Milliseconds for pending writes, a place in flight and the answer together; `Infinity` for no
   * limit.
   *
   * @default {10_000}
   */
  readonly timeoutMs?: number;
  /** Gives up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode HandoffChannel.send}. */
export interface SendOptions extends LendOptions {
  /**
   * Takes the connection back, as a new socket, when it could not be moved. It is called before the
   * promise rejects. Without it the connection is aborted then.
   */
  readonly onReturn?: (socket: Socket, error: unknown) => void;
}
