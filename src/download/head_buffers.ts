/** What a request's first bytes find at least, and at most, in one go. */
const LEAST_BYTES = 256;
const MOST_BYTES = 1024;
/** So many are cut out of one piece of memory: each by itself would cost half as much again. */
const CUT_AT_ONCE = 256;

/**
 * Buffers for who waits for a request: small ones, for thousands may wait, and Deno holds one for each
 * of them.
 *
 * A server whose clients send longer heads lends longer ones from then on, so that most heads come in
 * one read. What was given back is lent again, and never returned: it is as much as waited at once.
 */
export class HeadBuffers {
  #bytes = LEAST_BYTES;
  #free: Uint8Array<ArrayBuffer>[] = [];

  /** A buffer that is the caller's until he gives it back. */
  take(): Uint8Array<ArrayBuffer> {
    const buffer = this.#free.pop();
    if (buffer !== undefined) return buffer;
    const slab = new Uint8Array(this.#bytes * CUT_AT_ONCE);
    for (let at = this.#bytes; at < slab.byteLength; at += this.#bytes) {
      this.#free.push(slab.subarray(at, at + this.#bytes));
    }
    return slab.subarray(0, this.#bytes);
  }

  /** Nobody uses it any more; `filled` bytes of it were needed. */
  giveBack(buffer: Uint8Array<ArrayBuffer>, filled: number): void {
    if (buffer.byteLength !== this.#bytes) return; // It is from before they grew.
    if (filled < this.#bytes || this.#bytes === MOST_BYTES) {
      this.#free.push(buffer);
    } else {
      this.#bytes = MOST_BYTES;
      this.#free = [];
    }
  }
}
