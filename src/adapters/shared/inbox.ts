import type { DriverWatcher, ReadWaiter } from "../../transport/mod.ts";

/** How many bytes are held for a slow reader before the runtime is told to pause. */
const HIGH_WATER_BYTES = 64 * 1024;

/** How an inbox holds its source back. */
export interface Flow {
  /** Deliver nothing until `resume`. */
  pause(): void;
  /** Go on. */
  resume(): void;
}

/**
 * Turns chunks that a runtime delivers when it likes into reads that a reader asks for.
 *
 * It holds at most 64 KiB and one chunk of the runtime; then the source is paused. What arrived
 * before an end or an error is read first.
 */
export class Inbox {
  #flow: Flow;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  /** Who waits, and where the bytes go then. */
  #reader: ReadWaiter | undefined;
  #into: Uint8Array | undefined;
  #ended = false;
  #failure: (() => unknown) | undefined;
  /** Told of what comes while nobody reads. */
  watcher: DriverWatcher | undefined;

  /** `flow` is called when too much has arrived. */
  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Bytes that arrived and were not read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether bytes or an end wait to be read. */
  get hasUnread(): boolean {
    return this.#bytes > 0 || this.#ended || this.#failure !== undefined;
  }

  /** Let nothing more come until somebody reads, or `release`. */
  hold(): void {
    this.#paused = true;
    this.#flow.pause();
  }

  /** Let bytes come, as far as there is room. */
  release(): void {
    if (!this.#paused || this.#bytes >= HIGH_WATER_BYTES) return;
    this.#paused = false;
    this.#flow.resume();
  }

  /** Give out everything that was not read, oldest first; whoever calls has stopped the source. */
  drain(): Uint8Array[] {
    this.#bytes = 0;
    this.#paused = false;
    return this.#chunks.splice(0);
  }

  /** A chunk has arrived; it must not change afterwards. */
  arrive(chunk: Uint8Array): void {
    const into = this.#into;
    if (into !== undefined) {
      const reader = this.#leave();
      const count = Math.min(chunk.byteLength, into.byteLength);
      into.set(count === chunk.byteLength ? chunk : chunk.subarray(0, count));
      if (count < chunk.byteLength) this.#keep(chunk.subarray(count));
      reader!.resolve(count);
    } else {
      this.#keep(chunk);
      this.watcher?.arrived();
    }
  }

  /** The stream has ended. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const reader = this.#leave();
    if (reader !== undefined) reader.resolve(null);
    else if (this.#bytes > 0) this.watcher?.arrived();
    else if (this.#failure === undefined) this.watcher?.ended();
  }

  /** The connection broke; the first failure counts. It makes the error if anybody reads. */
  fail(failure: () => unknown): void {
    this.#failure ??= failure;
    this.#leave()?.reject(this.#failure());
  }

  /** See {@linkcode SocketDriver.read}. */
  read(into: Uint8Array, later: ReadWaiter): number | null | undefined {
    const chunk = this.#chunks[0];
    if (chunk !== undefined) return this.#take(chunk, into);
    if (this.#ended) return null;
    if (this.#failure !== undefined) throw this.#failure();
    this.#into = into;
    this.#reader = later;
    this.release();
    return undefined;
  }

  /** See {@linkcode SocketDriver.stopReading}. */
  stopReading(): void {
    this.#leave();
  }

  /** The one who waits, and no longer does. */
  #leave(): ReadWaiter | undefined {
    const reader = this.#reader;
    this.#reader = this.#into = undefined;
    return reader;
  }

  #keep(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    if (this.#bytes >= HIGH_WATER_BYTES && !this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
  }

  #take(chunk: Uint8Array, into: Uint8Array): number {
    const count = Math.min(chunk.byteLength, into.byteLength);
    if (count === chunk.byteLength) {
      into.set(chunk);
      this.#chunks.shift();
    } else {
      into.set(chunk.subarray(0, count));
      this.#chunks[0] = chunk.subarray(count);
    }
    this.#bytes -= count;
    this.release();
    return count;
  }
}
