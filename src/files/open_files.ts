import { type FileFacts, JackfieldError, type OpenFile } from "../transport/mod.ts";
import { isSameVersion, type Validators, validatorsOf, versionOf } from "./file_version.ts";

/** A file that was opened, and what is known of it. */
export interface OpenedFile {
  /** The descriptor. */
  readonly file: OpenFile;
  /** Its facts. */
  readonly facts: FileFacts;
}

/** One descriptor and all who use it. */
export class SharedFile implements OpenedFile {
  readonly file: OpenFile;
  readonly facts: FileFacts;
  /** The paths that were found to lead to it. */
  readonly paths: Set<string> = new Set();
  /** How many use it. */
  users = 1;
  /** What was last seen of it, with a reason for each difference to `facts`. */
  lastFacts: FileFacts;
  #version: string | undefined;
  #validators: Validators | undefined;

  constructor({ file, facts }: OpenedFile) {
    this.file = file;
    this.facts = facts;
    this.lastFacts = facts;
  }

  /** See {@linkcode versionOf}. */
  get version(): string {
    return this.#version ??= versionOf(this.facts);
  }

  /** Its validators: one object for all uses, once the file is no longer young. */
  validators(nowMs: number): Validators {
    if (this.#validators !== undefined) return this.#validators;
    const validators = validatorsOf(this.facts, this.version, nowMs);
    if (validators.modifiedMs !== undefined) this.#validators = validators;
    return validators;
  }
}

/**
 * The open files: one descriptor for each version of a file, shared by all who read it at the same
 * time and closed when the last of them has given it back.
 *
 * A path is taken for an open file only with fresh facts that are equal to those of the descriptor.
 */
export class OpenFiles {
  #byPath = new Map<string, SharedFile>();
  #byInode = new Map<bigint, SharedFile>();
  #opening = new Map<string, Promise<unknown>>();
  #closing = new Set<Promise<void>>();
  #maxOpen: number;
  #onCloseFailed: (error: unknown) => void;
  /** Descriptors that are open, are being opened, or are not yet closed. */
  #count = 0;

  /** Holds at most `maxOpen` descriptors. */
  constructor(maxOpen: number, onCloseFailed: (error: unknown) => void) {
    this.#maxOpen = maxOpen;
    this.#onCloseFailed = onCloseFailed;
  }

  /** How many descriptors are held. */
  get count(): number {
    return this.#count;
  }

  /** Use the open file that a path leads to, if it is this version. */
  share(path: string, facts: FileFacts): SharedFile | undefined {
    const shared = this.#byPath.get(path);
    if (shared === undefined || !isSameVersion(shared.facts, facts)) return undefined;
    shared.users++;
    return shared;
  }

  /**
   * Open a file, or use it if somebody else opens it at this moment. `open` closes what it does not
   * return.
   *
   * @throws {JackfieldError} `FILE_FAILED` with `EMFILE` and `limit` when too many are open, or what
   * `open` throws.
   */
  async open(
    path: string,
    facts: FileFacts,
    open: () => Promise<OpenedFile | undefined>,
  ): Promise<SharedFile | undefined> {
    for (let first = this.#before(path); first !== undefined; first = this.#before(path)) {
      await first;
      const shared = this.share(path, facts);
      if (shared !== undefined) return shared;
    }
    if (this.#count >= this.#maxOpen) {
      const message = `Cannot open "${path}": ${this.#maxOpen} files are open already`;
      throw new JackfieldError("FILE_FAILED", message, {
        operation: "open",
        osCode: "EMFILE",
        limit: this.#maxOpen,
      });
    }
    this.#count++;
    let opened: OpenedFile | undefined;
    let done: (() => void) | undefined;
    this.#opening.set(path, new Promise<void>((resolve) => done = resolve));
    try {
      opened = await open();
      return opened === undefined ? undefined : this.#admit(path, opened);
    } finally {
      if (opened === undefined) this.#count--;
      this.#opening.delete(path);
      done!();
    }
  }

  /** What is worth waiting for before a path is opened; it does not reject. */
  #before(path: string): Promise<unknown> | undefined {
    const other = this.#opening.get(path);
    if (other !== undefined || this.#count < this.#maxOpen) return other;
    return this.#closing.values().next().value;
  }

  /** Give a use back; the last one closes the descriptor. */
  release(shared: SharedFile): void {
    if (--shared.users > 0) return;
    for (const path of shared.paths) this.#forgetPath(path, shared);
    const { inode } = shared.facts;
    if (this.#byInode.get(inode) === shared) this.#byInode.delete(inode);
    this.#close(shared.file);
  }

  /** Keep a new descriptor, unless the same version came to be open under another path meanwhile. */
  #admit(path: string, opened: OpenedFile): SharedFile {
    const { inode } = opened.facts;
    let shared = this.#byInode.get(inode);
    if (shared !== undefined && isSameVersion(shared.facts, opened.facts)) {
      this.#close(opened.file);
      shared.users++;
    } else {
      shared = new SharedFile(opened);
      this.#byInode.set(inode, shared);
    }
    const former = this.#byPath.get(path);
    if (former !== undefined) former.paths.delete(path);
    this.#byPath.set(path, shared);
    shared.paths.add(path);
    return shared;
  }

  #forgetPath(path: string, shared: SharedFile): void {
    if (this.#byPath.get(path) === shared) this.#byPath.delete(path);
  }

  #close(file: OpenFile): void {
    const closed = file.close().catch(this.#onCloseFailed).then(() => {
      this.#count--;
      this.#closing.delete(closed);
    });
    this.#closing.add(closed);
  }
}
