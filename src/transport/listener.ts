import { formatAddress, type SocketAddress } from "./address.ts";
import { type Clock, systemClock } from "./clock.ts";
import { JackfieldError, osCodeOf, unsupported } from "./errors.ts";
import type { Socket } from "./socket.ts";

/** Where accepted connections come from. */
export interface Listener extends AsyncIterable<Socket>, Disposable, AsyncDisposable {
  /** What the kernel bound; the first one when a host name stands for several. */
  readonly address: SocketAddress;
  /** Everything that was bound. */
  readonly addresses: readonly SocketAddress[];
  /**
   * The next connection. A client that is gone before it is accepted, and a moment without file
   * descriptors, are reported to `onError` and survived.
   *
   * @throws {JackfieldError} `LISTENER_CLOSED` once the listener is closed.
   */
  accept(): Promise<Socket>;
  /** Stop listening; connections that nobody accepted are closed. Idempotent. */
  close(): Promise<void>;
  /** Keep the program alive while listening; this is the default. */
  ref(): void;
  /** Let the program end although it listens. */
  unref(): void;
}

/** What an adapter brings for one listening socket. */
export interface ListenerDriver {
  /** What the kernel bound. */
  readonly address: SocketAddress;
  /** The next connection; rejects when one failed, and when the driver is closed. */
  accept(): Promise<Socket>;
  /** Stop listening; a pending `accept` rejects. */
  close(): void | Promise<void>;
  /** See {@linkcode Listener.ref}. */
  ref(): void;
  /** See {@linkcode Listener.unref}. */
  unref(): void;
  /** See {@linkcode boundListener}; left out where nothing is accepted unasked. */
  bound?(maxPending: number): Promise<void>;
  /** Whether it can `pause`. */
  readonly canPause?: boolean;
  /** See {@linkcode pauseListener}; to be called where `canPause` says so. */
  pause?(): Promise<readonly Socket[]>;
  /** See {@linkcode resumeListener}. */
  resume?(): void;
  /** Make a copy that can be sent to another process; left out where there can be none. */
  copy?(): Promise<ListenerCopy>;
}

/** A copy of a listening socket: both listen on the same one, and each connection goes to one of them. */
export interface ListenerCopy {
  /** The runtime's own object, for who can make it travel. */
  readonly handle: unknown;
  /** What each connection is made with. */
  readonly options: { readonly noDelay: boolean; readonly keepAlive: boolean };
  /** It has been sent, or will not be: here nothing is left of it. */
  drop(): void;
}

/** Told of failures that nobody waits for. */
export type OnError = (error: unknown, context: { readonly stage: string }) => void;

/** Options of {@linkcode createListener}. */
export interface CreateListenerOptions {
  /** Told of every failed accept. */
  readonly onError?: OnError;
  /** Times the pauses after failures. @default {systemClock} */
  readonly clock?: Clock;
}

/** The first and the longest pause after failed accepts, in milliseconds. */
const PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 1000;

/** Failures that concern one client only: the next accept can follow at once. */
const CLIENT_IS_GONE = new Set(["ECONNABORTED", "ECONNRESET", "ENOTCONN", "EPROTO"]);

/** Make a listener of one driver, or of several that are one to the caller. */
export function createListener(
  drivers: readonly [ListenerDriver, ...ListenerDriver[]],
  options: CreateListenerOptions = {},
): Listener {
  return new DrivenListener(drivers, options);
}

/**
 * Copies of everything that a listener listens on, for another process; the listener goes on.
 *
 * @throws {JackfieldError} `LISTENER_CLOSED`, or `UNSUPPORTED` for one that cannot leave its process.
 */
export function copyListener(listener: Listener): Promise<readonly ListenerCopy[]> {
  if (listener instanceof DrivenListener) return DrivenListener.copy(listener);
  return Promise.reject(
    unsupported("copyListener", "the listener was not made by a transport of this package"),
  );
}

/**
 * Say how many connections may wait for `accept` of a listener that came from another process; see
 * `ListenOptions.maxPending`.
 */
export async function boundListener(listener: Listener, maxPending: number): Promise<void> {
  if (listener instanceof DrivenListener) await DrivenListener.bound(listener, maxPending);
}

/**
 * Accept nothing until {@linkcode resumeListener}: what comes waits in the kernel, or goes to another
 * process that has a copy. Resolves to what was accepted and nobody has taken; to be called again
 * after a listener that pauses was copied.
 *
 * @throws {JackfieldError} `UNSUPPORTED` where accepting cannot stop.
 */
export async function pauseListener(listener: Listener): Promise<readonly Socket[]> {
  if (listener instanceof DrivenListener) return await DrivenListener.pause(listener);
  throw unsupported("pauseListener", "the listener was not made by a transport of this package");
}

/** Whether {@linkcode pauseListener} can stop this one. */
export function canPauseListener(listener: Listener): boolean {
  return listener instanceof DrivenListener && DrivenListener.canPause(listener);
}

/** Accept again. */
export function resumeListener(listener: Listener): void {
  if (listener instanceof DrivenListener) DrivenListener.resume(listener);
}

interface Waiter {
  resolve(socket: Socket): void;
  reject(error: unknown): void;
}

