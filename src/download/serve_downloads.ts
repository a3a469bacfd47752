import { DEFAULT_MAX_FIELDS, DEFAULT_MAX_HEAD_BYTES } from "../http/mod.ts";
import { Deadlines } from "../queue/mod.ts";
import {
  type Clock,
  formatAddress,
  JackfieldError,
  type Listener,
  type SocketAddress,
  systemClock,
  type TlsListenOptions,
} from "../transport/mod.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import type { Download } from "./download.ts";
import type { DownloadStats } from "./download_desk.ts";
import { DownloadManager, keepReady, shortDeskOf } from "./download_manager.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import type { Placement } from "./placement.ts";
import { assertAtLeast } from "./settings.ts";

/** Options of {@linkcode serveDownloads}. */
export interface ServeDownloadsOptions extends DownloadManagerOptions {
  /**
   * An IP literal or a host name.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string;
  /**
   * 0 lets the kernel choose.
   *
   * @default {0}
   */
  readonly port?: number;
  /**
   * Share the port with other listeners (SO_REUSEPORT, socket(7)): several threads or processes may
   * listen on it.
   *
   * @default {false}
   */
  readonly reusePort?: boolean;
  /** The certificate and key of the server: it speaks https then. */
  readonly tls?: TlsListenOptions;
  /**
   * The most connections at once; further ones wait in the kernel or in the accept queue.
   *
   * @default {10_000}
   */
  readonly maxConnections?: number;
  /**
   * Milliseconds for which a connection without a request is kept.
   *
   * @default {60_000}
   */
  readonly idleTimeoutMs?: number;
  /**
   * Milliseconds from the first byte of a request's head to its last, 408 after that.
   *
   * @default {15_000}
   */
  readonly headTimeoutMs?: number;
  /**
   * The most requests on one connection, which ends with the last one.
   *
   * @default {1000}
   */
  readonly maxRequests?: number;
  /**
   * The longest head of a request, in bytes; 431 beyond.
   *
   * @default {16_384}
   */
  readonly maxHeadBytes?: number;
  /**
   * The most field lines of a request; 431 beyond.
   *
   * @default {100}
   */
  readonly maxFields?: number;
}

/** A server of files. */
export interface DownloadServer extends AsyncDisposable {
  /** What the kernel bound. */
  readonly address: SocketAddress;
  /** The address as a URL, with a slash at the end. */
  readonly url: string;
  /** Where the manager works: what `auto` has become, too. */
  readonly placement: Exclude<Placement, "auto">;
  /** The limit of all downloads together, in bytes per second; it may be changed at any time. */
  maxBytesPerSecond: number;
  /** What it does now. */
  stats(): DownloadStats & { readonly connections: number };
  /** The downloads that it has now: to look at, pause, resume and cancel. */
  downloads(): readonly Download[];
  /**
   * Accept no more, close idle connections, finish what is being sent. Idempotent; after
   * `timeoutMs` (30 seconds unless said) what is left is aborted.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** End everything now. */
  abort(reason?: unknown): void;
}

/**
 * Serve the files of a folder over HTTP/1.1.
 *
 * @throws {JackfieldError} `FILE_FAILED` for a folder that is not there, `LISTEN_FAILED` with a
 * reason, such as a port in use.
 * @throws {RangeError} When a number is out of range.
 * @throws {TypeError} When another option cannot be used.
 */
export async function serveDownloads(options: ServeDownloadsOptions): Promise<DownloadServer> {
  const limits = readLimits(options);
  const { hostname, port, tls, reusePort, onError } = options;
  // A connection with TLS cannot travel: there would be nothing for another thread to do.
  const inline = tls !== undefined && options.placement === "auto";
  const manager = new DownloadManager(inline ? { ...options, placement: "inline" } : options);
  try {
    await manager.check();
    const transferable = manager.placement !== "inline" && tls === undefined;
    const listener = await options.transport.listen({
      hostname,
      port,
      tls,
      reusePort,
      onError,
      ...(transferable ? { transferable } : {}),
    });
    keepReady(manager);
    return new ManagedServer(listener, manager, limits, options);
  } catch (error) {
    await manager.close();
    throw error;
  }
}

