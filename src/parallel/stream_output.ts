import type { Digest } from "../transport/mod.ts";
import type { Control } from "./control.ts";
import type { Hashing, Kept, Output, OutputStart } from "./output.ts";

/** What {@linkcode StreamOutput} is made with. */
export interface StreamOutputOptions {
  /** The most bytes that are held. */
  readonly maxBufferBytes: number;
  /** Ends the waits for whoever reads the stream. */
  readonly control: Control;
  /** Fed with what is given out, if somebody wants to know. */
  readonly digest: Digest | undefined;
}

/**
 * Into a stream, in order.
 *
 * Units that come before their turn wait in buffers of one unit each, and no unit is fetched that has
 * no buffer: so the memory is `maxBufferBytes`, whatever the sockets do and however slowly the stream
 * is read. What the stream's reader has been given cannot be taken back.
 */
export class StreamOutput implements Output, Hashing {
  readonly leftover: undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #options: StreamOutputOptions;
  /** Buffers by the number of their unit. */
  #buffers = new Map<number, Uint8Array<ArrayBuffer>>();
  #unitBytes = 1;
  #size = Infinity;
  /** Everything before it was given out. */
  #position = 0;
  /** Everything before it may be given out. */
  #frontier = 0;
  #room: () => void = () => {};
  #flushing: Promise<void> | undefined;

  /** Locks the stream. */
  constructor(stream: WritableStream<Uint8Array>, options: StreamOutputOptions) {
    this.#writer = stream.getWriter();
    this.#writer.closed.catch(() => {}); // Its writes say so, too.
    this.#options = options;
  }

  get limit(): number {
    const window = this.#options.maxBufferBytes;
    // A unit that has begun to leave still holds all of its buffer.
    return this.#position - this.#position % this.#unitBytes + window - window % this.#unitBytes;
  }

  get mayBeginAnew(): boolean {
    return this.#position === 0 && this.#flushing === undefined;
  }

  begin({ size = Infinity, unitBytes }: OutputStart, room: () => void): Promise<void> {
    this.#buffers.clear();
    this.#size = size;
    this.#unitBytes = unitBytes;
    this.#frontier = 0;
    this.#room = room;
    return Promise.resolve();
  }

  resume(): Promise<void> {
    return Promise.resolve();
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    const unitBytes = this.#unitBytes;
    for (let from = 0; from < bytes.byteLength;) {
      const at = position + from;
      const unit = Math.floor(at / unitBytes);
      const offset = at - unit * unitBytes;
      const count = Math.min(bytes.byteLength - from, unitBytes - offset);
      let buffer = this.#buffers.get(unit);
      if (buffer === undefined) {
        buffer = new Uint8Array(Math.min(unitBytes, this.#size - unit * unitBytes));
        this.#buffers.set(unit, buffer);
      }
      buffer.set(bytes.subarray(from, from + count), offset);
      from += count;
    }
    return Promise.resolve();
  }

  async settled(_start: number, _end: number, frontier: number): Promise<void> {
    this.#frontier = Math.max(this.#frontier, frontier);
    // Without a size there is no window: who writes waits for who reads.
    if (this.#size === Infinity) await this.flush();
    else this.#beginFlush();
  }

  async flush(): Promise<void> {
    while (this.#position < this.#frontier) {
      this.#options.control.assertGoing();
      await this.#beginFlush();
    }
  }

  /** Nothing to do: what is given out is hashed. */
  advance(): void {}

  async finish(): Promise<string> {
    await this.flush();
    return this.#options.digest!.hex();
  }

  async keep(): Promise<Kept> {
    await this.#options.control.until(this.#writer.close());
    return {};
  }

  drop(reason: unknown): Promise<void> {
    this.#buffers.clear();
    // Whoever made the stream may take its time with it.
    this.#writer.abort(reason).catch(() => {});
    return Promise.resolve();
  }

  #beginFlush(): Promise<void> {
    return this.#flushing ??= this.#flushAll();
  }

  /** Never rejects: its failure ends the transfer. */
  async #flushAll(): Promise<void> {
    await Promise.resolve(); // `#flushing` must be set before it is over.
    try {
      while (this.#position < this.#frontier) await this.#flushUnit();
    } catch (error) {
      this.#options.control.fail(error);
    } finally {
      this.#flushing = undefined;
    }
  }

  /** Give out the next unit, as far as it is good. */
  async #flushUnit(): Promise<void> {
    const unit = Math.floor(this.#position / this.#unitBytes);
    const start = unit * this.#unitBytes;
    const buffer = this.#buffers.get(unit)!;
    const end = Math.min(this.#frontier, start + this.#unitBytes);
    const bytes = buffer.subarray(this.#position - start, end - start);
    const isLast = end === start + this.#unitBytes || end === this.#size;
    this.#options.digest?.update(bytes);
    const { control } = this.#options;
    await control.until(this.#writer.ready);
    // Not all of it: the buffer goes on being written to behind what is given out.
    await control.until(this.#writer.write(isLast && bytes.byteLength > 0 ? bytes : bytes.slice()));
    this.#position = end;
    if (isLast) this.#buffers.delete(unit);
    this.#room();
  }
}
