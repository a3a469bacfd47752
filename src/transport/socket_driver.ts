import type { TlsConnectOptions } from "./tls_options.ts";

/** Who waits for a read. */
export interface ReadWaiter {
  /** Bytes have come, or `null` for the end. */
  resolve(count: number | null): void;
  /** It failed. */
  reject(error: unknown): void;
}

/** Who waits until the kernel takes bytes again. */
export interface RoomWaiter {
  /** It may. */
  resolve(): void;
  /** It never will. */
  reject(error: unknown): void;
}

/**
 * Who is told of what nobody asked for. A driver may tell it while a read is pending or nobody
 * cares; it may be called within the runtime's own callback and never throws.
 */
export interface DriverWatcher {
  /** Bytes have come that no read waits for. */
  arrived(): void;
  /** The end of the stream has come; no read waits for it and nothing unread lies before it. */
  ended(): void;
  /** The next read would fail with this; the driver still holds the descriptor. */
  failed(error: unknown): void;
  /** The connection has ended and the descriptor is given back, whether somebody reads or not. */
  gone(error?: unknown): void;
}

/**
 * A connection that stands still: nobody reads from it or writes to it, and nothing of it is lost.
 *
 * It may have copies, in this process or in another one. Exactly one of them is resumed.
 */
export interface ParkedConnection {
  /** The runtime's own object, for who can make it travel. */
  readonly connection: unknown;
  /** Bytes that were read ahead; they come before what a resumed driver reads. */
  readonly unread: Uint8Array | undefined;
  /**
   * Go on with it here. `later` says that there is something to read before: then nothing more is
   * read until somebody asks, or what is handed from one to the next would grow and grow.
   */
  resume(later: boolean): SocketDriver | Promise<SocketDriver>;
  /** Give this copy's descriptor back without a word to the peer. */
  drop(): void;
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
  /**
   * Forget the read that is to be told `later` of: it takes nothing, and nobody is told. Left out
   * where a read cannot be taken back.
   */
  stopReading?(): void;
  /** Give bytes to the kernel, perhaps not all; when it settles the bytes are no longer needed. */
  write(bytes: Uint8Array): number | Promise<number>;
  /**
   * After a `write` that took less than it was given: tell `told`, once and not within this call, when
   * the kernel may take bytes again. Nothing is held for it meanwhile, as a `write` would have to.
   * `false`, or left out, where the runtime does not tell.
   */
  waitForRoom?(told: RoomWaiter): boolean;
  /** The most that one `write` takes, however much room there is; left out where nothing is known. */
  readonly maxWriteBytes?: number;
  /** Send the end of the stream; what was written goes first. */
  closeWrite(): void | Promise<void>;
  /** Give the descriptor back in good order. A pending `read` settles. */
  close(): void | Promise<void>;
  /** Give the descriptor back now, with a reset where that is possible. Pending calls settle. */
  abort(): void;
  /**
   * Tell this one of what comes unasked; it takes the place of the one before. `gone` is told once,
   * also to who comes after it happened, and never within this call.
   */
  watch?(watcher: DriverWatcher): void;
  /**
   * Where the runtime tells only who reads: begin to read on, so that the watcher can be told. It
   * goes on until something comes, and that belongs to the next `read`. A call that finds it at
   * work, or done and not read, does nothing. Nothing is told within it.
   */
  lookAhead?(): void;
  /** Whether `lookAhead` is at work: TLS cannot be put on top then. */
  readonly isLookingAhead?: boolean;
  /** Put TLS on top of the connection; the driver itself is not used after it. */
  startTls?(options: TlsConnectOptions): Promise<SocketDriver>;
  /** Whether bytes, or the end, have come that nobody has read; left out where nobody can tell. */
  readonly hasUnread?: boolean;
  /** The runtime's own object; left out where it cannot leave the driver, as with TLS. */
  readonly connection?: unknown;
  /**
   * The runtime's own object where its descriptor may be borrowed, though it cannot leave the driver;
   * left out where the same as `connection`, and with TLS.
   */
  readonly lendable?: unknown;
  /**
   * Stand still, with no call pending: the driver is not used after it. Left out, like `connection`,
   * where a connection cannot leave its driver.
   */
  park?(): ParkedConnection | Promise<ParkedConnection>;
  /** The application protocol that TLS agreed on. */
  readonly alpnProtocol?: string;
}
