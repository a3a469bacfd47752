import { AT_EMPTY_PATH, S_IFMT, S_IFREG, STATX, STATX_BASIC_STATS } from "./layouts.ts";
import type { Libc } from "./libc.ts";

/** Words of the struct that change when a file does: its kind, number, size, times and device. */
const WORDS: readonly number[] = [
  STATX.mode,
  STATX.inode,
  STATX.inode + 4,
  STATX.size,
  STATX.size + 4,
  STATX.changed,
  STATX.changed + 4,
  STATX.changed + 8,
  STATX.modified,
  STATX.modified + 4,
  STATX.modified + 8,
  STATX.deviceMajor,
  STATX.deviceMinor,
].map((offset) => offset / 4);
const EMPTY_PATH = new Uint8Array(1);

/** Looks at files and folders by statx(2), always into the same struct. */
export class FileLook {
  #libc: Libc;
  #struct = new Uint8Array(STATX.bytes);
  #view = new DataView(this.#struct.buffer);
  #words = new Int32Array(this.#struct.buffer);

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** Look at a descriptor, or at what a path (with a zero at its end) leads to; whether it is there. */
  at(descriptor: number, path?: Uint8Array, flags = 0): boolean {
    const all = path === undefined ? AT_EMPTY_PATH : flags;
    const name = path ?? EMPTY_PATH;
    return this.#libc.statx(descriptor, name, all, STATX_BASIC_STATS, this.#struct) === 0;
  }

  /** What was seen, to be compared later. */
  facts(): Int32Array {
    return Int32Array.from(WORDS, (index) => this.#words[index]!);
  }

  /** Look again, and say whether it is what it was. */
  isSame(descriptor: number, path: Uint8Array | undefined, facts: Int32Array): boolean {
    if (!this.at(descriptor, path)) return false;
    for (let index = 0; index < WORDS.length; index++) {
      if (this.#words[WORDS[index]!] !== facts[index]) return false;
    }
    return true;
  }

  /** Whether what was seen is a regular file. */
  isFile(): boolean {
    return (this.#view.getUint16(STATX.mode, true) & S_IFMT) === S_IFREG;
  }

  /** How long it is. */
  size(): number {
    return Number(this.#view.getBigUint64(STATX.size, true));
  }

  /** When its content changed, in whole milliseconds. */
  modifiedMs(): number {
    return this.#time(STATX.modified);
  }

  /** When anything of it changed last. */
  newestMs(): number {
    return Math.max(this.modifiedMs(), this.#time(STATX.changed));
  }

  #time(offset: number): number {
    const seconds = Number(this.#view.getBigInt64(offset, true));
    return seconds * 1000 + Math.floor(this.#view.getUint32(offset + 8, true) / 1e6);
  }
}
