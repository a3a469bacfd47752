import {
  type DriverWatcher,
  joinBytes,
  type ParkedConnection,
  type ReadWaiter,
  type RoomWaiter,
  type SocketDriver,
  type TlsConnectOptions,
} from "../../transport/mod.ts";
import { type Flow, Inbox } from "../shared/inbox.ts";
import type { BunHandlers, BunSocket, BunTls } from "./runtime.ts";

/** How long `close` waits for the peer to answer the end of a TLS session, in milliseconds. */
const TLS_END_MS = 1000;

interface Writer {
  resolve(count: number): void;
  reject(error: unknown): void;
}

/** One connection of Bun, fed by {@linkcode bunHandlers}. */
export class BunDriver implements SocketDriver, Flow {
  #socket!: BunSocket;
  #secured: boolean;
  #inbox: Inbox = new Inbox(this);
  #writer: Writer | undefined;
  /** Whether the last write took less than it was given, and `drain` is still to come. */
  #isFull = false;
  #closed = false;
  #error: unknown;
  #closing: (() => void) | undefined;

  /** A driver without its socket yet; `secured` when TLS runs on it. */
  constructor(secured: boolean) {
    this.#secured = secured;
  }

  get hasUnread(): boolean {
    return this.#inbox.hasUnread;
  }

  get connection(): BunSocket | undefined {
    return this.#secured ? undefined : this.#socket; // A TLS session cannot leave its thread.
  }

  get alpnProtocol(): string | undefined {
    const { alpnProtocol } = this.#socket;
    return typeof alpnProtocol === "string" ? alpnProtocol : undefined;
  }

  read(into: Uint8Array, later: ReadWaiter): number | null | undefined {
    return this.#inbox.read(into, later);
  }

  stopReading(): void {
    this.#inbox.stopReading();
  }

