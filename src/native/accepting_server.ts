import { setTimeout } from "node:timers";
import type {
  Download,
  DownloadServer,
  HandOverResult,
  Placement,
  ServeDownloadsOptions,
} from "../download/mod.ts";
import { packError, unpackError } from "../handoff/packed_error.ts";
import {
  JackfieldError,
  type OnError,
  type OwnerEnd,
  type SocketAddress,
  type StartedOwner,
  type StartOptions,
  unsupported,
} from "../transport/mod.ts";
import { systemWorkers } from "../adapters/shared/system_workers.ts";
import type { PlainServeOptions, ServeNews, ServeOrder } from "./serve_words.ts";

/** The script of the thread, in `src/roots/`. */
export const SERVE_SCRIPT = "serve_files";

/** How long after the end of a thread the next one is started. */
const AGAIN_MS = 250;

/** Start a server in a thread of its own, which listens by itself. */
export async function serveInThread(
  options: ServeDownloadsOptions,
  script: StartOptions,
): Promise<DownloadServer> {
  const { transport: _transport, engine: _engine, onError, ...plain } = options;
  const server = new AcceptingServer(plain, onError, script);
  await server.begin();
  return server;
}

/**
 * A server, seen from the thread that has started the one in which it works.
 *
 * Nothing of a request or a connection is known here, but what the thread tells ten times a second.
 * When the thread should end by an error, another one listens on the same port soon after.
 */
class AcceptingServer implements DownloadServer {
  readonly placement: Exclude<Placement, "auto"> = "thread";
  #options: PlainServeOptions;
  #onError: OnError | undefined;
  #script: StartOptions;
  #thread: StartedOwner | undefined;
  #listening: Extract<ServeNews, { kind: "listening" }> | undefined;
  #stats: ReturnType<DownloadServer["stats"]> | undefined;
  #closing: Promise<void> | undefined;
  #closed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(options: PlainServeOptions, onError: OnError | undefined, script: StartOptions) {
    this.#options = options;
    this.#onError = onError;
    this.#script = script;
  }

  get address(): SocketAddress {
    return this.#listening!.address;
  }

  get url(): string {
    return this.#listening!.url;
  }

  get maxBytesPerSecond(): number {
    return this.#options.maxBytesPerSecond ?? Infinity;
  }

  set maxBytesPerSecond(bytesPerSecond: number) {
    if (!(bytesPerSecond >= 1)) {
      throw new RangeError(
        `Cannot use maxBytesPerSecond "${bytesPerSecond}": expected at least 1`,
      );
    }
    this.#options = { ...this.#options, maxBytesPerSecond: bytesPerSecond };
    this.#tell({ kind: "limit", bytesPerSecond });
  }

  stats(): ReturnType<DownloadServer["stats"]> {
    const { engine, ...stats } = this.#stats!;
    return { ...stats, engine: { ...engine, mode: "accept" } };
  }

  /** They are in the thread. */
  downloads(): readonly Download[] {
    return [];
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  handOver(): Promise<HandOverResult> {
    return Promise.reject(unsupported("handOver", "the server listens in a thread of its own"));
  }

  close({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#closing ??= this.#end(timeoutMs);
  }

  abort(reason?: unknown): void {
    void this.close();
    this.#tell({ kind: "abort", reason: packError(reason) });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Start a thread; resolves when it listens. */
  begin(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const thread = this.#thread = systemWorkers.start(SERVE_SCRIPT, this.#script);
    thread.receive({
      message: (message) => {
        const news = message as ServeNews;
        if (news.kind === "stats") this.#stats = news.stats;
        else if (news.kind === "error") this.#report(unpackError(news.error), news.stage);
        else if (news.kind === "failed") reject(unpackError(news.error));
        else if (news.kind === "closed") this.#closed.resolve();
        else if (news.kind === "listening") {
          this.#listening = news;
          resolve();
        }
      },
    });
    const { url } = this.#script;
    const workerUrl = url === undefined ? undefined : String(url);
    this.#tell({ kind: "serve", options: this.#options, workerUrl });
    void thread.ended.then((end) => {
      this.#thread = undefined;
      reject(lost(end));
      if (this.#closing !== undefined) this.#closed.resolve();
      else if (this.#listening !== undefined) this.#beginAgain(lost(end));
    });
    return promise;
  }

  #beginAgain(error: unknown): void {
    this.#report(error, "accept");
    setTimeout(() => {
      if (this.#closing !== undefined) return;
      this.#options = { ...this.#options, port: this.address.port };
      this.begin().catch((error) => this.#report(error, "listen"));
    }, AGAIN_MS);
  }

  #end(timeoutMs: number | undefined): Promise<void> {
    if (this.#thread === undefined) this.#closed.resolve(); // It has died, and no other one comes.
    else this.#tell({ kind: "close", timeoutMs });
    return this.#closed.promise; // In Deno nobody hears of the end of the thread itself by then.
  }

  #tell(order: ServeOrder): void {
    this.#thread?.post(order);
  }

  #report(error: unknown, stage: string): void {
    try {
      this.#onError?.(error, { stage });
    } catch {
      // What it throws changes nothing.
    }
  }
}

function lost({ error }: OwnerEnd): JackfieldError {
  const why = error instanceof Error ? `: ${error.message}` : "";
  const message = `Cannot serve downloads: the server's thread has ended${why}`;
  return new JackfieldError("DOWNLOAD_LOST", message, { operation: "accept", cause: error });
}
