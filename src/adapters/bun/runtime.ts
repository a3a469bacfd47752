// The few members of Bun that the adapter touches, written down here so that no consumer needs
// Bun's type library. `tests/types/bun_compat.ts` fails when they drift from the real ones.

/** A socket of `Bun.connect` or `Bun.listen`. */
export interface BunSocket {
  /** Where the adapter keeps its driver. */
  data: unknown;
  /** Its descriptor. */
  readonly fd?: number;
  /** This end. */
  readonly localAddress: string;
  /** This end. */
  readonly localPort: number;
  /** The far end. */
  readonly remoteAddress: string;
  /** The far end. */
  readonly remotePort: number;
  /** What TLS agreed on. */
  readonly alpnProtocol: string | false | null;
  /** How many bytes the kernel took; -1 when it takes none any more. */
  write(bytes: Uint8Array<ArrayBuffer>): number;
  /** Sends what is left, then closes. */
  end(): void;
  /** Sends the end of the stream. */
  shutdown(): void;
  /** Closes with a reset. */
  terminate(): void;
  /** Deliver nothing. */
  pause(): void;
  /** Deliver again. */
  resume(): void;
  /** TCP_NODELAY. */
  setNoDelay(noDelay?: boolean): boolean;
  /** SO_KEEPALIVE. */
  setKeepAlive(enable?: boolean, initialDelay?: number): boolean;
  /** Put TLS on the connection. */
  upgradeTLS(
    options: { data?: unknown; tls: BunTls; socket: BunHandlers },
  ): [raw: BunSocket, tls: BunSocket];
}

/** TLS options of Bun. */
export interface BunTls {
  serverName?: string;
  ca?: string[];
  cert?: string;
  key?: string;
  ALPNProtocols?: Uint8Array<ArrayBuffer>;
  rejectUnauthorized?: boolean;
}

/** The callbacks of a socket of Bun. */
export interface BunHandlers {
  open?(socket: BunSocket): void;
  handshake?(socket: BunSocket, success: boolean, error: Error | null): void;
  data?(socket: BunSocket, chunk: Uint8Array): void;
  drain?(socket: BunSocket): void;
  end?(socket: BunSocket): void;
  error?(socket: BunSocket, error: Error): void;
  close?(socket: BunSocket, error?: Error): void;
  connectError?(socket: BunSocket, error: Error): void;
  binaryType?: "uint8array";
}

/** A listener of Bun. */
export interface BunListener {
  /** What was bound. */
  readonly port?: number;
  /** Stop listening; `true` closes what was accepted, too. */
  stop(closeActiveConnections?: boolean): void;
  /** Keeps the program alive. */
  ref(): void;
  /** Lets the program end. */
  unref(): void;
}

/** What connect and listen have in common. */
export interface BunSocketOptions {
  hostname: string;
  port: number;
  unix?: string;
  localAddress?: string;
  localPort?: number;
  reusePort?: boolean;
  allowHalfOpen?: boolean;
  tls?: BunTls;
  data?: unknown;
  socket: BunHandlers;
}

/** The part of the `Bun` global that the adapter uses. */
export interface BunLike {
  /** Open a connection. */
  connect(options: BunSocketOptions): Promise<BunSocket>;
  /** Listen for connections. */
  listen(options: BunSocketOptions): BunListener;
}

/** Whether this is Bun. */
export function isBun(): boolean {
  return "Bun" in globalThis;
}

/** The global of Bun; only to be called in Bun. */
export function bunGlobal(): BunLike {
  return (globalThis as unknown as { Bun: BunLike }).Bun;
}
