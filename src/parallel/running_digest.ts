import type { Digest } from "../transport/mod.ts";
import type { Control } from "./control.ts";
import type { Hashing, Output } from "./output.ts";

/** How much is read back at a time. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * The digest of a file that grows: what is good is read back as soon as it is, so that little is left
 * to do at the end. What is on the disk counts, not what was meant to be.
 */
export class RunningDigest implements Hashing {
  #output: Output;
  #digest: Digest;
  #control: Control;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #at = 0;
  #frontier = 0;
  #reading: Promise<void> | undefined;

  /** Reads from an output that can be read. */
  constructor(output: Output, digest: Digest, control: Control) {
    this.#output = output;
    this.#digest = digest;
    this.#control = control;
  }

  advance(frontier: number): void {
    this.#frontier = Math.max(this.#frontier, frontier);
    // Small steps cost more than they bring.
    if (this.#frontier - this.#at >= CHUNK_BYTES) this.#reading ??= this.#read(CHUNK_BYTES);
  }

  async finish(size: number): Promise<string> {
    await this.#reading;
    this.#control.assertGoing();
    this.#frontier = size;
    await this.#read(1);
    this.#control.assertGoing();
    return this.#digest.hex();
  }

  /** Never rejects: its failure ends the transfer. */
  async #read(leastBytes: number): Promise<void> {
    try {
      const buffer = this.#buffer ??= new Uint8Array(CHUNK_BYTES);
      while (this.#frontier - this.#at >= leastBytes && !this.#control.isOver) {
        const part = buffer.subarray(0, Math.min(buffer.byteLength, this.#frontier - this.#at));
        const count = await this.#output.read!(part, this.#at);
        if (count === 0) throw new Error(`Cannot read back file: it ended at byte ${this.#at}`);
        this.#digest.update(part.subarray(0, count));
        this.#at += count;
      }
    } catch (error) {
      this.#control.fail(error);
    } finally {
      this.#reading = undefined;
    }
  }
}
