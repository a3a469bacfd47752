import type { SocketAddress } from "./address.ts";
import type { JackfieldError } from "./errors.ts";
import type { Descriptors, OwnerLink, Owners, SuccessionLink, Successors } from "./owner_link.ts";

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
  /** What it is; `link` only when links are not followed. */
  readonly kind: "file" | "directory" | "link" | "other";
  /** The device that it lies on; together with `inode` it tells the file from all others. */
  readonly device: bigint;
  /** Its number on that device. */
  readonly inode: bigint;
  /** The same as `modifiedMs` in nanoseconds, as exact as the runtime tells (Deno: milliseconds). */
  readonly modifiedNs: bigint;
  /**
   * When its content, its name or its attributes last changed, which nobody can set at will; in
   * nanoseconds since 1970, as exact as the runtime tells (Deno: seconds).
   */
  readonly changedNs: bigint;
  /** How many names it has; 0 when it is open and has none any more. */
  readonly links: number;
  /** Its type and permission bits. */
  readonly mode: number;
  /** Who owns it. */
  readonly userId: number;
  /** The group that owns it. */
  readonly groupId: number;
}

/** A digest that files are known by (RFC 9530). */
export type FileDigestAlgorithm = "sha-256" | "sha-512";

/** An open file; positions are explicit, so that many may use it at once. */
export interface OpenFile {
  /** Its facts now. */
  stat(): Promise<FileFacts>;
  /**
   * The path by which the system knows it now, without links; `undefined` where the system does not
   * tell. Behind one that was removed stands ` (deleted)`.
   */
  realPath(): Promise<string | undefined>;
  /** Read at a position; resolves to the count, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /**
   * The digest of its bytes up to `size`, computed in another thread where there can be one.
   *
   * @throws {JackfieldError} `FILE_FAILED`, also when it is shorter; or the reason of `signal`.
   */
  digest(
    algorithm: FileDigestAlgorithm,
    size: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Write all bytes at a position. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Set the length; what is cut off is lost, what is added reads as zeros. */
  truncate(size: number): Promise<void>;
  /**
   * Set the length of a file that is going to be filled, unless the file system is known to have no
   * room for it. No prompt asks for the permission to look: without it nothing is known.
   *
   * @throws {JackfieldError} `FILE_FAILED` with `ENOSPC`.
   */
  allocate?(size: number): Promise<void>;
  /** Wait until what was written stands on the disk (fdatasync(2)). */
  sync?(): Promise<void>;
  /** Give the descriptor back, once what is being read has been read. */
  close(): Promise<void>;
}

/** An open folder. Where the kernel tells what is open, it stays the same under whatever name. */
export interface OpenFolder {
  /** See {@linkcode OpenFile.realPath}; what has none is looked up by its name each time. */
  realPath(): Promise<string | undefined>;
  /** The names in it, at most so many, in no order. */
  list(maxNames: number): Promise<readonly string[]>;
  /** See {@linkcode Files.lookUp}, for a name in it. */
  lookUp(
    name: string,
    options?: { readonly followLinks?: boolean },
  ): Promise<FileFacts | undefined>;
  /** Give the descriptor back. */
  close(): Promise<void>;
}

/** Options of {@linkcode Files.open}. */
export interface OpenFileOptions {
  /**
   * Make the file, or empty the one that is there, to write it anew.
   *
   * @default {false}
   */
  readonly create?: boolean;
  /**
   * Change the one that is there.
   *
   * @default {false}
   */
  readonly update?: boolean;
  /**
   * Fail with ELOOP when the last part of a path to read from is a link.
   *
   * @default {false}
   */
  readonly noFollow?: boolean;
}

/** The files of the host. */
export interface Files {
  /**
   * Open a file to read it, to write it anew (`create`), or to change one that is there (`update`).
   * To open a named pipe to read from does not wait for its other end.
   *
   * @throws {JackfieldError} `FILE_FAILED`, with the system's code as `osCode`.
   */
  open(path: string, options?: OpenFileOptions): Promise<OpenFile>;
  /** The path without links and dots. */
  realPath(path: string): Promise<string>;
  /** The facts of what a path leads to. */
  stat(path: string): Promise<FileFacts>;
  /**
   * The same, or `undefined` when nothing is there; with `followLinks: false` the facts of a link
   * itself.
   */
  lookUp(
    path: string,
    options?: { readonly followLinks?: boolean },
  ): Promise<FileFacts | undefined>;
  /**
   * Open a folder to see what is in it.
   *
   * @throws {JackfieldError} `FILE_FAILED`.
   */
  openFolder(path: string): Promise<OpenFolder>;
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
  /**
   * The hardware address of an interface, such as `02:00:5e:10:00:01`; `undefined` where the system
   * does not tell it. It never asks.
   */
  hardwareAddress?(interfaceName: string): string | undefined;
  /**
   * Have what is sent to 255.255.255.255 leave through this interface. The kernel forgets it when the
   * interface loses its last address.
   *
   * @throws {Error} When the right is missing.
   */
  routeBroadcasts?(interfaceName: string): Promise<void>;
  /** Take that back. */
  unrouteBroadcasts?(interfaceName: string): Promise<void>;
}

/** Options of {@linkcode Datagrams.open}. */
export interface OpenDatagramsOptions {
  /** The IPv4 literal to bind. */
  readonly hostname: string;
  /** The port to bind, 1 to 65535. */
  readonly port: number;
  /** Told of each datagram. */
  readonly onMessage: (bytes: Uint8Array, from: SocketAddress) => void;
  /** Told when the socket fails by itself: it is closed then. */
  readonly onError: (error: unknown) => void;
}

/** A UDP socket (RFC 768). It keeps no program alive. */
export interface DatagramSocket {
  /**
   * Send one datagram, to a broadcast address too; resolves when the system has taken it.
   *
   * @throws {JackfieldError} `SOCKET_FAILED` or `PERMISSION_DENIED`.
   */
  send(bytes: Uint8Array, to: SocketAddress): Promise<void>;
  /** Give the port back; a second call does nothing. */
  close(): Promise<void>;
}

/** Datagrams over IPv4. */
export interface Datagrams {
  /**
   * Bind a port that nobody else has.
   *
   * @throws {JackfieldError} `LISTEN_FAILED` with its reason, or `PERMISSION_DENIED`.
   */
  open(options: OpenDatagramsOptions): Promise<DatagramSocket>;
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

/** The file descriptors of this process. */
export interface DescriptorUse {
  /** How many it may have (RLIMIT_NOFILE, getrlimit(2)). */
  readonly limit: number;
  /** How many it has now. */
  readonly open: number;
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
  /** Datagrams. */
  readonly datagrams?: Datagrams;
  /** Threads. */
  readonly workers?: Owners;
  /** Child processes. */
  readonly processes?: Owners;
  /** Who started this thread or process by `workers` or `processes`; `undefined` in any other. */
  readonly parent?: OwnerLink;
  /** Processes that take over from this one. */
  readonly successors?: Successors;
  /** The process from which this one is to take over; `undefined` in any other. */
  readonly predecessor?: SuccessionLink;
  /**
   * Duplicates of connections for other threads. They are loaded by the call.
   *
   * @throws {JackfieldError} What `checkDescriptors` returns.
   */
  descriptors?(): Promise<Descriptors>;
  /** Why `descriptors` rejects: `PERMISSION_DENIED` or `UNSUPPORTED`. It never asks. */
  checkDescriptors?(): JackfieldError | undefined;
  /** The process's file descriptors; `undefined` where it may not be read. It never asks. */
  descriptorUse?(): DescriptorUse | undefined;
  /** The system's range of local ports; `undefined` where it may not be read. It never asks. */
  localPorts?(): LocalPorts | undefined;
}
