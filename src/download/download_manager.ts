import { JackfieldError, type Socket, type Transport, unsupported } from "../transport/mod.ts";
import type { Download } from "./download.ts";
import type { DownloadStats, ShortDesk } from "./download_desk.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import {
  completeRequest,
  type DownloadRequestInit,
  type DownloadResult,
} from "./download_request.ts";
import type { DeskMoves } from "./handover/desk_moves.ts";
import { InlineDesk } from "./inline_desk.ts";
import { type PlacedDesk, placeDesk, type Placement } from "./placement.ts";
import { assertAtLeast, readSettings, type Settings } from "./settings.ts";

/**
 * Keep the thread or process of a manager while there is nothing to do: the server around it is going
 * to have something.
 */
export let keepReady: (manager: DownloadManager) => void;

/** What lets the downloads of a manager stand still, where it works in this thread. */
export let movesOf: (manager: DownloadManager) => DeskMoves | undefined;

/** How many files a manager has open in this process. */
export let openFilesOf: (manager: DownloadManager) => number;

/** The desk of a manager, where it gives answers again that were given before. */
export let shortDeskOf: (manager: DownloadManager) => ShortDesk | undefined;

/**
 * Takes over sockets together with the download requests that were read from them, and sends the
 * files on those same sockets: in this thread, or, with the option `placement`, in another one or in
 * a process of its own.
 *
 * A thread or process is started when it is first needed. When it dies, what it was sending is lost
 * (`DOWNLOAD_LOST`, and the clients see their connections end); another one is started, and what
 * comes meanwhile waits for it, 10 seconds at most, and is answered 503 then. The program may end
 * while nothing is being sent.
 *
 * @example
 * ```ts ignore
 * const manager = new DownloadManager({ root: "./files" });
 * const { status, socket } = await manager.take(accepted, { target: "/big.bin", keepAlive: true });
 * ```
 */
export class DownloadManager implements AsyncDisposable {
  /** Where the sockets come from. */
  readonly transport: Transport;
  #settings: Settings;
  #placed: PlacedDesk;
  #closing: Promise<void> | undefined;

  /**
   * Checks the options; see {@linkcode check} for the folder.
   *
   * @throws {RangeError} When a number is out of range.
   * @throws {TypeError} When another option cannot be used.
   * @throws {JackfieldError} `UNSUPPORTED` when the transport's host has no files, or the placement
   * cannot be here; `PERMISSION_DENIED` when it lacks a permission.
   */
  constructor(options: DownloadManagerOptions) {
    this.transport = options.transport;
    this.#settings = readSettings(options);
    this.#placed = placeDesk(options, this.#settings);
  }

  /**
   * Where it works: `thread` for one behind a door, and what `auto` has become; that is known for
   * certain after {@linkcode check}, or the first download.
   */
  get placement(): Exclude<Placement, "auto"> {
    const { remote, placement } = this.#placed;
    return remote?.staysHere === true ? "inline" : placement;
  }

  /**
   * Make sure that the folder can be served, where it is to be served.
   *
   * @throws {JackfieldError} `FILE_FAILED`, or a TypeError when it is not a folder; `DOWNLOAD_LOST`,
   * `PERMISSION_DENIED` or `UNSUPPORTED` when the manager's thread or process cannot be started.
   */
  check(): Promise<void> {
    return this.#placed.desk.check();
  }

  /** What the manager does now. */
  stats(): DownloadStats {
    return this.#placed.desk.stats();
  }

  /** The downloads that it has now. */
  downloads(): readonly Download[] {
    return this.#placed.desk.downloads();
  }

  /** The overall limit, in bytes per second; it may be changed at any time. */
  get maxBytesPerSecond(): number {
    return this.#settings.rateLimit.bytesPerSecond;
  }

  set maxBytesPerSecond(bytesPerSecond: number) {
    assertAtLeast("maxBytesPerSecond", bytesPerSecond, 1);
    this.#placed.desk.limit(bytesPerSecond);
  }

  /**
   * Take a socket over and serve the request that was read from it. The socket that is given is
   * `gone` at once; the result has the one to go on with, which is the caller's again.
   *
   * @throws {JackfieldError} `DOWNLOAD_CLOSED` when the manager is closed (the socket is untouched
   * then), or what broke the connection.
   */
  take(socket: Socket, init: DownloadRequestInit): Promise<DownloadResult> {
    try {
      if (this.#closing !== undefined) {
        const message = "Cannot take socket: download manager is closed";
        throw new JackfieldError("DOWNLOAD_CLOSED", message, { operation: "take" });
      }
      return this.#placed.desk.take(
        socket,
        completeRequest(init, socket.remoteAddress),
        init.unread,
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Give all downloads to another manager of this thread: those that wait, and those that are half
   * sent, which go on there at the very byte, in the order and under the limits of the other one.
   * What is said of a file stays true: it is the one that is open already. The promises of `take`
   * are kept. This manager goes on to take; close it when that is not wanted.
   *
   * A download whose client takes nothing for `timeoutMs` stays and is finished here.
   *
   * @returns how many have moved
   *
   * @throws {JackfieldError} `UNSUPPORTED` when one of both does not work `inline`, `DOWNLOAD_CLOSED`
   * when the other one is closed: all downloads go on here then.
   * @throws {RangeError} When `timeoutMs` is out of range.
   */
  async handOver(
    other: DownloadManager,
    { timeoutMs = 1000 }: { readonly timeoutMs?: number } = {},
  ): Promise<number> {
    assertAtLeast("timeoutMs", timeoutMs, 0);
    const [from, to] = [movesOf(this), movesOf(other)];
    if (from === undefined || to === undefined) {
      throw unsupported("handOver", `managers move downloads where both work "inline"`);
    }
    const downloads = await from.stop(() => true, timeoutMs);
    const isClosed = other.#closing !== undefined;
    for (const download of downloads) (isClosed ? from : to).adopt(download, download.socket, from);
    if (!isClosed) return downloads.length;
    const message = "Cannot hand over: the other download manager is closed";
    throw new JackfieldError("DOWNLOAD_CLOSED", message, { operation: "hand over" });
  }

  /**
   * A way for another thread to this manager's thread. Post it there (it has to be transferred), and
   * make a manager with it as `placement` and otherwise the same options: every thread accepts and
   * reads requests by itself, and all have one queue, one set of limits and one thread that sends.
   *
   * Functions cannot travel, so that each of the managers asks its own. Closing this one ends all.
   *
   * @throws {JackfieldError} `UNSUPPORTED` when this manager has no thread of its own.
   */
  door(): MessagePort {
    const { remote, placement } = this.#placed;
    if (remote === undefined || placement !== "thread") {
      throw unsupported("door", `a door leads to a thread, and this manager is "${placement}"`);
    }
    return remote.door();
  }

  /** Take no more, and resolve when every download has ended. Idempotent. */
  close(): Promise<void> {
    return this.#closing ??= this.#placed.desk.close();
  }

  /** Take no more, and abort every download with `reason`. */
  abort(reason?: unknown): void {
    void this.close();
    this.#placed.desk.abort(reason);
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  static {
    keepReady = (manager) => manager.#placed.remote?.keep();
    movesOf = (manager) => {
      const { desk } = manager.#placed;
      return desk instanceof InlineDesk ? desk.moves : undefined;
    };
    openFilesOf = (manager) => {
      const { desk } = manager.#placed;
      return desk instanceof InlineDesk ? desk.openFiles : 0;
    };
    shortDeskOf = (manager) => {
      const { desk } = manager.#placed;
      return desk instanceof InlineDesk ? desk.short : undefined;
    };
  }
}