class DrivenListener implements Listener {
  readonly address: SocketAddress;
  readonly addresses: readonly SocketAddress[];
  #drivers: readonly ListenerDriver[];
  /**
   * Whether each driver has an accept on the way. Not a Set: one that changes all the time leaves a
   * chain of old tables, which keeps what it was used for from being collected young (V8).
   */
  #asked: boolean[];
  #onError: OnError | undefined;
  #clock: Clock;
  #waiters: Waiter[] = [];
  /** Connections that arrived through a second driver while nobody waited; at most one each. */
  #arrived: Socket[] = [];
  #failures = 0;
  #cancelPause: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    drivers: readonly [ListenerDriver, ...ListenerDriver[]],
    { onError, clock = systemClock }: CreateListenerOptions,
  ) {
    this.#drivers = drivers;
    this.#asked = drivers.map(() => false);
    this.#onError = onError;
    this.#clock = clock;
    this.address = drivers[0].address;
    this.addresses = drivers.map((driver) => driver.address);
  }

  accept(): Promise<Socket> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#ask();
    });
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Socket> {
    while (this.#closing === undefined) {
      let socket: Socket;
      try {
        socket = await this.accept();
      } catch (error) {
        if (this.#closing !== undefined) return;
        throw error;
      }
      yield socket;
    }
  }

  close(): Promise<void> {
    return this.#closing ??= this.#shut();
  }

  ref(): void {
    for (const driver of this.#drivers) driver.ref();
  }

  unref(): void {
    for (const driver of this.#drivers) driver.unref();
  }

  [Symbol.dispose](): void {
    void this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Have an accept on the way at every driver, as long as somebody waits. */
  #ask(): void {
    if (this.#waiters.length === 0 || this.#cancelPause !== undefined) return;
    for (const [index, driver] of this.#drivers.entries()) {
      if (this.#asked[index]) continue;
      this.#asked[index] = true;
      driver.accept().then((socket) => this.#accepted(index, socket), (error) => {
        this.#asked[index] = false;
        if (this.#closing === undefined) this.#failed(error);
      });
    }
  }

  #accepted(index: number, socket: Socket): void {
    this.#asked[index] = false;
    this.#failures = 0;
    if (this.#closing !== undefined) return socket.abort();
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#arrived.push(socket);
    else waiter.resolve(socket);
    this.#ask();
  }

  #failed(error: unknown): void {
    try {
      this.#onError?.(error, { stage: "accept" });
    } catch {
      // A listener must outlive the callback that watches it.
    }
    this.#failures++;
    const code = osCodeOf(error);
    if (code !== undefined && CLIENT_IS_GONE.has(code)) return this.#ask();
    // Without a pause a lack of descriptors would spin: the connection stays in the backlog.
    const pauseMs = Math.min(PAUSE_MS * 2 ** Math.min(this.#failures - 1, 10), LONGEST_PAUSE_MS);
    this.#cancelPause?.();
    this.#cancelPause = this.#clock.schedule(pauseMs, () => {
      this.#cancelPause = undefined;
      this.#ask();
    });
  }

  async #shut(): Promise<void> {
    this.#cancelPause?.();
    const closed = this.#closedError();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(closed);
    for (const socket of this.#arrived.splice(0)) socket.abort();
    await Promise.all(this.#drivers.map((driver) => driver.close()));
  }

  /** See {@linkcode boundListener}. */
  static async bound(listener: DrivenListener, maxPending: number): Promise<void> {
    await Promise.all(listener.#drivers.map((driver) => driver.bound?.(maxPending)));
  }

  /** See {@linkcode canPauseListener}. */
  static canPause(listener: DrivenListener): boolean {
    return listener.#drivers.every((driver) => driver.canPause === true);
  }

  /** See {@linkcode pauseListener}. */
  static async pause(listener: DrivenListener): Promise<readonly Socket[]> {
    if (!DrivenListener.canPause(listener)) {
      throw unsupported("pauseListener", "the runtime cannot stop accepting on this listener");
    }
    const waiting = await Promise.all(listener.#drivers.map((driver) => driver.pause!()));
    return [...listener.#arrived.splice(0), ...waiting.flat()];
  }

  /** See {@linkcode resumeListener}. */
  static resume(listener: DrivenListener): void {
    for (const driver of listener.#drivers) driver.resume?.();
  }

  /** See {@linkcode copyListener}. */
  static async copy(listener: DrivenListener): Promise<readonly ListenerCopy[]> {
    if (listener.#closing !== undefined) throw listener.#closedError();
    const copies: ListenerCopy[] = [];
    try {
      for (const driver of listener.#drivers) {
        if (driver.copy === undefined) {
          const reason = "the listener has TLS, or was not made to be `transferable`";
          throw unsupported("listener in another process", reason);
        }
        copies.push(await driver.copy());
      }
      return copies;
    } catch (error) {
      for (const copy of copies) copy.drop();
      throw error;
    }
  }

  #closedError(): JackfieldError {
    const message = `Cannot accept on ${formatAddress(this.address)}: listener is closed`;
    return new JackfieldError("LISTENER_CLOSED", message, {
      operation: "accept",
      address: this.address,
    });
  }
}
