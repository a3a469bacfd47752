import { leastBusy, type Strategy } from "../strategy/mod.ts";
import { type Clock, type Socket, systemClock, type Transport } from "../transport/mod.ts";
import type { WorkerCandidate, WorkerRequest } from "./candidate.ts";
import type { WorkerStage } from "./group_thread.ts";

/** Options of {@linkcode WorkerGroup}. */
export interface WorkerGroupOptions {
  /** Whose host has the threads. */
  readonly transport: Transport;
  /**
   * The script of the threads: `new URL("./worker.ts", import.meta.url)`. It calls `serveSockets` or
   * `serveRequests` of the entry `./worker`, or both.
   */
  readonly script: string | URL;
  /**
   * How many threads to start.
   *
   * @default {as many as the host has cores}
   */
  readonly threads?: number;
  /**
   * Which thread gets the next socket or request.
   *
   * @default {leastBusy()}
   */
  readonly strategy?: Strategy<WorkerCandidate, WorkerRequest>;
  /**
   * Milliseconds that a thread may say nothing, as when its program is in a loop without an end: it
   * is terminated then, and another one started. `Infinity` for no limit.
   *
   * @default {60_000}
   */
  readonly maxSilenceMs?: number;
  /** Told of threads that have ended, and of handlers that failed. */
  readonly onError?: (error: unknown, context: { readonly stage: WorkerStage }) => void;
  /** Times the deadlines. @default {systemClock} */
  readonly clock?: Clock;
  /** From 0 to 1: spreads the starts of many. @default {Math.random} */
  readonly random?: () => number;
}

/** Options of {@linkcode WorkerGroup.assign}. */
export interface AssignSocketOptions {
  /** Bytes that were read and not used; the handler reads them first. */
  readonly unread?: Uint8Array;
  /**
   * Milliseconds until a thread owns the socket; `Infinity` for no limit.
   *
   * @default {10_000}
   */
  readonly timeoutMs?: number;
  /** Gives up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Takes the socket when the handler gives it back, and when it could not be moved: `error` says
   * why then. Without it, the socket is closed or aborted.
   */
  readonly onReturn?: (socket: Socket, error: unknown) => void;
}

/** Options of {@linkcode WorkerGroup.close}. */
export interface CloseGroupOptions {
  /**
   * Milliseconds until what is left is aborted; `Infinity` for no limit.
   *
   * @default {30_000}
   */
  readonly timeoutMs?: number;
}

/** Options of {@linkcode WorkerGroup.unbind}. */
export interface UnbindOptions {
  /**
   * Milliseconds for the handler to let go; `Infinity` for no limit.
   *
   * @default {10_000}
   */
  readonly timeoutMs?: number;
}

/** The options with the defaults filled in. */
export interface GroupSettings {
  readonly script: URL;
  readonly threads: number;
  readonly strategy: Strategy<WorkerCandidate, WorkerRequest>;
  readonly maxSilenceMs: number;
  readonly onError: WorkerGroupOptions["onError"];
  readonly clock: Clock;
  readonly random: () => number;
}

/** Check the options. */
export function readGroupOptions(options: WorkerGroupOptions): GroupSettings {
  const {
    threads = globalThis.navigator?.hardwareConcurrency ?? 1,
    strategy = leastBusy<WorkerCandidate>(),
    maxSilenceMs = 60_000,
    onError,
    clock = systemClock,
    random = Math.random,
  } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(`Cannot use threads "${threads}": expected an integer of at least 1`);
  }
  if (!(maxSilenceMs > 0)) {
    throw new RangeError(`Cannot use maxSilenceMs "${maxSilenceMs}": expected more than 0`);
  }
  const script = scriptOf(options.script);
  return { script, threads, strategy, maxSilenceMs, onError, clock, random };
}

function scriptOf(script: string | URL): URL {
  try {
    return new URL(script);
  } catch {
    throw new TypeError(
      `Cannot use script "${String(script)}": expected a URL, ` +
        'such as new URL("./worker.ts", import.meta.url)',
    );
  }
}
