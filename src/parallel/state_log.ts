import type { Clock, Files, OpenFile } from "../transport/mod.ts";
import type { Interval } from "./intervals.ts";
import {
  doneLine,
  readState,
  type State,
  type StateHead,
  stateHeadLine,
  syncedLine,
} from "./state_file.ts";

/** How often the disk is waited for, in milliseconds. */
const SYNC_INTERVAL_MS = 10_000;
/** No state is longer, so that none has to be read whole before it is known to be one. */
const MAX_BYTES = 64 * 2 ** 20;

/**
 * The file that says what is in another one. It is written under another name and takes its own only
 * when its first line has reached the disk; from then on lines are added.
 *
 * A kill loses nothing: what was written is the kernel's. A crash of the whole system may lose what
 * the kernel had not written yet, of this file and of the other one, in any order: so now and then the
 * other one is waited for, in the background, and a line says how far that was.
 */
export class StateLog {
  #files: Files;
  #path: string;
  #clock: Clock;
  #file: OpenFile | undefined;
  #exists = true;
  #length = 0;
  #syncedMs = 0;
  #syncing: Promise<void> | undefined;
  #encoder = new TextEncoder();

  /** Nothing is opened. */
  constructor(files: Files, path: string, clock: Clock) {
    this.#files = files;
    this.#path = path;
    this.#clock = clock;
  }

  /** Whether it is there, as far as is known. */
  get exists(): boolean {
    return this.#exists;
  }

  /** What an earlier run has written. */
  async read(): Promise<State | undefined> {
    let file: OpenFile;
    try {
      file = await this.#files.open(this.#path);
    } catch {
      return undefined; // Most often there is none; and without it everything is fetched.
    }
    try {
      const { size } = await file.stat();
      if (size > MAX_BYTES) return undefined;
      const bytes = new Uint8Array(size);
      let filled = 0;
      while (filled < size) {
        const count = await file.read(bytes.subarray(filled), filled);
        if (count === 0) break;
        filled += count;
      }
      return readState(new TextDecoder().decode(bytes.subarray(0, filled)));
    } finally {
      await file.close();
    }
  }

  /** Begin anew, with what is there and has reached the disk. */
  async begin(head: StateHead, done: readonly Interval[] = []): Promise<void> {
    await this.close();
    const lines = stateHeadLine(head) + done.map(({ start, end }) => doneLine(start, end)).join("");
    const { byteLength } = this.#encoder.encode(lines);
    const bytes = this.#encoder.encode(done.length === 0 ? lines : lines + syncedLine(byteLength));
    const file = await this.#files.open(`${this.#path}.new`, { create: true });
    try {
      await file.write(bytes, 0);
      await file.sync?.();
      await this.#files.rename(`${this.#path}.new`, this.#path);
    } catch (error) {
      await file.close();
      await this.#files.remove(`${this.#path}.new`).catch(() => {});
      throw error;
    }
    this.#file = file; // It stays the same file under its new name.
    this.#exists = true;
    this.#length = bytes.byteLength;
    this.#syncedMs = this.#clock.now();
  }

  /** These bytes are in `data`. Nothing happens before `begin`. */
  async add(start: number, end: number, data: OpenFile): Promise<void> {
    if (this.#file === undefined) return;
    await this.#write(doneLine(start, end));
    if (data.sync === undefined || this.#syncing !== undefined) return;
    if (this.#clock.now() - this.#syncedMs < SYNC_INTERVAL_MS) return;
    this.#syncing = this.#sync(data);
  }

  /** Write no more. */
  async close(): Promise<void> {
    await this.#syncing;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Remove it, if it is there. */
  async remove(): Promise<void> {
    await this.close();
    if (!this.#exists) return;
    try {
      await this.#files.remove(this.#path);
    } catch (error) {
      if ((error as { osCode?: string }).osCode !== "ENOENT") throw error;
    }
    this.#exists = false;
  }

  /** Its failure is no failure of the transfer: less is known to be on the disk. */
  async #sync(data: OpenFile): Promise<void> {
    const length = this.#length;
    try {
      await data.sync!();
      await this.#write(syncedLine(length));
    } catch {
      // The next write, or the end, says what is wrong with the disk.
    } finally {
      this.#syncedMs = this.#clock.now();
      this.#syncing = undefined;
    }
  }

  async #write(line: string): Promise<void> {
    const bytes = this.#encoder.encode(line);
    const at = this.#length;
    this.#length += bytes.byteLength; // Before the write: another one may come meanwhile.
    await this.#file!.write(bytes, at);
  }
}
