import type { SocketAddress } from "./address.ts";
import { assertTimeout, attempt, DEFAULT_CONNECT_TIMEOUT_MS } from "./attempt.ts";
import { systemClock } from "./clock.ts";
import { connectionError, unsupported } from "./errors.ts";
import { ReadingHalf } from "./reading_half.ts";
import type { Socket, StartTlsOptions } from "./socket.ts";
import type { RoomWaiter, SocketDriver } from "./socket_driver.ts";
import type { ConnectionEnd, DetachedSocket, DetachOptions, SocketFacts } from "./socket_facts.ts";
import { SocketLife } from "./socket_life.ts";
import type { SocketState } from "./socket_state.ts";
import { readableOf, writableOf } from "./socket_streams.ts";
import { WritingHalf } from "./writing_half.ts";

/** Make a socket of an adapter's driver. */
export function createSocket(driver: SocketDriver, facts: SocketFacts): Socket {
  return new DrivenSocket(driver, facts);
}

/**
 * Take the connection out of a socket, which is `gone` from that moment. A watch ends with it; what
 * it has found, or will find, goes to the next owner.
 *
 * @throws {JackfieldError} `SOCKET_BUSY` while a read or write is pending, `SOCKET_CLOSED` or
 * `SOCKET_GONE` when there is nothing to take, `UNSUPPORTED` for a socket made elsewhere.
 */
export function detachSocket(socket: Socket, options: DetachOptions = {}): DetachedSocket {
  if (socket instanceof DrivenSocket) return DrivenSocket.detach(socket, options);
  throw unsupported("detachSocket", "the socket was not made by a transport of this package");
}

/**
 * Be told, once, when the connection of a socket has ended, also when it goes on in other sockets, here
 * or at another owner.
 */
export function followConnection(socket: Socket, told: (how: ConnectionEnd) => void): void {
  if (socket instanceof DrivenSocket) return DrivenSocket.follow(socket, told);
  const over = (): void => told(socket.state === "gone" ? "left" : "closed");
  socket.closed.then(over, over);
}

/**
 * The runtime's own object behind a socket, for who borrows its descriptor while he has the socket;
 * `undefined` where none may be borrowed, as with TLS, and once the socket is over.
 */
export function connectionOf(socket: Socket): unknown {
  return socket instanceof DrivenSocket ? DrivenSocket.connectionOf(socket) : undefined;
}

/** The most that one write can take, for who would read more from a file in vain. */
export function maxWriteBytesOf(socket: Socket): number {
  return socket instanceof DrivenSocket ? DrivenSocket.maxWriteBytesOf(socket) : Infinity;
}

/**
 * After a `writeSome` that took less than it was given: tell `told` when the kernel may take bytes
 * again. Who waits so holds no bytes. `false` where the runtime does not tell: a write of few bytes
 * waits then.
 */
export function waitForRoom(socket: Socket, told: RoomWaiter): boolean {
  return socket instanceof DrivenSocket && DrivenSocket.waitForRoom(socket, told);
}

/** What users hold: two halves and the life they share. */
class DrivenSocket implements Socket {
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  #life: SocketLife;
  #reads: ReadingHalf;
  #writes: WritingHalf;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  constructor(driver: SocketDriver, facts: SocketFacts) {
    this.localAddress = facts.localAddress;
    this.remoteAddress = facts.remoteAddress;
    this.#life = new SocketLife(driver, facts);
    this.#reads = new ReadingHalf(this.#life);
    this.#writes = new WritingHalf(this.#life);
    driver.watch?.(this.#reads);
  }

  get state(): SocketState {
    return this.#life.state;
  }

  get closed(): Promise<void> {
    return this.#life.closed;
  }

  get hasUnread(): boolean {
    return this.#reads.hasUnread;
  }

  get isAtRest(): boolean {
    return this.#life.state === "open" && this.#reads.isAtRest && !this.#life.writes.taken;
  }

  get isBusy(): boolean {
    return this.#reads.isPending || this.#life.writes.taken;
  }

