import type { DownloadFile, DownloadFiles } from "./download_options.ts";
import type { DownloadRequest } from "./download_request.ts";
import type { PackedError } from "../handoff/packed_error.ts";

/** Hooks that a desk asks its fronts for: a function cannot travel. */
export const HOOKS = ["authorize", "resolve", "headers"] as const;

/** One of {@linkcode HOOKS}. */
export type HookName = typeof HOOKS[number];

/** The options of a manager that are plain values: what a desk is made with. */
export interface DeskOptions extends DownloadFiles {
  /** See `DownloadShares`. */
  readonly maxActive: number;
  /** See `DownloadShares`. */
  readonly maxQueued: number;
  /** See `DownloadShares`. */
  readonly maxBytesPerSecond: number;
  /** See `DownloadManagerOptions`. */
  readonly stallTimeoutMs: number;
}

/** What the functions of a front say about a request. */
export interface Terms {
  /** Whose it is. */
  readonly client: string;
  /** From -8 to 8. */
  readonly priority: number;
  /** Its client's shares. */
  readonly weight: number;
  /** Its client's limit. */
  readonly clientBytesPerSecond: number;
}

/** What goes to a desk together with a socket. */
export interface TakeOrder {
  /** Counts the takes of a front. */
  readonly take: number;
  /** What was read from it. */
  readonly request: DownloadRequest;
  /** Or what a function threw. */
  readonly terms: Terms | PackedError;
}

/** What comes back together with a socket. */
export interface TakeReturn {
  /** Which take it was. */
  readonly take: number;
  /** See `DownloadResult`. */
  readonly status: number;
  /** See `DownloadResult`. */
  readonly bytes: number;
}

/** What a front says to its desk; `call` is answered, `take` means one download. */
export type FrontWord =
  /** The first word; `options` are those of the front that has started the desk. */
  | {
    readonly kind: "open";
    readonly call: number;
    readonly options?: DeskOptions;
    readonly hooks: readonly HookName[];
  }
  | { readonly kind: "check"; readonly call: number }
  | { readonly kind: "limit"; readonly bytesPerSecond: number }
  | { readonly kind: "pause"; readonly take: number }
  | { readonly kind: "resume"; readonly take: number }
  | { readonly kind: "cancel"; readonly take: number }
  | {
    readonly kind: "answer";
    readonly call: number;
    readonly value?: unknown;
    readonly error?: PackedError;
  }
  /** The connections of this front end with their answers. */
  | { readonly kind: "closing" }
  | { readonly kind: "abort" }
  /** Answered when nothing is left. */
  | { readonly kind: "finish"; readonly call: number }
  /** A front in another thread has come, says something, or has gone; see `placement_door.ts`. */
  | { readonly kind: "door"; readonly door: number; readonly message: DoorMessage };

/** How far a download has come. */
export interface DownloadNews {
  /** See `TakeOrder`. */
  readonly take: number;
  /** What happened. */
  readonly event: "queued" | "started" | "progress" | "ended";
  /** See `Download`. */
  readonly status: number | undefined;
  /** See `Download`. */
  readonly totalBytes: number | undefined;
  /** See `Download`. */
  readonly bytes: number;
  /** Why it was not sent whole. */
  readonly error?: PackedError;
}

/** What a desk says to its front. */
export type DeskWord =
  | { readonly kind: "answer"; readonly call: number; readonly error?: PackedError }
  | { readonly kind: "ask"; readonly call: number; readonly take: number } & Question
  | ({ readonly kind: "news" } & DownloadNews)
  /** A take is over and its connection closed, or broken. */
  | ({ readonly kind: "over" } & TakeReturn)
  | { readonly kind: "failed"; readonly take: number; readonly error: PackedError }
  | { readonly kind: "report"; readonly error: PackedError }
  | { readonly kind: "door"; readonly door: number; readonly message: DoorMessage };

/** What a desk asks a hook. */
export type Question =
  | { readonly hook: "authorize" | "resolve" }
  | { readonly hook: "headers"; readonly file: DownloadFile };

/** What goes through a door. */
export type DoorMessage =
  /** A front begins, or a desk is there for it. */
  | readonly ["open"]
  | readonly ["post", unknown]
  /** A front has gone, or its desk has. */
  | readonly ["end", string?];
