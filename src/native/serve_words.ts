import type { DownloadServer, ServeDownloadsOptions } from "../download/mod.ts";
import type { PackedError } from "../handoff/packed_error.ts";
import type { SocketAddress } from "../transport/mod.ts";

/** Options that travel to the thread: plain data. */
export type PlainServeOptions = Omit<ServeDownloadsOptions, "transport" | "engine" | "onError">;

/** What the thread of a server is told. */
export type ServeOrder =
  | {
    readonly kind: "serve";
    readonly options: PlainServeOptions;
    /** The script of its own thread, which sends long files. */
    readonly workerUrl: string | undefined;
  }
  | { readonly kind: "limit"; readonly bytesPerSecond: number }
  | { readonly kind: "close"; readonly timeoutMs: number | undefined }
  | { readonly kind: "abort"; readonly reason: PackedError };

/** What the thread of a server tells. */
export type ServeNews =
  | { readonly kind: "listening"; readonly address: SocketAddress; readonly url: string }
  /** It could not begin, and ends. */
  | { readonly kind: "failed"; readonly error: PackedError }
  | { readonly kind: "stats"; readonly stats: ReturnType<DownloadServer["stats"]> }
  /** What its `onError` was told. */
  | { readonly kind: "error"; readonly error: PackedError; readonly stage: string }
  /** It has closed, and ends. */
  | { readonly kind: "closed" };
