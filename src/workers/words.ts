import type { ListenOptions, SocketAddress } from "../transport/mod.ts";
import type { PackedError } from "../handoff/packed_error.ts";

/** How the threads of a group listen; callbacks do not travel. */
export type GroupListenOptions = Omit<ListenOptions, "path" | "reusePort" | "onError">;

/** What a group says to one of its threads. */
export type GroupWord =
  /** Accept connections yourself. */
  | { readonly kind: "listen"; readonly options: GroupListenOptions }
  /** Answer this request. */
  | {
    readonly kind: "request";
    readonly id: number;
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly data: unknown;
  }
  /** The socket of this binding is wanted back. */
  | { readonly kind: "unbind"; readonly id: number }
  /** It came too late: abort it. */
  | { readonly kind: "cut"; readonly id: number }
  /** End in good order. */
  | { readonly kind: "finish" }
  /** Are you there? */
  | { readonly kind: "ping" };

/** What a thread says to its group. */
export type MemberWord =
  /** It has begun. */
  | { readonly kind: "hello" }
  | { readonly kind: "listening"; readonly address: SocketAddress }
  | { readonly kind: "listen failed"; readonly error: PackedError }
  /** A binding is over, and its socket with it. */
  | { readonly kind: "ended"; readonly id: number; readonly error?: PackedError }
  /** The answer to a request. */
  | {
    readonly kind: "answer";
    readonly id: number;
    readonly bytes?: Uint8Array;
    readonly error?: PackedError;
  }
  /** Something failed that nobody waits for. */
  | { readonly kind: "report"; readonly error: PackedError }
  /** Nothing is left to be done. */
  | { readonly kind: "finished" }
  | { readonly kind: "pong" };

/** What travels with a socket, to a thread and back. */
export interface SocketNote {
  /** The binding. */
  readonly id: number;
  /** What the group's program says about it. */
  readonly data?: unknown;
}