  write(bytes: Uint8Array): number | Promise<number> {
    if (this.#closed) throw this.#error ?? closedError();
    const count = this.#socket.write(bytes as Uint8Array<ArrayBuffer>);
    this.#isFull = count < bytes.byteLength;
    if (count > 0) return count;
    if (count < 0) throw this.#error ?? closedError();
    return new Promise((resolve, reject) => {
      this.#writer = { resolve, reject };
    });
  }

  waitForRoom(told: RoomWaiter): boolean {
    if (this.#isFull && !this.#closed) this.#writer = told;
    else queueMicrotask(() => told.resolve()); // What is wrong the next write finds out.
    return true;
  }

  closeWrite(): void {
    this.#socket.shutdown();
  }

  close(): void | Promise<void> {
    if (this.#closed) return;
    this.#inbox.fail(closedError);
    this.#socket.end();
    if (this.#isClosed()) return; // Nothing was left to send: Bun closed it within the call.
    return new Promise((resolve) => {
      // With TLS Bun keeps the descriptor until the peer has answered, for ten seconds at most, and
      // `terminate` has no effect any more: nobody should wait for that.
      const timer = this.#secured ? setTimeout(resolve, TLS_END_MS) : undefined;
      this.#closing = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  abort(): void {
    this.#inbox.fail(closedError);
    this.#leaveWriter()?.reject(closedError());
    if (!this.#closed) this.#socket.terminate();
  }

  watch(watcher: DriverWatcher): void {
    this.#inbox.watcher = watcher;
    if (this.#closed) queueMicrotask(() => watcher.gone(this.#error)); // It came before the handoff.
  }

  park(): ParkedConnection {
    if (this.#closed) throw this.#error ?? closedError();
    const socket = this.#socket;
    this.#inbox.watcher = undefined;
    socket.pause();
    const chunks = this.#inbox.drain();
    return {
      connection: socket,
      unread: chunks.length === 0 ? undefined : joinBytes(chunks),
      resume: (later) => {
        if (this.#closed) throw this.#error ?? closedError();
        this.#inbox.hold();
        if (!later) this.#inbox.release();
        return this;
      },
      drop: () => void socket.end(), // `terminate` would reset the connection with its last copy.
    };
  }

  lookAhead(): void {
    this.#inbox.release();
  }

  /** See {@linkcode Flow}. */
  pause(): void {
    this.#socket.pause();
  }

  /** See {@linkcode Flow}. */
  resume(): void {
    this.#socket.resume();
  }

  /** Read nothing until somebody asks. */
  hold(): void {
    this.#inbox.hold();
  }

  startTls(options: TlsConnectOptions): Promise<SocketDriver> {
    if (this.#inbox.bytes > 0) return Promise.reject(new Error("bytes came before the handshake"));
    return new Promise((resolve, reject) => {
      const driver = new BunDriver(true);
      const refuse = (error: unknown) => reject(error);
      this.#inbox.watcher = { arrived() {}, ended() {}, failed() {}, gone: refuse };
      const [, secured] = this.#socket.upgradeTLS({
        data: driver,
        tls: tlsForBun(options),
        socket: {
          ...bunHandlers,
          open: () => {},
          handshake: (_socket, success, error) => {
            if (success && error === null) resolve(driver);
            else reject(error ?? new Error("TLS handshake failed"));
          },
          close: (socket, error) => {
            reject(error ?? new Error("connection closed during the TLS handshake"));
            bunHandlers.close!(socket, error);
          },
        },
      });
      driver.attach(secured);
    });
  }

  /** Who waits to write, and no longer does: whoever is told may call anything at once. */
  #leaveWriter(): Writer | undefined {
    const writer = this.#writer;
    this.#writer = undefined;
    return writer;
  }

  /** Asked again after a call that may have changed it. */
  #isClosed(): boolean {
    return this.#closed;
  }

  /** Bun has made the socket. */
  attach(socket: BunSocket): void {
    this.#socket = socket;
  }

  /** Bytes have come. */
  arrived(chunk: Uint8Array): void {
    this.#inbox.arrive(chunk);
  }

  /** There is room to write again. */
  drained(): void {
    this.#isFull = false;
    this.#leaveWriter()?.resolve(0);
  }

  /** The peer has sent the end of its stream. */
  ended(): void {
    this.#inbox.end();
  }

  /** Something broke; `close` follows. */
  failed(error: unknown): void {
    this.#error ??= error;
  }

  /** The descriptor has been given back. */
  closed(error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error ??= error;
    // With both ends of the stream sent, Bun calls `close` without calling `end` before.
    if (this.#error === undefined) this.#inbox.end();
    else this.#inbox.fail(() => this.#error);
    this.#leaveWriter()?.reject(this.#error ?? closedError());
    this.#closing?.();
    this.#inbox.watcher?.gone(this.#error);
  }
}

function closedError(): Error {
  return Object.assign(new Error("connection is closed"), { code: "EPIPE" });
}

const driverOf = (socket: BunSocket): BunDriver => socket.data as BunDriver;

/** The callbacks of every socket; the driver stands in `socket.data`. */
export const bunHandlers: BunHandlers = {
  binaryType: "uint8array",
  data: (socket, chunk) => driverOf(socket).arrived(chunk),
  drain: (socket) => driverOf(socket).drained(),
  end: (socket) => driverOf(socket).ended(),
  error: (socket, error) => driverOf(socket)?.failed(error),
  close: (socket, error) => driverOf(socket)?.closed(error),
};

/** TLS options in Bun's words. */
export function tlsForBun({ serverName, caCerts, alpnProtocols }: TlsConnectOptions): BunTls {
  return {
    serverName,
    rejectUnauthorized: true,
    ...(caCerts === undefined ? {} : { ca: [...caCerts] }),
    ...(alpnProtocols === undefined ? {} : { ALPNProtocols: alpnList(alpnProtocols) }),
  };
}

/** Protocol names as they travel: each behind its length (RFC 7301, section 3.1). */
export function alpnList(protocols: readonly string[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const protocol of protocols) {
    const name = new TextEncoder().encode(protocol);
    if (name.length < 1 || name.length > 255) {
      throw new RangeError(`Cannot use protocol "${protocol}": expected 1 to 255 bytes`);
    }
    bytes.push(name.length, ...name);
  }
  return new Uint8Array(bytes);
}
