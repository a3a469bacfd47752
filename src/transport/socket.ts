import type { SocketAddress } from "./address.ts";
import type { SocketState } from "./socket_state.ts";
import type { TlsConnectOptions } from "./tls_options.ts";

/** Options of {@linkcode Socket.startTls}. */
export interface StartTlsOptions extends TlsConnectOptions {
  /** Gives up and closes the connection. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds for the handshake; `Infinity` for no limit.
   *
   * @default {30_000}
   */
  readonly timeoutMs?: number;
}

/**
 * One connection.
 *
 * `read`, `write`, `close`, `closeWrite`, `readable` and `writable` have the shape of a
 * `Deno.Conn`. One `read` may be pending at a time; writes may overlap and keep their order.
 * When both directions have ended the socket closes by itself.
 */
export interface Socket extends Disposable, AsyncDisposable {
  /** The end of the connection on this host, as the kernel has it. */
  readonly localAddress: SocketAddress;
  /** The far end. */
  readonly remoteAddress: SocketAddress;
  /** The state the socket is in. */
  readonly state: SocketState;
  /**
   * Whether bytes, or the end of the stream, have come that nobody has read. Deno and workerd tell of
   * them only to who reads: there it speaks of what came with a handoff and what a watch has found.
   */
  readonly hasUnread: boolean;
  /** Whether somebody's `read`, `write` or `closeWrite` is pending; a watch is none of them. */
  readonly isBusy: boolean;
  /**
   * Whether the next user finds it as if it were new: `state` is open, and it neither `isBusy` nor
   * `hasUnread`.
   */
  readonly isAtRest: boolean;
  /**
   * Watch a socket that nobody reads: `told` is called once, when bytes, the end of the stream or a
   * failure come that nobody asked for, and `hasUnread`, `state` or `closed` say what it was. The
   * watch ends with that call, with the next `read`, with `watch(undefined)`, and with the end of
   * the socket by its owner's hand. What came meanwhile goes to the next reader. What `hasUnread`
   * said before is not told again, and a socket that is over has nothing to tell.
   *
   * In Deno and workerd a watch is a read that cannot be taken back. It goes on after
   * `watch(undefined)` and is the next reader's then, so that no call is added. While it is pending
   * `startTls` rejects with `SOCKET_BUSY`, and the program keeps running, as it does in Bun and Node
   * while a socket is open.
   *
   * @throws {JackfieldError} `SOCKET_BUSY` while a read is pending.
   */
  watch(told: (() => void) | undefined): void;
  /** The application protocol that TLS agreed on, if any. */
  readonly alpnProtocol: string | undefined;
  /**
   * Resolves when the socket has closed in good order or was handed off; rejects with what broke
   * it. Nobody has to handle the rejection.
   */
  readonly closed: Promise<void>;
  /**
   * Put what has arrived into `into`; resolves to the count, or to `null` at the end of the stream.
   *
   * @throws {JackfieldError} `SOCKET_RESET`, `SOCKET_CLOSED`, `SOCKET_GONE`, `SOCKET_FAILED`, or
   * `SOCKET_BUSY` when another read is pending.
   */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Send bytes; resolves to their count, always all, when the kernel has taken the last of them.
   *
   * Until then the bytes must not change. A slow reader at the far end delays the promise; beyond
   * the bytes passed in, the socket holds no memory for it.
   *
   * @throws {JackfieldError} `SOCKET_RESET`, `SOCKET_CLOSED`, `SOCKET_GONE` or `SOCKET_FAILED`.
   */
  write(bytes: Uint8Array): Promise<number>;
  /**
   * Send what the kernel takes now, as write(2) does on a socket that does not block: resolves to
   * the count, at least 1 and perhaps not all, and waits only while the kernel takes nothing.
   *
   * Fewer than all say that the far end, or the way to it, is slower than the caller. Node takes
   * every byte that it is given, and resolves when the kernel has the last of them.
   *
   * @throws {JackfieldError} As `write`.
   */
  writeSome(bytes: Uint8Array): Promise<number>;
  /** Send the end of the stream after what was written; reading goes on. */
  closeWrite(): Promise<void>;
  /**
   * Close when pending writes have been sent, or after 30 seconds of waiting for them; a read that
   * is pending rejects. Every call gives the same promise, which never rejects.
   */
  close(): Promise<void>;
  /**
   * Close now: the peer sees a reset where the runtime can send one (`capabilities.reset`);
   * pending and later calls reject with `reason`.
   */
  abort(reason?: unknown): void;
  /**
   * Put TLS on top of the connection and resolve to the socket to use from then on; this one is
   * `gone`. Bytes that arrived before the handshake are refused, for they may be forged.
   *
   * @throws {JackfieldError} `CONNECT_FAILED` with reason `tls`, `CONNECT_TIMEOUT`, `SOCKET_BUSY`
   * or `UNSUPPORTED`.
   */
  startTls(options?: StartTlsOptions): Promise<Socket>;
  /** The incoming bytes as a stream, made on first use. Cancelling it closes the socket. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** The outgoing bytes as a stream, made on first use. Closing it sends the end of the stream. */
  readonly writable: WritableStream<Uint8Array>;
}
