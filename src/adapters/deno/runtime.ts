// The few members of Deno that the adapter touches, written down here so that no consumer needs
// Deno's type library. `tests/types/deno_compat.ts` fails when they drift from the real ones.

/** One end of a connection of Deno. */
export type DenoAddr =
  | { readonly transport: "tcp" | "udp"; readonly hostname: string; readonly port: number }
  | { readonly transport: "unix" | "unixpacket"; readonly path: string }
  | { readonly transport: "vsock"; readonly cid: number; readonly port: number };

/** A connection of Deno. */
export interface DenoConn {
  /** This end. */
  readonly localAddr: DenoAddr;
  /** The far end. */
  readonly remoteAddr: DenoAddr;
  /** Resolves to the count, or `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Resolves to how many bytes the kernel took. */
  write(bytes: Uint8Array): Promise<number>;
  /** Sends the end of the stream. */
  closeWrite(): Promise<void>;
  /** Gives the descriptor back. */
  close(): void;
}

/** A TCP connection of Deno. */
export interface DenoTcpConn extends DenoConn {
  /** TCP_NODELAY. */
  setNoDelay(noDelay?: boolean): void;
  /** SO_KEEPALIVE. */
  setKeepAlive(keepAlive?: boolean): void;
}

/** A TLS connection of Deno. */
export interface DenoTlsConn extends DenoConn {
  /** Runs the handshake. */
  handshake(): Promise<{ readonly alpnProtocol: string | null }>;
}

/** A listener of Deno. */
export interface DenoListener<C extends DenoConn> {
  /** What was bound. */
  readonly addr: DenoAddr;
  /** The next connection. */
  accept(): Promise<C>;
  /** Stops listening. */
  close(): void;
  /** Keeps the program alive. */
  ref(): void;
  /** Lets the program end. */
  unref(): void;
}

/** What asking for a permission needs. */
export type DenoPermission =
  | { readonly name: "net"; readonly host?: string }
  | { readonly name: "read" | "write"; readonly path: string };

/** What Deno knows of a file; what a system does not have is `null`. */
export interface DenoFileInfo {
  /** Whether it is a regular file. */
  readonly isFile: boolean;
  /** Whether it is a folder. */
  readonly isDirectory: boolean;
  /** Its length. */
  readonly size: number;
  /** When its content last changed, in milliseconds. */
  readonly mtime: Date | null;
  /** When it last changed in any way, in whole seconds. */
  readonly ctime: Date | null;
  /** Its device. */
  readonly dev: number;
  /** Its number on the device. */
  readonly ino: number | null;
  /** How many names it has. */
  readonly nlink: number | null;
  /** Type and permission bits. */
  readonly mode: number | null;
  /** Who owns it. */
  readonly uid: number | null;
  /** The group that owns it. */
  readonly gid: number | null;
}

/** The part of the `Deno` global that the adapter uses. */
export interface DenoLike {
  /** Open a TCP connection. */
  connect(
    options: { hostname: string; port: number; signal?: AbortSignal },
  ): Promise<DenoTcpConn>;
  /** Open a Unix connection. */
  connect(options: { transport: "unix"; path: string }): Promise<DenoConn>;
  /** Listen on TCP. */
  listen(
    options: { hostname: string; port: number; tcpBacklog?: number },
  ): DenoListener<DenoTcpConn>;
  /** Listen on a Unix socket. */
  listen(options: { transport: "unix"; path: string }): DenoListener<DenoConn>;
  /** Listen with TLS. */
  listenTls(
    options: {
      hostname: string;
      port: number;
      tcpBacklog?: number;
      cert: string;
      key: string;
      alpnProtocols?: string[];
    },
  ): DenoListener<DenoTlsConn>;
  /** Put TLS on a connection. */
  startTls(
    conn: DenoTcpConn,
    options: { hostname: string; caCerts?: string[]; alpnProtocols?: string[] },
  ): Promise<DenoTlsConn>;
  /** The facts of what a path leads to. */
  statSync(path: string): DenoFileInfo;
  /** The same without following a link. */
  lstatSync(path: string): DenoFileInfo;
  /** What is granted. */
  readonly permissions: {
    querySync(permission: DenoPermission): { readonly state: "granted" | "prompt" | "denied" };
  };
}

/** Whether this is Deno. */
export function isDeno(): boolean {
  return "Deno" in globalThis;
}

/** The global of Deno; only to be called in Deno. */
export function denoGlobal(): DenoLike {
  return (globalThis as unknown as { Deno: DenoLike }).Deno;
}
