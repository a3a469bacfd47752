import { JackfieldError, type Socket, type Transport } from "../transport/mod.ts";
import type { Download } from "./download.ts";
import type { DownloadDesk, DownloadStats } from "./download_desk.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import {
  completeRequest,
  type DownloadRequestInit,
  type DownloadResult,
} from "./download_request.ts";
import { InlineDesk } from "./inline_desk.ts";
import { assertAtLeast, readSettings, type Settings } from "./settings.ts";

/**
 * Takes over sockets together with the download requests that were read from them, and sends the
 * files on those same sockets.
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
  #desk: DownloadDesk;
  #closing: Promise<void> | undefined;

  /**
   * Checks the options; see {@linkcode check} for the folder.
   *
   * @throws {RangeError} When a number is out of range.
   * @throws {TypeError} When another option cannot be used.
   * @throws {JackfieldError} `UNSUPPORTED` when the transport's host has no files.
   */
  constructor(options: DownloadManagerOptions) {
    this.transport = options.transport;
    this.#settings = readSettings(options);
    this.#desk = new InlineDesk(options, this.#settings);
  }

  /**
   * Make sure that the folder can be served.
   *
   * @throws {JackfieldError} `FILE_FAILED`, or a TypeError when it is not a folder.
   */
  check(): Promise<void> {
    return this.#desk.check();
  }

  /** What the manager does now. */
  stats(): DownloadStats {
    return this.#desk.stats();
  }

  /** The downloads that it has now. */
  downloads(): readonly Download[] {
    return this.#desk.downloads();
  }

  /** The overall limit, in bytes per second; it may be changed at any time. */
  get maxBytesPerSecond(): number {
    return this.#settings.rateLimit.bytesPerSecond;
  }

  set maxBytesPerSecond(bytesPerSecond: number) {
    assertAtLeast("maxBytesPerSecond", bytesPerSecond, 1);
    this.#desk.limit(bytesPerSecond);
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
      return this.#desk.take(socket, completeRequest(init, socket.remoteAddress), init.unread);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Take no more, and resolve when every download has ended. Idempotent. */
  close(): Promise<void> {
    return this.#closing ??= this.#desk.close();
  }

  /** Take no more, and abort every download with `reason`. */
  abort(reason?: unknown): void {
    void this.close();
    this.#desk.abort(reason);
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
