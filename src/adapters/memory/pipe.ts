import type { DriverWatcher } from "../../transport/mod.ts";

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Bytes from one end of a connection to the other, like a socket's buffer in the kernel. */
export class Pipe {
  #capacity: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #error: unknown;
  /** How many bytes more it carries, and what happens then. */
  #left = Infinity;
  #cut: (() => void) | undefined;
  #reader: Waiter<void> | undefined;
  #writer: Waiter<void> | undefined;
  /** Told of what comes while nobody reads. */
  watcher: DriverWatcher | undefined;

  /** Holds at most `capacity` bytes. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Whether bytes or an end wait to be read. */
  get hasUnread(): boolean {
    return this.#bytes > 0 || this.#ended || this.#error !== undefined;
  }

  /** Take bytes out; waits for some, or for the end. One that is not wanted any more takes none. */
  async read(into: Uint8Array, isWanted: () => boolean): Promise<number | null> {
    for (;;) {
      if (!isWanted()) return 0;
      if (this.#bytes > 0) break;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return null;
      await new Promise<void>((resolve, reject) => this.#reader = { resolve, reject });
    }
    let count = 0;
    while (count < into.byteLength && this.#bytes > 0) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(0, into.byteLength - count);
      into.set(part, count);
      count += part.byteLength;
      this.#bytes -= part.byteLength;
      if (part.byteLength === chunk.byteLength) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.byteLength);
    }
    this.#writer?.resolve();
    this.#writer = undefined;
    return count;
  }

  /** Carry so many bytes more, and then let this happen; what is written later is lost. */
  cutAfter(bytes: number, cut: () => void): void {
    this.#left = bytes;
    this.#cut = cut;
    if (bytes === 0) cut();
  }

  /** Nobody waits for bytes any more. */
  stopReading(): void {
    this.#reader = undefined;
  }

  /** Put as many bytes in as there is room for; waits for some room. */
  async write(bytes: Uint8Array): Promise<number> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#left === 0) return bytes.byteLength;
      const room = Math.min(this.#capacity - this.#bytes, this.#left);
      if (room > 0) {
        const chunk = bytes.slice(0, room);
        this.#chunks.push(chunk);
        this.#bytes += chunk.byteLength;
        this.#left -= chunk.byteLength;
        this.#wakeReader();
        if (this.#left === 0) this.#cut?.();
        return chunk.byteLength;
      }
      await new Promise<void>((resolve, reject) => this.#writer = { resolve, reject });
    }
  }

  /** No more bytes will come. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wakeReader();
  }

  /** What was not read stays readable; then, and for the writer at once, this error. */
  break(error: unknown): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#writer?.reject(error);
    this.#writer = undefined;
    this.#wakeReader();
  }

  /** Or, without one, the watcher: later, for no kernel tells within the call of the far end. */
  #wakeReader(): void {
    if (this.#reader !== undefined) {
      this.#reader.resolve();
      this.#reader = undefined;
    } else if (this.watcher !== undefined) {
      queueMicrotask(() => this.#tell(this.watcher!));
    }
  }

  #tell(watcher: DriverWatcher): void {
    if (this.#bytes > 0) watcher.arrived();
    else if (this.#error !== undefined) watcher.failed(this.#error);
    else if (this.#ended) watcher.ended();
  }
}
