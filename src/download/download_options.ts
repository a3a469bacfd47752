import type { FileRootOptions } from "../files/mod.ts";
import type { DispositionType, FieldLine } from "../http/mod.ts";
import type { Clock, OnError, Transport } from "../transport/mod.ts";
import type { DownloadEngine } from "./engine.ts";
import type { DownloadObserver } from "./download_observer.ts";
import type { DownloadRefusal, DownloadRequest } from "./download_request.ts";
import type { Placement } from "./placement.ts";

/** What a hook may know of a file that is about to be sent. */
export interface DownloadFile {
  /** Its name within the root, without a slash first. */
  readonly path: string;
  /** Its length in bytes. */
  readonly size: number;
  /** As it is sent. */
  readonly entityTag: string;
}

/** Decisions that are the application's. A hook may be slow: the download has its place meanwhile. */
export interface DownloadHooks {
  /**
   * Whether a request is served: `false` is answered 403, a refusal as it says. Asked first.
   *
   * @default {every request is}
   */
  readonly authorize?: (
    request: DownloadRequest,
  ) => boolean | DownloadRefusal | Promise<boolean | DownloadRefusal>;
  /**
   * Which file answers a request: a path within the root, with plain slashes and nothing encoded, or
   * `undefined` for none (404). The rules of the root apply to it too.
   *
   * @default {the file that the target names}
   */
  readonly resolve?: (
    request: DownloadRequest,
  ) => string | undefined | Promise<string | undefined>;
  /** Further fields that go with a file's bytes. */
  readonly headers?: (
    file: DownloadFile,
    request: DownloadRequest,
  ) => Iterable<FieldLine> | Promise<Iterable<FieldLine>>;
  /** Told of downloads that failed. What it throws changes nothing. */
  readonly onError?: OnError;
}

/** Who shares the way out, and how. */
export interface DownloadShares {
  /**
   * The most downloads that are sent at once; further ones wait.
   *
   * @default {1024}
   */
  readonly maxActive?: number;
  /**
   * The most downloads that wait; further ones are answered 503.
   *
   * @default {4096}
   */
  readonly maxQueued?: number;
  /**
   * Bytes per second that all downloads are sent with together, at least 1.
   *
   * @default {Infinity}
   */
  readonly maxBytesPerSecond?: number;
  /**
   * The same for the downloads of one client together, or a function that says it for a client.
   *
   * @default {Infinity}
   */
  readonly maxClientBytesPerSecond?: number | ((client: string) => number);
  /**
   * Whose request it is. However many sockets a client has, it gets one share.
   *
   * @default {the remote address, without the port}
   */
  readonly clientOf?: (request: DownloadRequest) => string;
  /** How many shares a client gets, from 0.01 to 100. @default {1} */
  readonly weightOf?: (client: string) => number;
  /**
   * From -8 to 8: the higher, the earlier among those of the same client. Nobody starves: whoever
   * waits gains on the others.
   *
   * @default {0}
   */
  readonly priorityOf?: (request: DownloadRequest) => number;
}

/** Which files there are, and what is said about them. */
export interface DownloadFiles
  extends Pick<FileRootOptions, "root" | "symlinks" | "dotfiles" | "directories" | "maxOpenFiles"> {
  /**
   * Whether `NAME.br` and `NAME.gz` beside a file are sent in its place to who accepts them.
   *
   * @default {true}
   */
  readonly precompressed?: boolean;
  /** The value of Cache-Control for every file. @default {none} */
  readonly cacheControl?: string;
  /**
   * Whether files are shown or saved by browsers, with their names. @default {left to the client}
   */
  readonly disposition?: DispositionType;
  /**
   * The longest file, in bytes, of which a client may want a digest (RFC 9530); 0 for none. It is
   * computed once for every version of a file.
   *
   * @default {1 GiB}
   */
  readonly maxDigestBytes?: number;
  /**
   * The most ranges that one request may ask for; more are answered with the whole file.
   *
   * @default {32}
   */
  readonly maxRanges?: number;
}

/** Options of {@linkcode DownloadManager}. */
export interface DownloadManagerOptions extends DownloadFiles, DownloadHooks, DownloadShares {
  /** Its host brings the files. */
  readonly transport: Transport;
  /**
   * Where the manager works: in the caller's thread, in a thread or a process of its own, or in the
   * thread to which a door leads; see {@linkcode Placement}.
   *
   * @default {"inline"}
   */
  readonly placement?: Placement | MessagePort;
  /**
   * The script of the manager's thread, for programs that were bundled into files of their own.
   *
   * @default {the package's `src/roots/download_desk.ts`, wherever it lies}
   */
  readonly workerUrl?: string | URL;
  /**
   * The script of the manager's process, for programs that were bundled into files of their own.
   *
   * @default {the package's `src/roots/download_desk.ts`, wherever it lies}
   */
  readonly processUrl?: string | URL;
  /**
   * How the bytes of files get to the sockets; for managers that work `inline`. The entry `./native`
   * has a faster one for Deno and Bun on Linux.
   *
   * @default {copyEngine()}
   */
  readonly engine?: DownloadEngine;
  /**
   * Milliseconds for which a client may take nothing of what is ready for it, before its connection
   * is aborted.
   *
   * @default {60_000}
   */
  readonly stallTimeoutMs?: number;
  /** Is told of every download's progress. */
  readonly observer?: DownloadObserver;
  /**
   * Measures time.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}
