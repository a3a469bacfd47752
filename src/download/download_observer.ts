import type { Download } from "./download.ts";

/**
 * Is told of the progress of downloads. Every method is optional and called at once, within the
 * manager's own work, so it should be short. What it throws goes to `onError` and changes nothing.
 */
export interface DownloadObserver {
  /** A download waits for a place. */
  queued?(download: Download): void;
  /** A download has a place: its file is looked for, and then sent. */
  started?(download: Download): void;
  /** So many bytes were taken by the kernel. */
  progress?(download: Download, bytes: number): void;
  /** A download is over; `error` says why when it was not sent whole. */
  ended?(download: Download, error?: unknown): void;
}
