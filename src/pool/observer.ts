import type { Diagnostics, DiagnosticsChannel, SocketAddress, Target } from "../transport/mod.ts";
import type { PoolStage } from "./options.ts";
import type { PoolCandidate } from "./pooled_socket.ts";

/** Why a pool parted with a socket. */
export type PartingReason =
  /** The task gave it back as unusable. */
  | "discarded"
  /** It ended by itself while nobody used it, or bytes came that nobody asked for. */
  | "lost"
  /** It came back half-closed, with unread bytes, or with somebody still at it. */
  | "unclean"
  /** Nobody used it for `idleTimeoutMs`, or for as long as its target allows. */
  | "idle"
  /** Its lifetime was over. */
  | "lifetime"
  /** `prepare`, `check` or `reset` failed. */
  | "prepare"
  | "check"
  | "reset"
  /** The pool became smaller, or another target had too little of it. */
  | "surplus"
  /** The pool was closed. */
  | "closed";

/** A lease that was not given back in time. */
export interface LeakReport {
  /** The label of the call, or the name of the function given to `use`. */
  readonly label: string | undefined;
  /** Where it was leased, with `debug`. */
  readonly stack: string | undefined;
  /** How long it is leased by now, in milliseconds, to within a quarter of a second. */
  readonly heldMs: number;
  /** The end on this host. */
  readonly localAddress: SocketAddress;
  /** The far end. */
  readonly remoteAddress: SocketAddress;
}

/**
 * Is told what happens in a pool. Every method is optional and called at once, within the pool's own
 * work, so it should be short. What it throws goes to `onError` and changes nothing.
 */
export interface PoolObserver {
  /** A connection stands and is prepared. */
  connected?(socket: PoolCandidate): void;
  /** A connect, or the `prepare` after it, failed. */
  connectFailed?(error: unknown, target: Target): void;
  /** A task has got a socket; it waited so long, in milliseconds, 0 when it got it at once. */
  leased?(socket: PoolCandidate, waitedMs: number): void;
  /** A task has given a socket back. */
  released?(socket: PoolCandidate): void;
  /** A caller began to wait; so many wait now. */
  waiting?(waiting: number): void;
  /** A caller got no socket: it gave up, or its deadline, a failure or the end of the pool came. */
  refused?(error: unknown): void;
  /** The pool parted with a socket. */
  closed?(socket: PoolCandidate, reason: PartingReason): void;
  /** A lease was not given back within `leakAfterMs`. */
  leaked?(report: LeakReport): void;
}

/**
 * An observer that publishes everything on channels of the runtime, `jackfield:pool:leased` and so on,
 * for tools that listen there. A channel that nobody listens to costs a look at it.
 *
 * @example
 * ```ts
 * import { diagnosticsObserver } from "@jackfield/jackfield/core";
 *
 * const published: unknown[] = [];
 * const channel = { hasSubscribers: true, publish: (message: unknown) => published.push(message) };
 * const observer = diagnosticsObserver({ channel: () => channel });
 * observer.waiting?.(3);
 * if (published.length !== 1) throw new Error("unexpected");
 * ```
 *
 * @param diagnostics Where the channels are: `transport.host.diagnostics`.
 * @param name The beginning of the channels' names. @default {"jackfield:pool"}
 */
export function diagnosticsObserver(
  diagnostics: Diagnostics,
  name: string = "jackfield:pool",
): PoolObserver {
  const channels = new Map<string, DiagnosticsChannel>();
  const channel = (event: string) => {
    let found = channels.get(event);
    if (found === undefined) {
      found = diagnostics.channel(`${name}:${event}`);
      channels.set(event, found);
    }
    return found;
  };
  const [leasedChannel, releasedChannel] = [channel("leased"), channel("released")];
  const publish = (event: string, message: unknown) => {
    const found = channel(event);
    if (found.hasSubscribers) found.publish(message);
  };
  return {
    connected: (socket) => publish("connected", { socket }),
    connectFailed: (error, target) => publish("connectFailed", { error, target }),
    leased(socket, waitedMs) {
      if (leasedChannel.hasSubscribers) leasedChannel.publish({ socket, waitedMs });
    },
    released(socket) {
      if (releasedChannel.hasSubscribers) releasedChannel.publish({ socket });
    },
    waiting: (waiting) => publish("waiting", { waiting }),
    refused: (error) => publish("refused", { error }),
    closed: (socket, reason) => publish("closed", { socket, reason }),
    leaked: (report) => publish("leaked", report),
  };
}

/** Tells the observer and `onError`, neither of which can corrupt who tells. */
export class Reports {
  #observer: PoolObserver | undefined;
  #onError: ((error: unknown, context: { readonly stage: PoolStage }) => void) | undefined;

  /** Both are optional. */
  constructor(
    observer: PoolObserver | undefined,
    onError: ((error: unknown, context: { readonly stage: PoolStage }) => void) | undefined,
  ) {
    this.#observer = observer;
    this.#onError = onError;
  }

  /** Whether anybody observes. */
  get isHeard(): boolean {
    return this.#observer !== undefined;
  }

  /** A failure that no caller is told of. */
  failed(error: unknown, stage: PoolStage): void {
    try {
      this.#onError?.(error, { stage });
    } catch {
      // Its own failure has nowhere to go.
    }
  }

  /** See {@linkcode PoolObserver.leased}. */
  leased(socket: PoolCandidate, waitedMs: number): void {
    if (this.#observer === undefined) return;
    try {
      this.#observer.leased?.(socket, waitedMs);
    } catch (error) {
      this.failed(error, "observer");
    }
  }

  /** See {@linkcode PoolObserver.released}. */
  released(socket: PoolCandidate): void {
    if (this.#observer === undefined) return;
    try {
      this.#observer.released?.(socket);
    } catch (error) {
      this.failed(error, "observer");
    }
  }

  /** Everything that happens less often. */
  tell(what: (observer: PoolObserver) => void): void {
    if (this.#observer === undefined) return;
    try {
      what(this.#observer);
    } catch (error) {
      this.failed(error, "observer");
    }
  }
}
