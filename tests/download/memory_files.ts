// A folder in memory, whose every operation can be made to fail.
import {
  type FileFacts,
  type Files,
  JackfieldError,
  type OpenFile,
  type OpenFolder,
} from "../../src/core.ts";

/** The facts that all files of the folder have. */
const COMMON = {
  device: 1n,
  modifiedMs: 1_700_000_000_000,
  modifiedNs: 1_700_000_000_000_000_000n,
  changedNs: 1_700_000_000_000_000_000n,
  links: 1,
  mode: 0o644,
  userId: 0,
  groupId: 0,
} as const;

/** Files by their path, under the root `/root`. */
export class MemoryFiles implements Files {
  /** Descriptors that are open. */
  openCount = 0;
  /** How many operations there were. */
  operations = 0;
  /** Called with the number of an operation, from 0; what it throws is what the operation throws. */
  before: ((operation: number) => void) | undefined;
  #files: ReadonlyMap<string, Uint8Array>;

  /** A folder with these files in it. */
  constructor(files: Readonly<Record<string, Uint8Array>>) {
    this.#files = new Map(Object.entries(files).map(([name, bytes]) => [`/root/${name}`, bytes]));
  }

  async open(path: string): Promise<OpenFile> {
    const bytes = await this.#do(() => this.#files.get(path));
    if (bytes === undefined) throw failure("ENOENT");
    this.openCount++;
    let isOpen = true;
    return {
      stat: () => this.#do(() => this.#factsOf(path)!),
      realPath: () => this.#do(() => path),
      read: (into, position) =>
        this.#do(() => {
          if (!isOpen) throw failure("EBADF");
          const part = bytes.subarray(position, position + into.byteLength);
          into.set(part);
          return part.byteLength;
        }),
      digest: () => Promise.reject(failure("ENOTSUP")),
      write: () => Promise.reject(failure("EBADF")),
      truncate: () => Promise.reject(failure("EBADF")),
      close: () => {
        if (isOpen) this.openCount--;
        isOpen = false;
        return Promise.resolve();
      },
    };
  }

  realPath(path: string): Promise<string> {
    return this.#do(() => path);
  }

  async stat(path: string): Promise<FileFacts> {
    const facts = await this.lookUp(path);
    if (facts === undefined) throw failure("ENOENT");
    return facts;
  }

  lookUp(path: string): Promise<FileFacts | undefined> {
    return this.#do(() => this.#factsOf(path));
  }

  openFolder(): Promise<OpenFolder> {
    return Promise.reject(failure("ENOTDIR"));
  }

  rename(): Promise<void> {
    return Promise.reject(failure("EROFS"));
  }

  remove(): Promise<void> {
    return Promise.reject(failure("EROFS"));
  }

  join(...parts: readonly string[]): string {
    return parts.join("/");
  }

  #factsOf(path: string): FileFacts | undefined {
    const bytes = this.#files.get(path);
    if (path === "/root") return { ...COMMON, kind: "directory", size: 0, inode: 1n };
    if (bytes === undefined) return undefined;
    const inode = BigInt([...this.#files.keys()].indexOf(path) + 2);
    return { ...COMMON, kind: "file", size: bytes.byteLength, inode };
  }

  async #do<T>(operate: () => T): Promise<T> {
    const operation = this.operations++;
    await Promise.resolve();
    this.before?.(operation);
    return operate();
  }
}

/** What a disk says. */
export function failure(osCode: string): JackfieldError {
  return new JackfieldError("FILE_FAILED", `Cannot use file: ${osCode}`, { osCode });
}