interface Limits {
  readonly maxConnections: number;
  readonly maxRequests: number;
  readonly idleTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly maxFields: number;
}

function readLimits(options: ServeDownloadsOptions): Limits {
  const {
    maxConnections = 10_000,
    maxRequests = 1000,
    idleTimeoutMs = 60_000,
    headTimeoutMs = 15_000,
    maxHeadBytes = DEFAULT_MAX_HEAD_BYTES,
    maxFields = DEFAULT_MAX_FIELDS,
  } = options;
  assertAtLeast("maxConnections", maxConnections, 1);
  assertAtLeast("maxRequests", maxRequests, 1);
  assertAtLeast("idleTimeoutMs", idleTimeoutMs, 1);
  assertAtLeast("headTimeoutMs", headTimeoutMs, 1);
  assertAtLeast("maxHeadBytes", maxHeadBytes, 128);
  assertAtLeast("maxFields", maxFields, 1);
  return { maxConnections, maxRequests, idleTimeoutMs, headTimeoutMs, maxHeadBytes, maxFields };
}

/** How long `close` waits for downloads unless it is told. */
const DRAIN_MS = 30_000;

class ManagedServer implements DownloadServer {
  #listener: Listener;
  #manager: DownloadManager;
  #maxConnections: number;
  #clock: Clock;
  #scheme: "http" | "https";
  #context: ConnectionContext;
  #connections = new Set<Connection>();
  #roomMade: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #emptied: (() => void) | undefined;

  constructor(
    listener: Listener,
    manager: DownloadManager,
    { maxConnections, ...limits }: Limits,
    { clock = systemClock, tls }: ServeDownloadsOptions,
  ) {
    this.#listener = listener;
    this.#manager = manager;
    this.#maxConnections = maxConnections;
    this.#clock = clock;
    this.#scheme = tls === undefined ? "http" : "https";
    const isClosing = () => this.#closing !== undefined;
    const deadlines = new Deadlines(clock);
    this.#context = {
      ...limits,
      manager,
      short: shortDeskOf(manager),
      clock,
      deadlines,
      isClosing,
    };
    void this.#acceptAll();
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  get url(): string {
    return `${this.#scheme}://${formatAddress(this.address)}/`;
  }

  get placement(): Exclude<Placement, "auto"> {
    return this.#manager.placement;
  }

  get maxBytesPerSecond(): number {
    return this.#manager.maxBytesPerSecond;
  }

  set maxBytesPerSecond(bytesPerSecond: number) {
    this.#manager.maxBytesPerSecond = bytesPerSecond;
  }

  stats(): DownloadStats & { readonly connections: number } {
    return { ...this.#manager.stats(), connections: this.#connections.size };
  }

  downloads(): readonly Download[] {
    return this.#manager.downloads();
  }

  close({ timeoutMs = DRAIN_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#closing ??= this.#drain(timeoutMs);
  }

  abort(reason?: unknown): void {
    void this.close();
    for (const connection of this.#connections) connection.abort(reason);
    this.#manager.abort(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #acceptAll(): Promise<void> {
    for await (const socket of this.#listener) {
      const connection = new Connection(socket, this.#context);
      this.#connections.add(connection);
      connection.serve(() => this.#ended(connection));
      if (this.#connections.size >= this.#maxConnections) {
        await new Promise<void>((resolve) => this.#roomMade = resolve);
      }
    }
  }

  #ended(connection: Connection): void {
    this.#connections.delete(connection);
    this.#roomMade?.();
    if (this.#connections.size === 0) this.#emptied?.();
  }

  async #drain(timeoutMs: number): Promise<void> {
    await this.#listener.close();
    this.#roomMade?.();
    for (const connection of this.#connections) connection.end();
    const message = `Cannot finish downloads: ${timeoutMs} ms are over`;
    const late = new JackfieldError("DOWNLOAD_CLOSED", message, { limit: timeoutMs });
    const cancel = this.#clock.schedule(timeoutMs, () => this.#manager.abort(late));
    await this.#manager.close();
    if (this.#connections.size > 0) await new Promise<void>((resolve) => this.#emptied = resolve);
    cancel();
  }
}
