import type { RequestHead } from "../http/mod.ts";
import type { Socket } from "../transport/mod.ts";
import type { Download } from "./download.ts";
import type { EngineReport, ShortResult } from "./engine.ts";
import type { DownloadRequest, DownloadResult } from "./download_request.ts";

/** What a manager does now. */
export interface DownloadStats {
  /** Downloads that have a place. */
  readonly active: number;
  /** Downloads that wait. */
  readonly queued: number;
  /** Downloads that ended, failed ones included. */
  readonly finished: number;
  /** Requests that were answered without a place: too many waited, or they were none for a file. */
  readonly refused: number;
  /** Bytes of bodies that kernels have taken. */
  readonly bytes: number;
  /** How they are sent. */
  readonly engine: EngineReport;
}

/** Gives answers again that were given before, where it can within the call that brings the request. */
export interface ShortDesk {
  /**
   * Answer what was read from a socket, if that is one request whose answer is known: what the kernel
   * has not taken of it is the caller's to write. `undefined` when the desk has to take it.
   */
  answerShortly(
    socket: Socket,
    bytes: Uint8Array,
  ): ShortResult | undefined | Promise<ShortResult | undefined>;
  /** A request was read from a head. */
  learn(head: Uint8Array, request: RequestHead): void;
}

/** Where downloads are served, as a {@linkcode DownloadManager} sees it. */
export interface DownloadDesk {
  /** See {@linkcode DownloadManager.check}. */
  check(): Promise<void>;
  /** See {@linkcode DownloadManager.stats}. */
  stats(): DownloadStats;
  /** See {@linkcode DownloadManager.downloads}. */
  downloads(): readonly Download[];
  /** The overall limit is another one from now on. */
  limit(bytesPerSecond: number): void;
  /** See {@linkcode DownloadManager.take}; the desk is not closed. */
  take(socket: Socket, request: DownloadRequest, unread?: Uint8Array): Promise<DownloadResult>;
  /** See {@linkcode DownloadManager.close}. */
  close(): Promise<void>;
  /** See {@linkcode DownloadManager.abort}. */
  abort(reason?: unknown): void;
}
