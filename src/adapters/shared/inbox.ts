/** How many bytes are held for a slow reader before the runtime is told to pause. */
const HIGH_WATER_BYTES = 64 * 1024;

interface Reader {
  into: Uint8Array;
  resolve(count: number | null): void;
  reject(error: unknown): void;
}

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
  #reader: Reader | undefined;
  #ended = false;
  #failure: (() => unknown) | undefined;

  /** `flow` is called when too much has arrived. */
  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Bytes that arrived and were not read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A chunk has arrived; it must not change afterwards. */
  arrive(chunk: Uint8Array): void {
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      const count = Math.min(chunk.byteLength, reader.into.byteLength);
      reader.into.set(count === chunk.byteLength ? chunk : chunk.subarray(0, count));
      if (count < chunk.byteLength) this.#keep(chunk.subarray(count));
      reader.resolve(count);
    } else {
      this.#keep(chunk);
    }
  }

  /** The stream has ended. */
  end(): void {
    this.#ended = true;
    this.#reader?.resolve(null);
    this.#reader = undefined;
  }

  /** The connection broke; the first failure counts. It makes the error if anybody reads. */
  fail(failure: () => unknown): void {
    this.#failure ??= failure;
    this.#reader?.reject(this.#failure());
    this.#reader = undefined;
  }

  /** See {@linkcode SocketDriver.read}. */
  read(into: Uint8Array): number | null | Promise<number | null> {
    const chunk = this.#chunks[0];
    if (chunk !== undefined) return this.#take(chunk, into);
    if (this.#ended) return null;
    if (this.#failure !== undefined) throw this.#failure();
    return new Promise((resolve, reject) => {
      this.#reader = { into, resolve, reject };
    });
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
    if (this.#paused && this.#bytes < HIGH_WATER_BYTES) {
      this.#paused = false;
      this.#flow.resume();
    }
    return count;
  }
}
