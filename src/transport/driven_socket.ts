import type { SocketAddress } from "./address.ts";
import { assertTimeout, attempt, DEFAULT_CONNECT_TIMEOUT_MS } from "./attempt.ts";
import { systemClock } from "./clock.ts";
import {
  connectionError,
  type JackfieldError,
  socketError,
  type SocketStateCode,
  socketStateError,
  unsupported,
} from "./errors.ts";
import type { Socket, StartTlsOptions } from "./socket.ts";
import type { ReadWaiter, SocketDriver } from "./socket_driver.ts";
import { type DetachedSocket, NO_DRIVER, type SocketFacts } from "./socket_facts.ts";
import { moveSocket, type SocketEvent, type SocketState } from "./socket_state.ts";
import { readableOf, writableOf } from "./socket_streams.ts";
import { Turns } from "./turns.ts";

/** How long `close` waits for pending writes. */
const DRAIN_MS = 30_000;

/** Make a socket of an adapter's driver. */
export function createSocket(driver: SocketDriver, facts: SocketFacts): Socket {
  return new DrivenSocket(driver, facts);
}

/**
 * Take the connection out of a socket, which is `gone` from that moment.
 *
 * @throws {JackfieldError} `SOCKET_BUSY` while a read or write is pending, `SOCKET_CLOSED` or
 * `SOCKET_GONE` when there is nothing to take, `UNSUPPORTED` for a socket made elsewhere.
 */
export function detachSocket(socket: Socket): DetachedSocket {
  if (socket instanceof DrivenSocket) return DrivenSocket.detach(socket);
  throw unsupported("detachSocket", "the socket was not made by a transport of this package");
}

