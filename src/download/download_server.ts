import type { SocketAddress } from "../transport/mod.ts";
import type { Download } from "./download.ts";
import type { DownloadStats } from "./download_desk.ts";
import type { HandOverOptions, HandOverResult } from "./handover/hand_over_options.ts";
import type { Placement } from "./placement.ts";

/** What a server does now. */
export interface DownloadServerStats extends DownloadStats {
  /** Connections, idle ones too. */
  readonly connections: number;
  /** File descriptors of this process, as the server counts them. */
  readonly descriptors: {
    /** Its connections and files, and what the process had when the server began. */
    readonly used: number;
    /** How many there may be. */
    readonly limit: number;
  };
  /** Processes that serve, this one included; the other numbers are of this one alone. */
  readonly generations: number;
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
  stats(): DownloadServerStats;
  /** The downloads that it has now: to look at, pause, resume and cancel. */
  downloads(): readonly Download[];
  /**
   * Accept no more, close idle connections, finish what is being sent. Idempotent; after
   * `timeoutMs` (30 seconds unless said) what is left is aborted.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
  /**
   * Start the program once more, and have the new process go on: with the listener, the connections
   * that wait for a request, the queue, and the downloads that are half sent. Clients notice nothing.
   *
   * The new process takes over by its own call of `serveDownloads`, with its own options but for the
   * address. What cannot move is finished here. When it rejects, this one serves on, with everything,
   * unless the new process died with what it had taken. `signal` counts until something has moved.
   *
   * @throws {JackfieldError} `UNSUPPORTED` for a server that is not `upgradable`, or with TLS in Deno;
   * `PERMISSION_DENIED` in Deno without --allow-run and --allow-env; `HANDOVER_REFUSED` when the new
   * process speaks another version of the protocol; `HANDOVER_FAILED` when it ended, took too long, or
   * another handover is under way; `DOWNLOAD_CLOSED` when the server is closed; or the reason of
   * `signal`.
   */
  handOver(options?: HandOverOptions): Promise<HandOverResult>;
  /** End everything now. */
  abort(reason?: unknown): void;
  /**
   * Resolves when nothing is left to do here: the server was closed or aborted, has handed over and is
   * drained, or was started for another process that accepts again. The program may end.
   */
  readonly closed: Promise<void>;
}
