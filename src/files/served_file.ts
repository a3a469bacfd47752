import {
  type FileDigestAlgorithm,
  type FileFacts,
  JackfieldError,
  type OpenFile,
} from "../transport/mod.ts";
import type { FileDigests } from "./file_digests.ts";
import { hasOtherAttributes, isSameContent, isSameFile, type Validators } from "./file_version.ts";
import type { OpenFiles, SharedFile } from "./open_files.ts";

/** A file that somebody may read until he releases it. */
export interface ServedFile {
  /** Its name within the root: `folder/name.txt`. */
  readonly path: string;
  /** The path that leads to it from the system's own root, or from the current folder. */
  readonly fullPath: string;
  /** Its facts when it was opened. */
  readonly facts: FileFacts;
  /**
   * Tells its content from every other (RFC 9110, section 8.8.3), by device, number, size and both
   * times: strong, or weak while the file changed less than 2 s ago.
   */
  readonly entityTag: string;
  /** When it last changed; `undefined` while that is less than 2 s ago. */
  readonly modifiedMs: number | undefined;
  /** What is open, for who moves its bytes in ways of his own until `release`. */
  readonly opened: OpenFile;
  /**
   * Its compressed neighbours: regular files under the same rules, named like it with an ending
   * more, and not older than it is.
   *
   * @param codings codings and endings, the best one first: `["br", ".br"]`
   */
  coded(
    codings: readonly (readonly [coding: string, ending: string])[],
  ): Promise<readonly CodedFile[]>;
  /**
   * Read at a position; resolves to the count, 0 at the end.
   *
   * @throws {JackfieldError} `FILE_FAILED`.
   */
  read(into: Uint8Array, position: number): Promise<number>;
  /**
   * Whether it still holds what it held when it was opened.
   *
   * Its size and its time of modification must be the same, and its time of change too, for whoever
   * turns the former back cannot turn this one. A step of the time of change alone is no change of
   * content if something else accounts for it: other permissions, another owner, a name more or less
   * (as when another file was put in its place), or that its name leads elsewhere now, because it
   * was renamed. Deno tells the time of change in whole seconds and that of modification in
   * milliseconds: there, a change that is turned back within the very second is not seen.
   *
   * @throws {JackfieldError} `FILE_FAILED`.
   */
  isUnchanged(): Promise<boolean>;
  /**
   * The digest of all of its bytes, computed in another thread where there can be one, once for all
   * who ask at the same time, and remembered for this version of the file.
   *
   * @throws {JackfieldError} `FILE_CHANGED` when it changes meanwhile, `FILE_FAILED`, or the reason
   * of `signal`.
   */
  digest(algorithm: FileDigestAlgorithm, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Those digests of it that were computed before and are remembered. */
  knownDigests(): ReadonlyMap<FileDigestAlgorithm, Uint8Array<ArrayBuffer>>;
  /** Give it back. Whatever is being read is still read. Idempotent. */
  release(): void;
}

/** A file that lies compressed beside another one; it is not open yet. */
export interface CodedFile {
  /** Its content coding, such as `br`. */
  readonly coding: string;
  /** Its facts. */
  readonly facts: FileFacts;
  /** See {@linkcode ServedFile}. */
  readonly entityTag: string;
  /** See {@linkcode ServedFile}. */
  readonly modifiedMs: number | undefined;
  /**
   * Open it. Its `path` is its own, with the ending.
   *
   * @throws {JackfieldError} `FILE_CHANGED` when it is not the same any more, or `FILE_FAILED`.
   */
  open(): Promise<ServedFile>;
}

/** What a use of a file needs of the root that it was found in. */
export interface FileSource {
  /** The open files. */
  readonly openFiles: OpenFiles;
  /** The digests. */
  readonly digests: FileDigests;
  /** The time of day, in milliseconds since 1970. */
  nowMs(): number;
  /** What a path leads to now. */
  lookUp(path: string): Promise<FileFacts | undefined>;
  /** See {@linkcode ServedFile.coded}. */
  findCoded(
    file: FileFacts,
    names: readonly string[],
    codings: readonly (readonly [coding: string, ending: string])[],
  ): Promise<readonly CodedFile[]>;
}

/** One use of a shared file. */
export class FileUse implements ServedFile {
  readonly path: string;
  readonly fullPath: string;
  #validators: Validators;
  #source: FileSource;
  #shared: SharedFile;
  #isReleased = false;

  /** Takes over one use of `shared`. */
  constructor(
    source: FileSource,
    shared: SharedFile,
    fullPath: string,
    path: string,
  ) {
    this.#source = source;
    this.#shared = shared;
    this.fullPath = fullPath;
    this.path = path;
    this.#validators = shared.validators(source.nowMs());
  }

  get entityTag(): string {
    return this.#validators.entityTag;
  }

  get modifiedMs(): number | undefined {
    return this.#validators.modifiedMs;
  }

  get facts(): FileFacts {
    return this.#shared.facts;
  }

  get opened(): OpenFile {
    this.#assertHeld("use");
    return this.#shared.file;
  }

  coded(
    codings: readonly (readonly [coding: string, ending: string])[],
  ): Promise<readonly CodedFile[]> {
    return this.#source.findCoded(this.facts, this.path.split("/"), codings);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#assertHeld("read");
    return await this.#shared.file.read(into, position);
  }

  async isUnchanged(): Promise<boolean> {
    this.#assertHeld("look at");
    const shared = this.#shared;
    const now = await shared.file.stat();
    const { lastFacts } = shared;
    if (!isSameContent(now, lastFacts)) return false;
    if (now.changedNs === lastFacts.changedNs) return true;
    if (!hasOtherAttributes(now, lastFacts)) {
      const named = await this.#source.lookUp(this.fullPath);
      if (named !== undefined && isSameFile(named, now)) return false;
    }
    shared.lastFacts = now;
    return true;
  }

  async digest(
    algorithm: FileDigestAlgorithm,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.#assertHeld("digest");
    return await this.#source.digests.get(
      this.#shared,
      algorithm,
      () => this.isUnchanged(),
      signal,
    );
  }

  knownDigests(): ReadonlyMap<FileDigestAlgorithm, Uint8Array<ArrayBuffer>> {
    return this.#source.digests.known(this.#shared);
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#source.openFiles.release(this.#shared);
  }

  #assertHeld(operation: string): void {
    if (!this.#isReleased) return;
    const message = `Cannot ${operation} "${this.path}": it was released`;
    throw new JackfieldError("FILE_FAILED", message, { operation });
  }
}