class DrivenSocket implements Socket {
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  #facts: SocketFacts;
  #driver: SocketDriver;
  #state: SocketState = "connecting";
  #reading = false;
  /** Who waits for a read that the driver tells `#later` of. */
  #reader: PromiseWithResolvers<number | null> | undefined;
  #writes = new Turns();
  /** What the driver was given and has not taken yet. */
  #writing: Uint8Array | undefined;
  #readEnded: boolean;
  #writeEnded: boolean;
  #unread: Uint8Array | undefined;
  #closing: Promise<void> | undefined;
  /**
   * Set by close, abort and detach: makes what every later call rejects with. Most sockets are closed
   * and never asked again, and an error with its stack costs more than the rest of a close.
   */
  #refusal: (() => unknown) | undefined;
  /** Set when writing broke; reading may go on, for an answer may already be here. */
  #writeFailure: unknown;
  /** Made when somebody asks: most sockets are closed without that. */
  #closed: PromiseWithResolvers<void> | undefined;
  #outcome: { readonly failure?: unknown } | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  constructor(driver: SocketDriver, facts: SocketFacts) {
    this.#driver = driver;
    this.#facts = facts;
    this.localAddress = facts.localAddress;
    this.remoteAddress = facts.remoteAddress;
    this.#unread = facts.unread;
    this.#readEnded = facts.ended?.read ?? false;
    this.#writeEnded = facts.ended?.write ?? false;
    this.#move("opened");
    if (this.#readEnded || this.#writeEnded) this.#move("halved");
    driver.watch?.((error) => this.#gone(error));
  }

  get state(): SocketState {
    return this.#state;
  }

  get closed(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers<void>();
      this.#closed.promise.catch(() => {}); // Nobody has to look at it.
      if (this.#outcome !== undefined) this.#end(this.#outcome);
    }
    return this.#closed.promise;
  }

  get hasUnread(): boolean {
    return this.#unread !== undefined || this.#driver.hasUnread === true;
  }

  get alpnProtocol(): string | undefined {
    return this.#driver.alpnProtocol;
  }

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  // `read` and `write` are no async functions, and one that can answer at once does not await: with
  // small messages every promise more is several percent of the round trip.
  read(into: Uint8Array): Promise<number | null> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal());
    if (this.#reading) {
      return Promise.reject(this.#error("SOCKET_BUSY", "read", "another read is pending"));
    }
    if (this.#unread !== undefined) return Promise.resolve(this.#takeUnread(into));
    if (this.#readEnded) return Promise.resolve(null);
    if (into.byteLength === 0) return Promise.resolve(0);
    this.#reading = true;
    try {
      const result = this.#driver.read(into, this.#later);
      if (result === undefined) {
        this.#reader = Promise.withResolvers();
        return this.#reader.promise;
      }
      if (typeof result === "object" && result !== null) {
        return result.then(this.#onRead, this.#onReadFailure);
      }
      return Promise.resolve(this.#onRead(result));
    } catch (cause) {
      return Promise.reject(this.#failRead(cause));
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal());
    if (this.#writeFailure !== undefined) return Promise.reject(this.#writeFailure);
    if (this.#writeEnded) {
      return Promise.reject(this.#error("SOCKET_CLOSED", "write", "its write side is closed"));
    }
    const turn = this.#writes.take();
    if (turn !== undefined) return this.#send(bytes, 0, turn);
    try {
      const result = bytes.byteLength === 0 ? 0 : this.#driver.write(bytes);
      if (typeof result === "object") {
        this.#writing = bytes;
        return result.then(this.#onWritten, this.#onWriteFailure);
      }
      if (result < bytes.byteLength) return this.#send(bytes, result);
    } catch (cause) {
      const failure = this.#failWrite(cause);
      this.#writes.pass();
      return Promise.reject(failure);
    }
    this.#writes.pass();
    return Promise.resolve(bytes.byteLength);
  }

  async closeWrite(): Promise<void> {
    if (this.#refusal !== undefined) throw this.#refusal();
    if (this.#writeEnded) return;
    this.#writeEnded = true; // Writes that are called from now on are refused.
    const turn = this.#writes.take();
    if (turn !== undefined) await turn;
    try {
      if (this.#writeFailure !== undefined) throw this.#writeFailure;
      await this.#driver.closeWrite();
      this.#endHalf("write");
    } catch (cause) {
      throw this.#failWrite(cause);
    } finally {
      this.#writes.pass();
    }
  }

  close(): Promise<void> {
    return this.#closing ??= this.#drainAndClose();
  }

  abort(
    reason: unknown = this.#error("SOCKET_ABORTED", "use", "it was aborted"),
  ): void {
    if (this.#isOver()) return;
    this.#refusal = () => reason;
    this.#break(reason);
  }

  async startTls(options: StartTlsOptions = {}): Promise<Socket> {
    const { signal, timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = options;
    if (this.#refusal !== undefined) throw this.#refusal();
    if (this.#driver.startTls === undefined) {
      throw unsupported("startTls", "this kind of socket cannot be secured later");
    }
    if (this.#unread !== undefined) {
      const failure = this.#error("SOCKET_FAILED", "secure", "bytes arrived before the handshake");
      this.abort(failure);
      throw failure;
    }
    // What `attempt` would refuse, while the connection still has an owner.
    assertTimeout(timeoutMs);
    if (signal?.aborted) {
      this.abort(signal.reason);
      throw signal.reason;
    }
    const { driver, ...facts } = DrivenSocket.detach(this);
    const serverName = options.serverName ?? facts.targetName ?? facts.remoteAddress.hostname;
    return await attempt({
      clock: facts.clock ?? systemClock,
      address: facts.remoteAddress,
      signal,
      timeoutMs,
      start: async (stop) => {
        stop.onStop(() => driver.abort());
        try {
          return createSocket(await driver.startTls!({ ...options, serverName }), facts);
        } catch (cause) {
          driver.abort();
          throw connectionError("connect", facts.remoteAddress, cause, { reason: "tls" });
        }
      },
      undo: (socket) => socket.abort(),
    });
  }

  [Symbol.dispose](): void {
    void this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** See {@linkcode detachSocket}. */
  static detach(socket: DrivenSocket): DetachedSocket {
    if (socket.#refusal !== undefined) throw socket.#refusal();
    if (socket.#state === "closed") {
      throw socket.#error("SOCKET_CLOSED", "hand off", "it is closed");
    }
    if (socket.#reading || socket.#writes.taken) {
      throw socket.#error("SOCKET_BUSY", "hand off", "a read or write is pending");
    }
    const detached: DetachedSocket = {
      ...socket.#facts,
      driver: socket.#driver,
      unread: socket.#unread,
      ended: { read: socket.#readEnded, write: socket.#writeEnded },
    };
    socket.#refusal = () => socket.#error("SOCKET_GONE", "use", "it was handed to another owner");
    socket.#move("handed");
    socket.#end({});
    return detached;
  }

  #onRead = (count: number | null): number | null => {
    this.#reading = false;
    if (this.#refusal !== undefined) throw this.#refusal();
    if (count === null) this.#endHalf("read");
    return count;
  };

  #later: ReadWaiter = {
    resolve: (count) => {
      const reader = this.#reader!;
      this.#reader = undefined;
      this.#reading = false;
      if (this.#refusal !== undefined) return reader.reject(this.#refusal());
      if (count === null) this.#endHalf("read");
      reader.resolve(count);
    },
    reject: (cause) => {
      const reader = this.#reader!;
      this.#reader = undefined;
      reader.reject(this.#failRead(cause));
    },
  };

  #onReadFailure = (cause: unknown): never => {
    throw this.#failRead(cause);
  };

  #failRead(cause: unknown): unknown {
    this.#reading = false;
    if (this.#refusal !== undefined) return this.#refusal();
    const failure = socketError("read", this.remoteAddress, cause);
    this.#refusal = () => failure;
    this.#break(failure);
    return failure;
  }

  /** The first part of a write has been taken; most often it is the whole. */
  #onWritten = (count: number): number | Promise<number> => {
    const bytes = this.#writing!;
    this.#writing = undefined;
    if (count < bytes.byteLength) return this.#send(bytes, count);
    this.#writes.pass();
    return count;
  };

  #onWriteFailure = (cause: unknown): never => {
    this.#writing = undefined;
    const failure = this.#failWrite(cause);
    this.#writes.pass();
    throw failure;
  };

  /** Send what is left, once this write has its turn. */
  async #send(bytes: Uint8Array, sent: number, turn?: Promise<void>): Promise<number> {
    if (turn !== undefined) await turn;
    try {
      while (sent < bytes.byteLength) {
        if (this.#writeFailure !== undefined) throw this.#writeFailure;
        const result = this.#driver.write(sent === 0 ? bytes : bytes.subarray(sent));
        sent += typeof result === "number" ? result : await result;
      }
      return sent;
    } catch (cause) {
      throw this.#failWrite(cause);
    } finally {
      this.#writes.pass();
    }
  }

  #move(event: SocketEvent): void {
    this.#state = moveSocket(this.#state, event);
  }

  #error(code: SocketStateCode, operation: string, why: string): JackfieldError {
    return socketStateError(code, operation, this.remoteAddress, why);
  }

  #takeUnread(into: Uint8Array): number {
    const unread = this.#unread!;
    const count = Math.min(unread.byteLength, into.byteLength);
    into.set(count === unread.byteLength ? unread : unread.subarray(0, count));
    this.#unread = count === unread.byteLength ? undefined : unread.subarray(count);
    return count;
  }

  #endHalf(half: "read" | "write"): void {
    if (half === "read") this.#readEnded = true;
    if (this.#state === "open") this.#move("halved");
    else if (this.#state === "half-closed" && this.#readEnded && this.#writeEnded) {
      void this.close();
    }
  }

  async #drainAndClose(): Promise<void> {
    if (this.#isOver()) return;
    this.#move("closing");
    this.#refusal = () => this.#error("SOCKET_CLOSED", "use", "it is closed");
    let cancel: (() => void) | undefined; // Without a wait no timer is made.
    try {
      const turn = this.#writes.take(); // After the writes that came first.
      if (turn !== undefined) {
        cancel = this.#limitDrain();
        await turn;
      }
      this.#writes.pass();
      const closing = this.#isOver() ? undefined : this.#driver.close();
      if (closing !== undefined) {
        cancel ??= this.#limitDrain();
        await closing;
      }
    } catch {
      this.#driver.abort(); // Nothing more can be done for the peer; the descriptor must go back.
    } finally {
      cancel?.();
    }
    if (this.#isOver()) return; // Aborted meanwhile.
    this.#move("closed");
    this.#end({});
    this.#dropDriver();
  }

  /** What `closed` says; with a failure it rejects. */
  #end(outcome: { readonly failure?: unknown }): void {
    this.#outcome = outcome;
    if ("failure" in outcome) this.#closed?.reject(outcome.failure);
    else this.#closed?.resolve();
  }

  /**
   * A closed socket keeps nothing of the runtime's: somebody may hold on to it, and in Node a young
   * collection under a load of short connections took 7 ms instead of 0.3 with all that behind them.
   */
  #dropDriver(): void {
    const { alpnProtocol } = this.#driver;
    this.#driver = alpnProtocol === undefined ? NO_DRIVER : { ...NO_DRIVER, alpnProtocol };
  }

  #isOver(): boolean {
    return this.#state === "closed" || this.#state === "gone";
  }

  /** A peer that takes nothing more must not keep the descriptor. */
  #limitDrain(): () => void {
    const why = `it did not drain within ${DRAIN_MS} ms`;
    return (this.#facts.clock ?? systemClock).schedule(DRAIN_MS, () => {
      this.abort(this.#error("SOCKET_ABORTED", "close", why));
    });
  }

  /** The end of everything: the descriptor goes back now. */
  #break(reason: unknown): void {
    if (this.#isOver()) return;
    this.#move("closed");
    this.#writeFailure ??= reason;
    this.#driver.abort();
    this.#end({ failure: reason });
    this.#dropDriver();
  }

  #failWrite(cause: unknown): unknown {
    if (this.#state === "closed" && this.#refusal !== undefined) return this.#refusal();
    const failure = this.#writeFailure ??= socketError("write", this.remoteAddress, cause);
    this.#writeEnded = true;
    this.#endHalf("write");
    return failure;
  }

  /** The runtime says, unasked, that the connection has ended. */
  #gone(cause: unknown): void {
    // While closing, `close` says how it ended; after a handoff somebody else listens.
    if (this.#isOver() || this.#state === "closing") return;
    this.#move("closed");
    if (cause === undefined) {
      this.#writeEnded = true;
      this.#end({});
    } else {
      const failure = socketError("use", this.remoteAddress, cause);
      this.#writeFailure ??= failure;
      this.#end({ failure });
    }
  }
}
