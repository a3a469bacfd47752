import type { DriverWatcher, ReadWaiter } from "../../transport/mod.ts";

/**
 * How many bytes a look takes at most. The first bytes of an answer pass through here: a longer
 * answer costs one read more (2 to 3 µs in Deno), and every watched socket that is idle holds so
 * much, beside 1.7 KB for the pending read itself.
 */
const LOOK_BYTES = 1024;

/** A read of the runtime. */
export type ReadSource = (into: Uint8Array) => Promise<number | null>;

/**
 * Finds out that something has come where the runtime tells only who reads: by a read of its own.
 *
 * Such a read cannot be taken back. A reader that comes while it is pending waits for that one, and
 * what it brings, bytes, the end or a failure, goes to the next reader once.
 */
export class ReadAhead {
  #source: ReadSource;
  /** Told of what comes while nobody reads. */
  watcher: DriverWatcher | undefined;
  #buffer: Uint8Array | undefined;
  /** The part of the buffer that nobody has read. */
  #from = 0;
  #until = 0;
  #pending = false;
  #ended = false;
  #failure: { readonly cause: unknown } | undefined;
  /** Who waits for the pending look, and where the bytes go then. */
  #reader: ReadWaiter | undefined;
  #into: Uint8Array | undefined;

  /** Reads from `source`. */
  constructor(source: ReadSource) {
    this.#source = source;
  }

  /** Whether the runtime's read is pending. */
  get isPending(): boolean {
    return this.#pending;
  }

  /** Bytes that it holds. */
  get bytes(): number {
    return this.#until - this.#from;
  }

  /** Whether it has found something that nobody has read. */
  get hasUnread(): boolean {
    return this.#until > this.#from || this.#ended || this.#failure !== undefined;
  }

  /** Whether a reader has to ask here, and not the runtime. */
  get isFirst(): boolean {
    return this.#pending || this.hasUnread;
  }

  /** See {@linkcode SocketDriver.lookAhead}. */
  look(): void {
    if (this.isFirst) return;
    this.#buffer ??= new Uint8Array(LOOK_BYTES);
    this.#pending = true;
    this.#source(this.#buffer).then(this.#onCount, this.#onFailure);
  }

  /** See {@linkcode SocketDriver.read}; only while `isFirst`. */
  read(into: Uint8Array, later: ReadWaiter): number | null | undefined {
    if (this.#until > this.#from) return this.#take(into);
    if (this.#ended) return null;
    if (this.#failure !== undefined) throw this.#failure.cause;
    this.#reader = later;
    this.#into = into;
    return undefined;
  }

  #onCount = (count: number | null): void => {
    this.#pending = false;
    if (count === null) {
      this.#ended = true;
      const reader = this.#leave();
      if (reader !== undefined) reader.resolve(null);
      else this.watcher?.ended();
      return;
    }
    this.#from = 0;
    this.#until = count;
    const into = this.#into;
    if (into === undefined) return this.watcher?.arrived();
    this.#leave()!.resolve(this.#take(into));
  };

  #onFailure = (cause: unknown): void => {
    this.#pending = false;
    this.#failure = { cause };
    const reader = this.#leave();
    if (reader !== undefined) reader.reject(cause);
    else this.watcher?.failed(cause);
  };

  /** The one who waits, and no longer does. */
  #leave(): ReadWaiter | undefined {
    const reader = this.#reader;
    this.#reader = this.#into = undefined;
    return reader;
  }

  #take(into: Uint8Array): number {
    const count = Math.min(this.#until - this.#from, into.byteLength);
    into.set(this.#buffer!.subarray(this.#from, this.#from + count));
    this.#from += count;
    return count;
  }
}
