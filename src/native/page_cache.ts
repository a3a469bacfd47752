import type { OpenFile } from "../transport/mod.ts";
import { EAGAIN, IOVEC, RAMFS_MAGIC, RWF_NOWAIT, STATFS, TMPFS_MAGIC } from "./layouts.ts";
import type { Libc } from "./libc.ts";

/** How far apart the looks are: one costs less than a microsecond. */
const STEP_BYTES = 64 * 1024;

/** Tells what of files is in memory. */
export class PageCache {
  #libc: Libc;
  #octet = new Uint8Array(8);
  #vector = new Uint8Array(IOVEC.bytes);
  #statfs = new Uint8Array(STATFS.bytes);
  /** Whether files lie in memory altogether, which the kernel does not say when asked for a part. */
  #always = new WeakMap<OpenFile, boolean>();
  #statfsView = new DataView(this.#statfs.buffer);

  constructor(libc: Libc) {
    this.#libc = libc;
    const view = new DataView(this.#vector.buffer);
    view.setBigUint64(IOVEC.address, libc.addressOf(this.#octet), true);
    view.setBigUint64(IOVEC.length, 1n, true);
  }

  /**
   * Whether a part can be sent without waiting for the disk. One byte in every 64 KiB is looked at,
   * and the last one: the kernel fetches and forgets in larger pieces than that as a rule, so that a
   * page that is missing between two looks is seldom, and costs one wait.
   *
   * Of a `file` that is given it is remembered that it always is in memory. A file system that cannot
   * say it is taken for one that has to wait.
   */
  isWarm(
    file: OpenFile | undefined,
    descriptor: number,
    offset: number,
    length: number,
  ): boolean {
    if (file !== undefined && this.#always.get(file) === true) return true;
    const last = offset + length - 1;
    for (let at = offset;; at = Math.min(at + STEP_BYTES, last)) {
      // The end of the file (0) is no reason to wait: whoever reads there will see it.
      if (this.#libc.preadv2(descriptor, this.#vector, 1, at, RWF_NOWAIT) < 0) {
        return this.#libc.errno() !== EAGAIN && this.isInMemory(file, descriptor);
      }
      if (at === last) return true;
    }
  }

  /** Whether a file lies in memory altogether. */
  isInMemory(file: OpenFile | undefined, descriptor: number): boolean {
    const known = file && this.#always.get(file);
    if (known !== undefined) return known;
    const isThere = this.#libc.fstatfs(descriptor, this.#statfs) === 0;
    const type = this.#statfsView.getUint32(STATFS.type, true);
    const always = isThere && (type === TMPFS_MAGIC || type === RAMFS_MAGIC);
    if (file !== undefined) this.#always.set(file, always);
    return always;
  }
}
