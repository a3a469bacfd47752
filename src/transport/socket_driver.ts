import type { TlsConnectOptions } from "./tls_options.ts";

/** Who waits for a read. */
export interface ReadWaiter {
  /** Bytes have come, or `null` for the end. */
  resolve(count: number | null): void;
  /** It failed. */
  reject(error: unknown): void;
}

/**
 * What an adapter brings for one connection; {@linkcode createSocket} makes a `Socket` of it.
 *
 * The socket keeps the rules (one reader, writes in order, states, errors), so that a driver is
 * only the runtime's own calls. A driver is called by one reader and one writer at a time.
 * A result that is there at once may be returned without a promise.
 */
export interface SocketDriver {
  /**
   * Put what has arrived into `into`, which is not empty; `null` at the end of the stream.
   *
   * A runtime that calls back needs no promise here: the driver returns `undefined` and tells
   * `later`, once and not within this call.
   */
  read(into: Uint8Array, later: ReadWaiter): number | null | undefined | Promise<number | null>;
  /** Give bytes to the kernel, perhaps not all; when it settles the bytes are no longer needed. */
  write(bytes: Uint8Array): number | Promise<number>;
  /** Send the end of the stream; what was written goes first. */
  closeWrite(): void | Promise<void>;
  /** Give the descriptor back in good order. A pending `read` settles. */
  close(): void | Promise<void>;
  /** Give the descriptor back now, with a reset where that is possible. Pending calls settle. */
  abort(): void;
  /** Tell of an end that nobody asked for, once, if the runtime tells it unasked. */
  watch?(gone: (error?: unknown) => void): void;
  /** Put TLS on top of the connection; the driver itself is not used after it. */
  startTls?(options: TlsConnectOptions): Promise<SocketDriver>;
  /** Whether bytes, or the end, have come that nobody has read; left out where nobody can tell. */
  readonly hasUnread?: boolean;
  /** The application protocol that TLS agreed on. */
  readonly alpnProtocol?: string;
}