  get alpnProtocol(): string | undefined {
    return this.#life.driver.alpnProtocol;
  }

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= readableOf(this);
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= writableOf(this);
  }

  watch(told: (() => void) | undefined): void {
    this.#reads.watch(told);
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#reads.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#writes.write(bytes);
  }

  writeSome(bytes: Uint8Array): Promise<number> {
    return this.#writes.writeSome(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#writes.end();
  }

  close(): Promise<void> {
    this.#reads.watch(undefined); // A closed socket must not keep who watched it.
    return this.#life.close();
  }

  abort(
    reason: unknown = this.#life.error("SOCKET_ABORTED", "use", "it was aborted"),
  ): void {
    this.#reads.watch(undefined);
    this.#life.abort(reason);
  }

  async startTls(options: StartTlsOptions = {}): Promise<Socket> {
    const { signal, timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = options;
    const life = this.#life;
    if (life.refusal !== undefined) throw life.refusal();
    if (life.driver.startTls === undefined) {
      throw unsupported("startTls", "this kind of socket cannot be secured later");
    }
    if (this.#reads.unread !== undefined) {
      const failure = life.error("SOCKET_FAILED", "secure", "bytes arrived before the handshake");
      this.abort(failure);
      throw failure;
    }
    if (life.driver.isLookingAhead === true) {
      throw life.error("SOCKET_BUSY", "secure", "its watch waits for bytes and cannot be stopped");
    }
    // What `attempt` would refuse, while the connection still has an owner.
    assertTimeout(timeoutMs);
    if (signal?.aborted) {
      this.abort(signal.reason);
      throw signal.reason;
    }
    const { driver, ...facts } = DrivenSocket.detach(this, { follow: true });
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
          facts.onEnd?.("closed");
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

  /** See {@linkcode connectionOf}. */
  static connectionOf(socket: DrivenSocket): unknown {
    const { driver, state } = socket.#life;
    const isOpen = state === "open" || state === "half-closed";
    return isOpen ? driver.lendable ?? driver.connection : undefined;
  }

  /** See {@linkcode maxWriteBytesOf}. */
  static maxWriteBytesOf(socket: DrivenSocket): number {
    return socket.#life.driver.maxWriteBytes ?? Infinity;
  }

  /** See {@linkcode waitForRoom}. */
  static waitForRoom(socket: DrivenSocket, told: RoomWaiter): boolean {
    return socket.#writes.waitForRoom(told);
  }

  /** See {@linkcode detachSocket}. */
  static detach(
    socket: DrivenSocket,
    { whileWriting = false, whileReading = false, follow = false, check }: DetachOptions = {},
  ): DetachedSocket {
    const life = socket.#life;
    if (life.refusal !== undefined) throw life.refusal();
    if (life.state === "closed") {
      throw life.error("SOCKET_CLOSED", "hand off", "it is closed");
    }
    const { driver } = life;
    const mayRead = whileReading && driver.stopReading !== undefined;
    if ((socket.#reads.isPending && !mayRead) || (life.writes.taken && !whileWriting)) {
      const what = whileWriting ? "a read" : "a read or write";
      throw life.error("SOCKET_BUSY", "hand off", `${what} is pending`);
    }
    check?.(driver);
    const stopped = socket.#reads.stop();
    // Writes that were called before are ahead of this turn; nobody comes after it.
    const writing = life.writes.taken ? life.written() : undefined;
    const detached: DetachedSocket = {
      ...life.facts,
      driver,
      unread: socket.#reads.unread,
      ended: { read: life.readEnded, write: life.writeEnded },
      writing,
      onEnd: follow ? life.onEnd : undefined,
    };
    socket.#reads.watch(undefined);
    life.handOver(follow);
    stopped?.(life.refusal!());
    return detached;
  }

  /** See {@linkcode followConnection}. */
  static follow(socket: DrivenSocket, told: (how: ConnectionEnd) => void): void {
    const life = socket.#life;
    if (life.isOver) return queueMicrotask(() => told(life.state === "gone" ? "left" : "closed"));
    const { onEnd } = life;
    life.onEnd = onEnd === undefined ? told : (how) => {
      onEnd(how);
      told(how);
    };
  }
}
