import { HeadReader, parseRequestHead } from "../http/mod.ts";
import {
  type Clock,
  formatAddress,
  isJackfieldError,
  JackfieldError,
  type Listener,
  type OnError,
  type Socket,
  type SocketAddress,
  systemClock,
} from "../transport/mod.ts";
import { textAnswer } from "./answer.ts";
import {
  DownloadManager,
  type DownloadManagerOptions,
  type DownloadStats,
} from "./download_manager.ts";
import { lingeringClose } from "./linger.ts";

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
   * The most connections at once; further ones wait in the kernel or in the accept queue.
   *
   * @default {10_000}
   */
  readonly maxConnections?: number;
  /**
   * Milliseconds that a request's head may take, from its first byte, and that an idle connection is
   * kept for the next request.
   *
   * @default {60_000}
   */
  readonly idleTimeoutMs?: number;
}

/** A server of files. */
export interface DownloadServer extends AsyncDisposable {
  /** What the kernel bound. */
  readonly address: SocketAddress;
  /** The address as a URL, with a slash at the end. */
  readonly url: string;
  /** What it does now. */
  stats(): DownloadStats & { readonly connections: number };
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
 */
export async function serveDownloads(options: ServeDownloadsOptions): Promise<DownloadServer> {
  const { hostname, port, maxConnections = 10_000, idleTimeoutMs = 60_000 } = options;
  if (!(maxConnections >= 1)) {
    throw new RangeError(`Cannot use maxConnections "${maxConnections}": expected at least 1`);
  }
  if (!(idleTimeoutMs > 0)) {
    throw new RangeError(`Cannot use idleTimeoutMs "${idleTimeoutMs}": expected more than 0`);
  }
  const manager = new DownloadManager(options);
  await manager.check();
  const listener = await options.transport.listen({ hostname, port, onError: options.onError });
  return new ManagedServer(listener, manager, { ...options, maxConnections, idleTimeoutMs });
}

interface ServerOptions {
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  readonly clock?: Clock;
  readonly onError?: OnError;
}

/** How long `close` waits for downloads unless it is told. */
const DRAIN_MS = 30_000;

class ManagedServer implements DownloadServer {
  #listener: Listener;
  #manager: DownloadManager;
  #options: ServerOptions;
  #clock: Clock;
  /** Connections that wait for a request, or are reading one. */
  #reading = new Set<Socket>();
  #connections = 0;
  #roomMade: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #emptied: (() => void) | undefined;

  constructor(listener: Listener, manager: DownloadManager, options: ServerOptions) {
    this.#listener = listener;
    this.#manager = manager;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    void this.#acceptAll();
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  get url(): string {
    return `http://${formatAddress(this.address)}/`;
  }

  stats(): DownloadStats & { readonly connections: number } {
    return { ...this.#manager.stats(), connections: this.#connections };
  }

  close({ timeoutMs = DRAIN_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#closing ??= this.#drain(timeoutMs);
  }

  abort(reason?: unknown): void {
    void this.close();
    for (const socket of this.#reading) {
      if (socket.state !== "closing") socket.abort(reason);
    }
    this.#manager.abort(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #acceptAll(): Promise<void> {
    for await (const socket of this.#listener) {
      this.#connections++;
      void this.#serve(socket);
      if (this.#connections >= this.#options.maxConnections) {
        await new Promise<void>((resolve) => this.#roomMade = resolve);
      }
    }
  }

  /** Serve the requests of one connection, one after the other. */
  async #serve(accepted: Socket): Promise<void> {
    let socket: Socket | undefined = accepted;
    try {
      while (socket !== undefined) socket = await this.#serveOne(socket);
    } catch {
      // The manager has reported it, or the client is gone: nobody is left to tell. What is closing
      // (it was idle for too long, or the server ends) does so in good order.
      if (socket?.state !== "closing") socket?.abort();
    } finally {
      this.#connections--;
      this.#roomMade?.();
      if (this.#connections === 0) this.#emptied?.();
    }
  }

  async #serveOne(socket: Socket): Promise<Socket | undefined> {
    const reader = new HeadReader(socket, "HTTP_BAD_REQUEST");
    this.#reading.add(socket);
    const cancel = this.#clock.schedule(this.#options.idleTimeoutMs, () => void socket.close());
    try {
      if (this.#closing !== undefined) return void await socket.close();
      const head = await reader.next();
      if (head === undefined) return void await socket.close();
      const request = { ...parseRequestHead(head), unread: reader.unread };
      this.#reading.delete(socket);
      cancel();
      return (await this.#manager.take(socket, request)).socket;
    } catch (error) {
      if (!isJackfieldError(error, "HTTP_BAD_REQUEST")) throw error;
      const { head, text } = textAnswer(undefined, 400, `${error.message}.\n`, false);
      await socket.write(head);
      await socket.write(text);
      return void await lingeringClose(socket, this.#clock);
    } finally {
      this.#reading.delete(socket);
      cancel();
    }
  }

  async #drain(timeoutMs: number): Promise<void> {
    await this.#listener.close();
    this.#roomMade?.();
    for (const socket of this.#reading) void socket.close();
    const message = `Cannot finish downloads: ${timeoutMs} ms are over`;
    const late = new JackfieldError("DOWNLOAD_CLOSED", message, { limit: timeoutMs });
    const cancel = this.#clock.schedule(timeoutMs, () => this.#manager.abort(late));
    await this.#manager.close();
    if (this.#connections > 0) await new Promise<void>((resolve) => this.#emptied = resolve);
    cancel();
  }
}
