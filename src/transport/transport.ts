import { ipVersion, type SocketAddress, withoutBrackets } from "./address.ts";
import type { Host } from "./host.ts";
import type { Listener, OnError } from "./listener.ts";
import type { Socket } from "./socket.ts";
import type { TlsConnectOptions, TlsListenOptions } from "./tls_options.ts";

/** A TCP address to connect to. */
export interface TcpTarget {
  /** A host name or an IP literal. */
  readonly hostname: string;
  /** 1 to 65535. */
  readonly port: number;
  /** Secure the connection; `true` for the defaults. */
  readonly tls?: boolean | TlsConnectOptions;
}

/** A Unix socket to connect to. */
export interface UnixTarget {
  /** A path; a leading NUL character marks Linux's abstract namespace (unix(7)). */
  readonly path: string;
  /** Secure the connection; a `serverName` is needed then. */
  readonly tls?: TlsConnectOptions;
}

/** Where to connect to. */
export type Target = TcpTarget | UnixTarget;

/** Options of {@linkcode Transport.connect}. */
export interface ConnectOptions {
  /** Gives up; the promise rejects with the signal's reason at once. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds for name, connection and TLS together; `Infinity` for no limit.
   *
   * @default {30_000}
   */
  readonly timeoutMs?: number;
  /** The IP literal to connect from; it is read back, and the connection refused if it differs. */
  readonly localAddress?: string;
  /** The port to connect from, 1 to 65535; needs `localAddress`. */
  readonly localPort?: number;
  /**
   * Send small writes at once (TCP_NODELAY, tcp(7)).
   *
   * @default {true}
   */
  readonly noDelay?: boolean;
  /**
   * Probe an idle connection (SO_KEEPALIVE, socket(7)).
   *
   * @default {false}
   */
  readonly keepAlive?: boolean;
  /** Make a socket that can be handed to another process later, and in Deno to another thread. */
  readonly transferable?: boolean;
  /**
   * Called once for every call that gives no socket, when it holds no descriptor any more. Where
   * `capabilities.cancelConnect` is false that may be long after the promise was rejected.
   */
  readonly onReleased?: () => void;
}

/** Options of {@linkcode Transport.listen}. */
export interface ListenOptions {
  /**
   * An IP literal, or a host name: then everything it stands for is bound, with one port.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string;
  /**
   * 0 to 65535; 0 lets the kernel choose.
   *
   * @default {0}
   */
  readonly port?: number;
  /** Listen on a Unix socket instead. The file is removed on close. */
  readonly path?: string;
  /** How many connections the kernel holds until they are accepted (listen(2)). */
  readonly backlog?: number;
  /** Share the port with other listeners (SO_REUSEPORT, socket(7)). */
  readonly reusePort?: boolean;
  /**
   * See {@linkcode ConnectOptions.noDelay}; for what is accepted.
   *
   * @default {true, or the system's setting without `capabilities.tlsListenNoDelay`}
   */
  readonly noDelay?: boolean;
  /**
   * See {@linkcode ConnectOptions.keepAlive}; for what is accepted.
   *
   * @default {false}
   */
  readonly keepAlive?: boolean;
  /** Secure what is accepted. */
  readonly tls?: TlsListenOptions;
  /** Accept sockets that can be handed to another process later, and in Deno to another thread. */
  readonly transferable?: boolean;
  /**
   * How many accepted connections may wait for `accept` in Bun and Node, which accept unasked. With
   * a number that is given, further ones wait in the kernel, on TCP and in Bun on Linux; elsewhere,
   * and without one, they are reset and reported to `onError`.
   *
   * @default {4096}
   */
  readonly maxPending?: number;
  /** Told of failed accepts; the listener goes on. */
  readonly onError?: OnError;
}

/** What a transport can do. An option that needs what it cannot do throws `UNSUPPORTED`. */
export interface Capabilities {
  /** `listen`. */
  readonly listen: boolean;
  /** Unix sockets. */
  readonly unix: boolean;
  /** TLS on connections opened from here. */
  readonly tls: boolean;
  /** TLS on accepted connections. */
  readonly tlsListen: boolean;
  /** `Socket.startTls`. */
  readonly startTls: boolean;
  /** `localAddress` and `localPort`. */
  readonly localAddress: boolean;
  /** `noDelay: false`; `true` works for everything but TLS on a listener. */
  readonly noDelay: boolean;
  /** `noDelay: true` on a TLS listener. */
  readonly tlsListenNoDelay: boolean;
  /** `keepAlive`. */
  readonly keepAlive: boolean;
  /** `reusePort`. */
  readonly reusePort: boolean;
  /** `backlog`. */
  readonly backlog: boolean;
  /** `Socket.abort` sends a reset; otherwise it only closes. */
  readonly reset: boolean;
  /** A connect that is given up ends in the kernel too, at once. */
  readonly cancelConnect: boolean;
  /** `transferable`. */
  readonly transferable: boolean;
}

/**
 * Where sockets come from: the only thing the core knows of a runtime.
 *
 * Everything else a component needs stands in `host`.
 */
export interface Transport {
  /** `deno`, `bun`, `node`, `memory`, `workerd`, or a name of your own. */
  readonly name: string;
  /** What it can do. */
  readonly capabilities: Capabilities;
  /** What its runtime offers besides sockets. */
  readonly host: Host;
  /**
   * Open a connection.
   *
   * @throws {JackfieldError} `CONNECT_FAILED` with a `reason`, `CONNECT_TIMEOUT`,
   * `NAME_NOT_FOUND`, `PERMISSION_DENIED` or `UNSUPPORTED`; or the signal's reason.
   */
  connect(target: Target, options?: ConnectOptions): Promise<Socket>;
  /**
   * Listen for connections.
   *
   * @throws {JackfieldError} `LISTEN_FAILED` with a `reason`, `NAME_NOT_FOUND`,
   * `PERMISSION_DENIED` or `UNSUPPORTED`.
   */
  listen(options?: ListenOptions): Promise<Listener>;
}

/** The address that a target names, for errors and keys. */
export function addressOfTarget(target: Target): SocketAddress {
  return "path" in target
    ? { hostname: "", port: 0, path: target.path }
    : { hostname: withoutBrackets(target.hostname), port: target.port };
}

/** The TLS options of a target with the server name filled in, or `undefined` without TLS. */
export function tlsOfTarget(
  target: Target,
): TlsConnectOptions & { serverName: string } | undefined {
  if (target.tls === undefined || target.tls === false) return undefined;
  const options = target.tls === true ? {} : target.tls;
  const serverName = options.serverName ??
    ("path" in target ? "" : addressOfTarget(target).hostname);
  if (serverName === "") {
    throw new TypeError(`Cannot secure unix:${(target as UnixTarget).path}: serverName is missing`);
  }
  return { ...options, serverName };
}

/** Whether a target must be looked up before it can be connected to from a given address. */
export function isHostName(hostname: string): boolean {
  return ipVersion(withoutBrackets(hostname)) === 0;
}
