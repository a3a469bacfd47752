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

/** A value that goes along with asynchronous work: whoever is called within `run` reads it. */
export interface ContextVariable<T> {
  /** The value of the work that asks; `undefined` outside of every `run`. */
  get(): T | undefined;
  /** Call `work` with a value, which everything that it begins reads too. */
  run<R>(value: T, work: () => R): R;
}

/** Values that go along with asynchronous work. */
export interface Contexts {
  /** A new variable. */
  create<T>(): ContextVariable<T>;
}

/** A named channel that tools of the runtime can listen to. */
export interface DiagnosticsChannel {
  /** Whether anybody listens. */
  readonly hasSubscribers: boolean;
  /** Tell who listens. */
  publish(message: unknown): void;
}

/** Named channels that tools of the runtime can listen to. */
export interface Diagnostics {
  /** The channel of that name, the same one every time. */
  channel(name: string): DiagnosticsChannel;
}

/** An address that an interface of the host has. */
export interface InterfaceAddress {
  /** The IP literal, without a zone. */
  readonly hostname: string;
  /** 4 or 6. */
  readonly family: 4 | 6;
  /** The name of the interface, such as `eth0`. */
  readonly interface: string;
  /** The length of the network's prefix in bits. */
  readonly prefixLength: number;
  /** How far the address reaches: this host, its link, or beyond. */
  readonly scope: "host" | "link" | "global";
}

/** An address that was added to an interface, until it is removed. */
export interface AssignedAddress {
  /**
   * Keep it for that long from now on; the kernel removes it afterwards by itself.
   *
   * @throws {JackfieldError} `ADDRESS_LEASE_LOST` when its time is over already: the address may be
   * somebody else's by now. `ADDRESS_ASSIGN_FAILED` for everything else.
   */
  renew(validMs: number): Promise<void>;
  /**
   * Take it away; sockets that still use it are destroyed. A second call does nothing.
   *
   * @throws {JackfieldError} `ADDRESS_ASSIGN_FAILED`.
   */
  remove(): Promise<void>;
}

/** Options of {@linkcode Interfaces.assign}. */
export interface AssignOptions {
  /** The IP literal to add, as a host address (/32 or /128). */
  readonly hostname: string;
  /** The name of the interface. */
  readonly interface: string;
  /** Milliseconds, at least 1000, until the kernel removes it by itself, unless it is renewed. */
  readonly validMs: number;
  /**
   * What tools show for it (IPv4 only): the interface's name, a colon and a word, up to 15 bytes.
   *
   * @default {the interface's name and `:jf`, if that fits}
   */
  readonly label?: string;
}

/** The network interfaces of the host. All but `list` is `UNSUPPORTED` outside of Linux. */
export interface Interfaces {
  /**
   * The addresses they have now.
   *
   * @throws {JackfieldError} `PERMISSION_DENIED`.
   */
  list(): readonly InterfaceAddress[];
  /**
   * Add an address to an interface. One that is there already is left alone, and is an error.
   *
   * @throws {JackfieldError} `ADDRESS_ASSIGN_FAILED`, which names the command that an administrator
   * would run; `PERMISSION_DENIED`.
   */
  assign(options: AssignOptions): Promise<AssignedAddress>;
  /**
   * Remove the addresses that were added by processes that have ended without removing them, from
   * one interface or from all; resolves to what was removed. The kernel does it by itself when
   * their time is over: this is for those who cannot wait.
   *
   * @throws {JackfieldError} `ADDRESS_ASSIGN_FAILED` or `PERMISSION_DENIED`.
   */
  removeLeftovers(interfaceName?: string): Promise<readonly string[]>;
  /**
   * Whether packets from a local address to a destination have a way out; both are IP literals.
   *
   * @throws {JackfieldError} `ADDRESS_ASSIGN_FAILED`, which names what is missing: the address, the
   * route, the rule, or a gateway that answers. `PERMISSION_DENIED`.
   */
  checkRoute(destination: string, localAddress: string): Promise<void>;
}

/** The local ports that the system gives to connections. */
export interface LocalPorts {
  /** The first port. */
  readonly from: number;
  /** The last port. */
  readonly to: number;
  /** Ports that are kept for others, each a range with both ends included. */
  readonly reserved: readonly { readonly from: number; readonly to: number }[];
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
  /** Values that go along with asynchronous work. */
  readonly contexts?: Contexts;
  /** Channels for tools. */
  readonly diagnostics?: Diagnostics;
  /** Network interfaces. */
  readonly interfaces?: Interfaces;
  /** The system's range of local ports; `undefined` where it may not be read. It never asks. */
  localPorts?(): LocalPorts | undefined;
}
