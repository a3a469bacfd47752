// Files in memory, as far as a state file needs them.
import type { Files, OpenFile } from "../../../src/transport/mod.ts";

/** A few files, by path. */
export class MemoryFiles {
  readonly contents: Map<string, Uint8Array> = new Map();
  /** Fails what is written from now on. */
  failure: Error | undefined;
  /** How often a file was written. */
  writes = 0;

  /** As a host has them. */
  get files(): Files {
    return {
      lookUp: (path: string) => Promise.resolve(this.contents.has(path) ? {} as never : undefined),
      open: (path: string, options = {}) => {
        if (options.create === true) this.contents.set(path, new Uint8Array());
        return Promise.resolve(this.#open(path));
      },
      rename: (from: string, to: string) => {
        this.contents.set(to, this.contents.get(from)!);
        this.contents.delete(from);
        return Promise.resolve();
      },
    } as Partial<Files> as Files;
  }

  #open(path: string): OpenFile {
    return {
      stat: () => Promise.resolve({ size: this.contents.get(path)!.byteLength } as never),
      read: (into: Uint8Array, position: number) => {
        const part = this.contents.get(path)!.subarray(position, position + into.byteLength);
        into.set(part);
        return Promise.resolve(part.byteLength);
      },
      write: (bytes: Uint8Array) => {
        if (this.failure !== undefined) return Promise.reject(this.failure);
        this.writes++;
        this.contents.set(path, bytes.slice());
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    } as Partial<OpenFile> as OpenFile;
  }
}
