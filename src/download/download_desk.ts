import type { Socket } from "../transport/mod.ts";
import type { Download } from "./download.ts";
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
