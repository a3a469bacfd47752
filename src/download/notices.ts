import type { Download } from "./download.ts";
import type { DownloadObserver } from "./download_observer.ts";
import type { DownloadHooks } from "./download_options.ts";

/** Tells the application of its downloads; what it throws changes nothing. */
export class Notices {
  #observer: DownloadObserver | undefined;
  #onError: DownloadHooks["onError"];

  /** Without an observer, or without `onError`, there is less to tell. */
  constructor(
    options: Pick<DownloadHooks, "onError"> & { readonly observer?: DownloadObserver },
  ) {
    this.#observer = options.observer;
    this.#onError = options.onError;
  }

  /** See {@linkcode DownloadObserver}. */
  tell(event: "queued" | "started", download: Download): void;
  tell(event: "progress", download: Download, bytes: number): void;
  tell(event: "ended", download: Download, error?: unknown): void;
  tell(event: keyof DownloadObserver, download: Download, fact?: unknown): void {
    const observer = this.#observer;
    if (observer === undefined) return;
    try {
      if (event === "progress") observer.progress?.(download, fact as number);
      else if (event === "ended") observer.ended?.(download, fact);
      else observer[event]?.(download);
    } catch (error) {
      this.report(error);
    }
  }

  /** Tell of an error. */
  report(error: unknown): void {
    try {
      this.#onError?.(error, { stage: "download" });
    } catch {
      // A download must not fail because the callback that watches it does.
    }
  }
}
