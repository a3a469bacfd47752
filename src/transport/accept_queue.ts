import { formatAddress, type SocketAddress } from "./address.ts";
import { JackfieldError } from "./errors.ts";
import type { Socket } from "./socket.ts";

/** How many accepted connections may wait for `accept` where a runtime cannot stop accepting. */
export const DEFAULT_MAX_PENDING = 4096;

/** Stops a runtime that accepts unasked; what comes meanwhile waits in the kernel. */
export interface AcceptGate {
  /** Accept no more. A few may still come: what the runtime took in this turn of its loop. */
  stop(): void;
  /** Accept again; what it throws is told to who waits, and the next one tries again. */
  start(): void;
}

interface Waiter {
  resolve(socket: Socket): void;
  reject(error: unknown): void;
}

/**
 * Holds connections that a runtime accepted unasked until somebody calls `accept`.
 *
 * When `maxPending` wait, accepting stops until all of them are taken. Without a gate it goes on:
 * then what comes beyond is reset, and the next `accept` rejects once with the reason, so that the
 * listener reports it.
 */
export class AcceptQueue {
  #address: SocketAddress;
  #maxPending: number;
  #gate: AcceptGate | undefined;
  #isStopped = false;
  #isPaused = false;
  #sockets: Socket[] = [];
  #waiters: Waiter[] = [];
  #errors: unknown[] = [];
  /** Connections that are not ready yet, such as those in their TLS handshake. */
  #unready = 0;
  #closed = false;

  /** `address` stands in the error for what is refused. */
  constructor(
    address: SocketAddress,
    maxPending: number = DEFAULT_MAX_PENDING,
    { gate }: { readonly gate?: AcceptGate | undefined } = {},
  ) {
    if (!(maxPending >= 1)) {
      throw new RangeError(`Cannot use maxPending "${maxPending}": expected at least 1`);
    }
    this.#address = address;
    this.#maxPending = maxPending;
    this.#gate = gate;
  }

  /** Say anew how many may wait, and how accepting stops. */
  bound(maxPending: number, gate: AcceptGate | undefined): void {
    this.#maxPending = maxPending;
    this.#gate = gate;
  }

  /** Stop until `resume`, whoever waits; what has come already is given by `takeWaiting`. */
  pause(): void {
    this.#isPaused = true;
    this.#stop();
  }

  /** Accept again. */
  resume(): void {
    this.#isPaused = false;
    if (this.#waiters.length > 0) this.#startIfEmpty();
  }

  /** Accept in any case: a listener that has stopped cannot be copied. */
  start(): void {
    if (this.#isStopped) this.#gate!.start();
    this.#isStopped = false;
  }

  /** What has come and nobody has taken. */
  takeWaiting(): readonly Socket[] {
    return this.#sockets.splice(0);
  }

  /** A connection has come that will be pushed, or fail, later: it counts until `ready`. */
  expect(): void {
    this.#unready++;
    this.#stopIfFull();
  }

  /** One that was expected is about to be pushed, or has failed. */
  ready(): void {
    this.#unready--;
    if (this.#waiters.length > 0) this.#startIfEmpty();
  }

  /** A connection has come. */
  push(socket: Socket): void {
    if (this.#closed) return socket.abort();
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) return waiter.resolve(socket);
    if (this.#gate !== undefined || this.#sockets.length < this.#maxPending) {
      this.#sockets.push(socket);
      this.#stopIfFull();
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
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#startIfEmpty();
    });
  }

  /** Reset what waits and reject who waits. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets.splice(0)) socket.abort();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error("closed"));
  }

  #stopIfFull(): void {
    if (this.#sockets.length + this.#unready >= this.#maxPending) this.#stop();
  }

  #stop(): void {
    if (this.#isStopped || this.#gate === undefined) return;
    this.#isStopped = true;
    this.#gate.stop();
  }

  #startIfEmpty(): void {
    if (!this.#isStopped || this.#isPaused || this.#closed) return;
    if (this.#unready >= this.#maxPending) return;
    try {
      this.start();
    } catch (error) {
      this.fail(error);
    }
  }
}
