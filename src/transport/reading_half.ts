import type { DriverWatcher, ReadWaiter } from "./socket_driver.ts";
import type { SocketLife } from "./socket_life.ts";

/**
 * The incoming direction of a socket: one read at a time, and between reads the watch.
 *
 * It is what the driver tells: of a read that it answers later, and of what nobody asked for.
 */
export class ReadingHalf implements ReadWaiter, DriverWatcher {
  #life: SocketLife;
  #pending = false;
  /** Who waits for a read that the driver tells later of. */
  #reader: PromiseWithResolvers<number | null> | undefined;
  #unread: Uint8Array | undefined;
  /** Who watches. Most bytes come while nobody does. */
  #told: (() => void) | undefined;

  /** Starts with the bytes that came along. */
  constructor(life: SocketLife) {
    this.#life = life;
    this.#unread = life.facts.unread;
  }

  /** Whether a read is pending. */
  get isPending(): boolean {
    return this.#pending;
  }

  /** Bytes that came along and were not read. */
  get unread(): Uint8Array | undefined {
    return this.#unread;
  }

  /** Whether nobody reads, and there is nothing to read that is known of. */
  get isAtRest(): boolean {
    return !this.#pending && this.#unread === undefined && this.#life.driver.hasUnread !== true;
  }

  /** See {@linkcode Socket.hasUnread}. */
  get hasUnread(): boolean {
    return this.#unread !== undefined || this.#life.driver.hasUnread === true;
  }

  /** See {@linkcode Socket.watch}. */
  watch(told: (() => void) | undefined): void {
    const life = this.#life;
    if (told === undefined || life.refusal !== undefined) {
      this.#told = undefined;
      return;
    }
    if (this.#pending) throw life.error("SOCKET_BUSY", "watch", "a read is pending");
    this.#told = told;
    if (!life.readEnded) life.driver.lookAhead?.();
  }

  // `read` is no async function, and one that can answer at once does not await: with small messages
  // every promise more is several percent of the round trip.
  /** See {@linkcode Socket.read}. */
  read(into: Uint8Array): Promise<number | null> {
    const life = this.#life;
    if (life.refusal !== undefined) return Promise.reject(life.refusal());
    if (this.#pending) {
      return Promise.reject(life.error("SOCKET_BUSY", "read", "another read is pending"));
    }
    this.#told = undefined;
    if (this.#unread !== undefined) return Promise.resolve(this.#takeUnread(into));
    if (life.readEnded) return Promise.resolve(null);
    if (into.byteLength === 0) return Promise.resolve(0);
    this.#pending = true;
    try {
      const result = life.driver.read(into, this);
      if (result === undefined) {
        this.#reader = Promise.withResolvers();
        return this.#reader.promise;
      }
      if (typeof result === "object" && result !== null) {
        return result.then(
          (count) => this.#onRead(count),
          (cause) => {
            throw this.#fail(cause);
          },
        );
      }
      return Promise.resolve(this.#onRead(result));
    } catch (cause) {
      return Promise.reject(this.#fail(cause));
    }
  }

  /** Take back the read that is pending, if any; gives what its caller is to be rejected with. */
  stop(): ((reason: unknown) => void) | undefined {
    const reader = this.#reader;
    if (reader === undefined) return undefined;
    this.#life.driver.stopReading!();
    this.#reader = undefined;
    this.#pending = false;
    return (reason) => reader.reject(reason);
  }

  /** The read that the driver answers later has bytes, or the end. */
  resolve(count: number | null): void {
    const reader = this.#reader!;
    this.#reader = undefined;
    this.#pending = false;
    if (this.#life.refusal !== undefined) return reader.reject(this.#life.refusal());
    if (count === null) this.#life.endHalf("read");
    reader.resolve(count);
  }

  /** The read that the driver answers later failed. */
  reject(cause: unknown): void {
    const reader = this.#reader!;
    this.#reader = undefined;
    reader.reject(this.#fail(cause));
  }

  /** See {@linkcode DriverWatcher.arrived}. */
  arrived(): void {
    if (this.#told !== undefined) this.#tell();
  }

  /** See {@linkcode DriverWatcher.ended}. */
  ended(): void {
    if (!this.#isWatched) return;
    // With bytes before the end the reader finds it out, or a close would take them away.
    if (this.#unread === undefined) this.#life.endHalf("read");
    this.#tell();
  }

  /** See {@linkcode DriverWatcher.failed}. */
  failed(cause: unknown): void {
    if (!this.#isWatched) return;
    if (this.#unread === undefined) this.#life.failRead(cause);
    this.#tell();
  }

  /** See {@linkcode DriverWatcher.gone}. */
  gone(cause?: unknown): void {
    if (this.#life.gone(cause) && this.#told !== undefined) this.#tell();
  }

  /** After an end of its own making a socket has nothing to tell. */
  get #isWatched(): boolean {
    return this.#told !== undefined && this.#life.refusal === undefined;
  }

  /** Whoever is told may do anything with the socket, so that this comes last. */
  #tell(): void {
    const told = this.#told!;
    this.#told = undefined;
    try {
      told();
    } catch (error) {
      // Within the runtime's callback it would be taken for a failure of the connection.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #onRead(count: number | null): number | null {
    this.#pending = false;
    if (this.#life.refusal !== undefined) throw this.#life.refusal();
    if (count === null) this.#life.endHalf("read");
    return count;
  }

  #fail(cause: unknown): unknown {
    this.#pending = false;
    return this.#life.failRead(cause);
  }

  #takeUnread(into: Uint8Array): number {
    const unread = this.#unread!;
    const count = Math.min(unread.byteLength, into.byteLength);
    into.set(count === unread.byteLength ? unread : unread.subarray(0, count));
    this.#unread = count === unread.byteLength ? undefined : unread.subarray(count);
    return count;
  }
}
