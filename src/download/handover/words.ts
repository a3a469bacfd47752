import type { SocketAddress } from "../../transport/mod.ts";
import type { StillFacts } from "../../handoff/still_socket.ts";
import type { PackedError } from "../../handoff/packed_error.ts";
import type { MovedDownload } from "./moved_download.ts";

// How a server moves to another process.
//
// ```
//   old process                                   new process
//
//   fork ────────────────────────────────────────▶ the program begins, serveDownloads() checks its folder
//        ◀──────────────── ready, version ──────── (another version: refused, ended)
//   stop: no turn for what may move; what is under way ends, or stays
//   stand still: out of their sockets
//   connection × n, copies ──────────────────────▶ hold: open each file, compare its version; silent
//   batch ───────────────────────────────────────▶
//        ◀──────────────── taken, which ────────── with the system: own, but wait for the listener
//   drop the copies; resume what was not taken
//   listener, a copy ────────────────────────────▶ accept
//        ◀──────────────── listening ───────────── go on with what is owned
//   close the listener; again "connection … taken" for what is left, as soon as it stands still
//   disconnect, end
// ```
//
// Who owns what: the old process owns a connection until `taken` has come, and the new one from the
// moment at which the system has that word. Both copies are silent in between, so that nothing can be
// lost or doubled. The old one judges the death of the new one only after its last word has been
// received, so that one of them owns a connection, whoever dies:
//
// | who dies, or what fails | before `taken` is with the system | after it, before `listening` | later |
// | --- | --- | --- | --- |
// | the new one; its files, its version, its time | the old one resumes all | what was taken ends with it; the old one goes on to accept | as any crash |
// | the old one | the new one drops its copies and rejects | the same, without the listener | nothing is lost but what had not moved |
//
// A time that is over, and a signal, end the new process: so the old one always waits for one thing
// only, the next word or the end of the link. The listener comes last, because a copy of it accepts
// from its arrival on. The old one accepts until the new one does, so that no connection is refused; it
// takes what its runtime has accepted before it closes its copy.

/** What both processes must speak. It changes with every change of these words. */
export const PROTOCOL_VERSION = 1;

/** A connection that moves, without its descriptor. */
export interface MovedConnection {
  /** What its socket is made with. */
  readonly facts: StillFacts;
  /** How many requests it has had. */
  readonly requests: number;
  /** What is being sent on it; `undefined` for one that waits for its next request. */
  readonly download: MovedDownload | undefined;
}

/** What the old process says. */
export type OldWord =
  /** It speaks another version. */
  | { readonly kind: "refused"; readonly version: number }
  /** A connection of the batch; its copy comes along. */
  | { readonly kind: "connection"; readonly id: number; readonly moved: MovedConnection }
  /** Whether those that were sent have been received: the system holds few on their way. */
  | { readonly kind: "received?" }
  /** The batch is complete. */
  | { readonly kind: "batch" }
  /** The listener comes along. */
  | {
    readonly kind: "listener";
    /** Whether it is to accept for the old process, and not in its place. */
    readonly asGeneration?: boolean;
  }
  /** The listener cannot come: listen beside it, on the same port. */
  | { readonly kind: "listen beside"; readonly address: SocketAddress }
  /** Another process accepts: finish what there is, and end. For a generation. */
  | { readonly kind: "leave" }
  /** The server is closed. For a generation. */
  | { readonly kind: "close"; readonly timeoutMs: number };

/** What the new process says. */
export type NewWord =
  /** It could serve, and touches nothing yet. */
  | { readonly kind: "ready"; readonly version: number }
  /** The program in it cannot serve. */
  | { readonly kind: "failed"; readonly error: PackedError }
  /** See `received?`. */
  | { readonly kind: "received" }
  /** These of the batch are its own from now on; of the others it has no copies. */
  | { readonly kind: "taken"; readonly ids: readonly number[] }
  /** It accepts. */
  | { readonly kind: "listening" }
  /** A generation has no descriptors left for more. */
  | { readonly kind: "full" }
  /** A generation has nothing left to do. */
  | { readonly kind: "drained" };
