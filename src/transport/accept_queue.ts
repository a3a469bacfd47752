import { formatAddress, type SocketAddress } from "./address.ts";
import { JackfieldError } from "./errors.ts";
import type { Socket } from "./socket.ts";

/** How many accepted connections may wait for `accept` where a runtime cannot stop accepting. */
export const DEFAULT_MAX_PENDING = 4096;

interface Waiter {
  resolve(socket: Socket): void;
  reject(error: unknown): void;
}

/**
 * Holds connections that a runtime accepted unasked until somebody calls `accept`.
 *
 * At most `maxPending` wait; what comes beyond is reset, and the next `accept` rejects once with
 * the reason, so that the listener reports it.
 */
export class AcceptQueue {
  #address: SocketAddress;
  #maxPending: number;
  #sockets: Socket[] = [];
  #waiters: Waiter[] = [];
  #errors: unknown[] = [];
  #closed = false;

  /** `address` stands in the error for what is refused. */
  constructor(address: SocketAddress, maxPending: number = DEFAULT_MAX_PENDING) {
    if (!(maxPending >= 1)) {
      throw new RangeError(`Cannot use maxPending "${maxPending}": expected at least 1`);
    }
    this.#address = address;
    this.#maxPending = maxPending;
  }

  /** A connection has come. */
  push(socket: Socket): void {
    if (this.#closed) return socket.abort();
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) return waiter.resolve(socket);
    if (this.#sockets.length < this.#maxPending) {
      this.#sockets.push(socket);
      return;
    }
    const message = `Cannot accept on ${formatAddress(this.#address)}: ` +
      `${this.#maxPending} connections already wait, accept faster or raise maxPending`;
    const error = new JackfieldError("SOCKET_ABORTED", message, {
      operation: "accept",
      limit: this.#maxPending,
    });
    socket.abort(error);
    this.fail(error);
  }

  /** An accept has failed; at most as many failures are kept as connections. */
  fail(error: unknown): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) waiter.reject(error);
    else if (this.#errors.length < 16) this.#errors.push(error);
  }

  /** The next connection or failure. */
  take(): Promise<Socket> {
    const error = this.#errors.shift();
    if (error !== undefined) return Promise.reject(error);
    const socket = this.#sockets.shift();
    if (socket !== undefined) return Promise.resolve(socket);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Reset what waits and reject who waits. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets.splice(0)) socket.abort();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error("closed"));
  }
}
