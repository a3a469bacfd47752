import type { Socket } from "../transport/mod.ts";
import type { PackedError } from "../handoff/packed_error.ts";
import type { Terms } from "./desk_words.ts";
import type { Download, DownloadState } from "./download.ts";
import type { DownloadRequest, DownloadResult } from "./download_request.ts";
import type { RemoteLine } from "./remote_line.ts";

/** What a download that is served elsewhere asks of its desk. */
export interface RemoteDownloadKeeper {
  /** Pause it, or let it go on. */
  pause(download: RemoteDownload, paused: boolean): void;
  /** End it with an error. */
  fail(download: RemoteDownload, error: unknown): void;
}

/** A download that is served in another thread or process, as its front sees it. */
export class RemoteDownload implements Download {
  /** Which one it is. */
  readonly id: number;
  readonly request: DownloadRequest;
  readonly terms: Terms | PackedError;
  readonly client: string;
  readonly priority: number;
  state: DownloadState = "queued";
  paused = false;
  status: number | undefined = undefined;
  bytes = 0;
  totalBytes: number | undefined = undefined;
  /** As long as it is here. */
  socket: Socket;
  /** Where it is served, from the moment at which it is sent there. */
  line: RemoteLine | undefined = undefined;
  /** Whether it is on its way there. */
  isMoving = false;
  /** Takes back the end of its wait for a way there. */
  stopWaiting: (() => void) | undefined = undefined;
  /** Whether it has, or had, a place there. */
  hasPlace = false;
  /** Whether its result is told. */
  isSettled = false;
  /** Why it has ended. */
  error: unknown = undefined;
  #keeper: RemoteDownloadKeeper;
  #result: PromiseWithResolvers<DownloadResult> = Promise.withResolvers();

  /** It is still here. */
  constructor(
    id: number,
    socket: Socket,
    request: DownloadRequest,
    terms: Terms | PackedError,
    keeper: RemoteDownloadKeeper,
  ) {
    this.id = id;
    this.socket = socket;
    this.request = request;
    this.terms = terms;
    const known = "kind" in terms ? undefined : terms;
    this.client = known?.client ?? request.remoteAddress.hostname;
    this.priority = known?.priority ?? 0;
    this.#keeper = keeper;
  }

  get result(): Promise<DownloadResult> {
    return this.#result.promise;
  }

  pause(): void {
    this.#keeper.pause(this, true);
  }

  resume(): void {
    this.#keeper.pause(this, false);
  }

  cancel(reason?: unknown): void {
    this.#keeper.fail(this, reason);
  }

  /** It is over: tell who waits. */
  settle(result: DownloadResult): void {
    this.isSettled = true;
    this.#result.resolve(result);
  }

  /** It is over before its end: tell who waits. */
  refuse(error: unknown): void {
    this.isSettled = true;
    this.#result.reject(error);
  }
}
