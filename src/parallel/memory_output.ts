import { JackfieldError } from "../transport/mod.ts";
import type { Kept, Output, OutputStart } from "./output.ts";

/** Into memory, at most so many bytes. */
export class MemoryOutput implements Output {
  readonly leftover: undefined;
  readonly limit: number = Infinity;
  readonly mayBeginAnew: boolean = true;
  #maxBytes: number;
  #data = new Uint8Array(0);

  /** Nothing is held before the size is known. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Make room. */
  begin({ size = 0 }: Pick<OutputStart, "size">): Promise<void> {
    this.#need(size);
    this.#data = new Uint8Array(size);
    return Promise.resolve();
  }

  /** There is never anything to go on with. */
  resume(): Promise<void> {
    return Promise.resolve();
  }

  /** A file whose size nobody knew makes it grow. */
  write(bytes: Uint8Array, position: number): Promise<void> {
    const end = position + bytes.byteLength;
    this.#need(end);
    if (end > this.#data.byteLength) {
      const size = Math.min(Math.max(end, this.#data.byteLength * 2), this.#maxBytes);
      const bigger = new Uint8Array(size);
      bigger.set(this.#data);
      this.#data = bigger;
    }
    this.#data.set(bytes, position);
    return Promise.resolve();
  }

  /** It is there already. */
  settled(): Promise<void> {
    return Promise.resolve();
  }

  /** It is there already. */
  flush(): Promise<void> {
    return Promise.resolve();
  }

  /** Copy out. */
  read(into: Uint8Array, position: number): Promise<number> {
    const part = this.#data.subarray(position, position + into.byteLength);
    into.set(part);
    return Promise.resolve(part.byteLength);
  }

  /** The bytes, without a copy. */
  keep(size: number): Promise<Kept> {
    return Promise.resolve({ data: this.#data.subarray(0, size) });
  }

  /** Let go. */
  drop(): Promise<void> {
    this.#data = new Uint8Array(0);
    return Promise.resolve();
  }

  #need(size: number): void {
    if (size <= this.#maxBytes) return;
    const message = `Cannot get file into memory: it has ${size} bytes, at most ` +
      `${this.#maxBytes} fit; give a file to write to, or raise maxDataBytes`;
    const facts = { operation: "get", limit: this.#maxBytes } as const;
    throw new JackfieldError("TRANSFER_FAILED", message, facts);
  }
}
