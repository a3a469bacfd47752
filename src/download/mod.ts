/**
 * Downloads: a server reads a request and hands the socket to a download manager, which sends the
 * file on that same socket.
 *
 * A connection is accepted and its request head read by the front. The manager takes the socket over
 * (the front's handle is `gone`), lets it wait in a bounded queue, sends head and file in quanta, and
 * gives the socket back for the next request with the bytes that were read too far, or closes it.
 *
 * Who owns what: the front owns a socket while it reads a head, the manager from `take` until the
 * result. A client that vanishes fails its own download only: the file is closed, the place among
 * the active ones goes to the next in line.
 *
 * @module
 */
export type { Download, DownloadState } from "./download.ts";
export type { DownloadStats } from "./download_desk.ts";
export {
  copyEngine,
  type DownloadEngine,
  type EngineParts,
  type EngineReport,
  type FilePiece,
  type FileSender,
  type PieceEnd,
  type PieceTold,
  type ShortAnswer,
  type ShortAnswers,
  type ShortResult,
} from "./engine.ts";
export { DownloadManager } from "./download_manager.ts";
export type { DownloadObserver } from "./download_observer.ts";
export type {
  DownloadFile,
  DownloadFiles,
  DownloadHooks,
  DownloadManagerOptions,
  DownloadShares,
} from "./download_options.ts";
export type {
  DownloadRefusal,
  DownloadRequest,
  DownloadRequestInit,
  DownloadResult,
} from "./download_request.ts";
export type { HandOverOptions, HandOverResult } from "./handover/hand_over_options.ts";
export type { Placement } from "./placement.ts";
export type { DownloadServer, DownloadServerStats } from "./download_server.ts";
export { serveDownloads } from "./serve_downloads.ts";
export type { ServeDownloadsOptions } from "./serve_options.ts";
