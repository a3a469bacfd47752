/** An address that a host name stands for. */
export interface ResolvedAddress {
  /** The IP literal. */
  readonly hostname: string;
  /** 4 or 6. */
  readonly family: 4 | 6;
}

/** Host names to addresses. */
export interface Names {
  /**
   * The addresses of a name, best first, as the system orders them (RFC 6724).
   *
   * @throws {JackfieldError} `NAME_NOT_FOUND`.
   */
  lookup(hostname: string): Promise<readonly ResolvedAddress[]>;
}

/** What is known of a file. */
export interface FileFacts {
  /** Its length in bytes. */
  readonly size: number;
  /** When its content last changed, in milliseconds since 1970. */
  readonly modifiedMs: number;
  /** What it is. */
  readonly kind: "file" | "directory" | "other";
}

/** An open file; positions are explicit, so that many may use it at once. */
export interface OpenFile {
  /** Its facts now. */
  stat(): Promise<FileFacts>;
  /** Read at a position; resolves to the count, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Write all bytes at a position. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Set the length; what is cut off is lost, what is added reads as zeros. */
  truncate(size: number): Promise<void>;
  /** Give the descriptor back. */
  close(): Promise<void>;
}

/** The files of the host. */
export interface Files {
  /**
   * Open a file to read it, or to write it anew (`create`, which empties it).
   *
   * @throws {JackfieldError} `FILE_FAILED`, with the system's code as `osCode`.
   */
  open(path: string, options?: { readonly create?: boolean }): Promise<OpenFile>;
  /** The path without links and dots. */
  realPath(path: string): Promise<string>;
  /** The facts of what a path leads to. */
  stat(path: string): Promise<FileFacts>;
  /** Give a file another name, in place of what had that name. */
  rename(from: string, to: string): Promise<void>;
  /** Remove a file. */
  remove(path: string): Promise<void>;
  /** Join parts with the host's separator. */
  join(...parts: readonly string[]): string;
}

/** A digest that is fed piece by piece. */
export interface Digest {
  /** Add bytes. */
  update(bytes: Uint8Array): void;
  /** The result in lower-case hexadecimal; nothing can be added after it. */
  hex(): string;
}

/** Digests of the host. */
export interface Hash {
  /** A new SHA-256 (FIPS 180-4). */
  sha256(): Digest;
}

/**
 * What components need besides sockets. Each part is optional: a component that needs a missing
 * one throws `UNSUPPORTED` when it is made.
 */
export interface Host {
  /** Host names. */
  readonly names?: Names;
  /** Files. */
  readonly files?: Files;
  /** Digests. */
  readonly hash?: Hash;
}
