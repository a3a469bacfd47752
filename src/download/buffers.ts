/** The sizes of buffers, in bytes. */
const SIZES = [64, 4096, 16_384, 65_536, 262_144] as const;
/** So many bytes of each size are kept for the next ones. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** Buffers that go from hand to hand, so that sending makes no garbage. */
export class Buffers {
  #free: Uint8Array<ArrayBuffer>[][] = SIZES.map(() => []);
  #lentBytes = 0;

  /** How many bytes are lent. */
  get lentBytes(): number {
    return this.#lentBytes;
  }

  /** A buffer of at least so many bytes, or of the greatest size. */
  take(leastBytes: number): Uint8Array<ArrayBuffer> {
    let index = SIZES.findIndex((size) => size >= leastBytes);
    if (index < 0) index = SIZES.length - 1;
    this.#lentBytes += SIZES[index]!;
    return this.#free[index]!.pop() ?? new Uint8Array(SIZES[index]!);
  }

  /** Give a buffer back. Nobody may use it any more. */
  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    const index = SIZES.indexOf(buffer.byteLength as typeof SIZES[number]);
    this.#lentBytes -= buffer.byteLength;
    const free = this.#free[index]!;
    if (free.length * buffer.byteLength < KEPT_BYTES) free.push(buffer);
  }
}
