import { DEFAULT_MAX_FIELDS, DEFAULT_MAX_HEAD_BYTES } from "../http/mod.ts";
import { type OnError, type TlsListenOptions, unsupported } from "../transport/mod.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import { assertAtLeast } from "./settings.ts";

/** Options of {@linkcode serveDownloads}. */
export interface ServeDownloadsOptions extends DownloadManagerOptions {
  /**
   * An IP literal or a host name.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string;
  /**
   * 0 lets the kernel choose.
   *
   * @default {0}
   */
  readonly port?: number;
  /**
   * Share the port with other listeners (SO_REUSEPORT, socket(7)): several threads or processes may
   * listen on it.
   *
   * @default {false}
   */
  readonly reusePort?: boolean;
  /**
   * Whether `handOver` can move the listener and the connections: in Deno and Bun they are made with
   * `node:net` then, which costs speed. With `tls` (not in Deno) the port is shared instead, as with
   * `reusePort`, and the connections stay.
   *
   * @default {false}
   */
  readonly upgradable?: boolean;
  /** The certificate and key of the server: it speaks https then. */
  readonly tls?: TlsListenOptions;
  /**
   * The most connections at once; further ones wait in the kernel.
   *
   * @default {10_000, or fewer with few descriptors}
   */
  readonly maxConnections?: number;
  /**
   * The most file descriptors that this process may have, 64 or more. Accepting stops in time: what
   * comes waits in the kernel until connections have ended.
   *
   * @default {the limit of the system, or 1024 where it may not be read}
   */
  readonly maxDescriptors?: number;
  /**
   * How many processes may serve. With 2 or more, a server that has no descriptors left starts the
   * program once more, as `handOver` does: the new process accepts, by its own call of
   * `serveDownloads`, and this one finishes what it has. A process that was started so ends when it
   * is full in turn and has nothing left; this one leads them, until it is closed.
   *
   * In Deno that takes --allow-run and --allow-env; in Deno and Bun the listener is made with
   * `node:net` then, which costs speed. Without a permission this process waits for room, as with 1.
   *
   * @default {1}
   */
  readonly maxGenerations?: number;
  /**
   * Milliseconds for which a connection without a request is kept.
   *
   * @default {60_000}
   */
  readonly idleTimeoutMs?: number;
  /**
   * Milliseconds from the first byte of a request's head to its last, 408 after that.
   *
   * @default {15_000}
   */
  readonly headTimeoutMs?: number;
  /**
   * The most requests on one connection, which ends with the last one.
   *
   * @default {1000}
   */
  readonly maxRequests?: number;
  /**
   * The longest head of a request, in bytes; 431 beyond.
   *
   * @default {16_384}
   */
  readonly maxHeadBytes?: number;
  /**
   * The most field lines of a request; 431 beyond.
   *
   * @default {100}
   */
  readonly maxFields?: number;
}

/** The limits of a server, checked. */
export interface Limits {
  readonly maxConnections: number;
  readonly maxDescriptors: number | undefined;
  readonly maxGenerations: number;
  readonly maxRequests: number;
  readonly idleTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly maxFields: number;
}

/**
 * The limits of a server, or the defaults.
 *
 * @throws {RangeError} When a number is out of range.
 */
export function readLimits(options: ServeDownloadsOptions): Limits {
  const {
    maxConnections = 10_000,
    maxDescriptors,
    maxGenerations = 1,
    maxRequests = 1000,
    idleTimeoutMs = 60_000,
    headTimeoutMs = 15_000,
    maxHeadBytes = DEFAULT_MAX_HEAD_BYTES,
    maxFields = DEFAULT_MAX_FIELDS,
  } = options;
  assertAtLeast("maxConnections", maxConnections, 1);
  if (maxDescriptors !== undefined) assertAtLeast("maxDescriptors", maxDescriptors, 64);
  assertAtLeast("maxGenerations", maxGenerations, 1);
  assertAtLeast("maxRequests", maxRequests, 1);
  assertAtLeast("idleTimeoutMs", idleTimeoutMs, 1);
  assertAtLeast("headTimeoutMs", headTimeoutMs, 1);
  assertAtLeast("maxHeadBytes", maxHeadBytes, 128);
  assertAtLeast("maxFields", maxFields, 1);
  return {
    maxConnections,
    maxDescriptors,
    maxGenerations,
    maxRequests,
    idleTimeoutMs,
    headTimeoutMs,
    maxHeadBytes,
    maxFields,
  };
}

/** Where no process can be started, none has to be prepared for: its listener would be a slower one. */
export function withoutRefused(limits: Limits, options: ServeDownloadsOptions): Limits {
  if (limits.maxGenerations === 1) return limits;
  const { transport: { host, name }, onError } = options;
  const refusal = host.successors === undefined
    ? unsupported("maxGenerations", `the transport "${name}" starts no processes`)
    : host.successors.check();
  if (refusal === undefined) return limits;
  reporter(onError)(refusal);
  return { ...limits, maxGenerations: 1 };
}

/** Whether other processes of the user may listen on the port of a server. */
export function sharesPort(
  { reusePort = false, upgradable = false, tls }: ServeDownloadsOptions,
): boolean {
  return reusePort || (upgradable && tls !== undefined);
}

/** Tells of failures; a server must outlive the callback that watches it. */
export function reporter(onError: OnError | undefined): (error: unknown) => void {
  return (error) => {
    try {
      onError?.(error, { stage: "accept" });
    } catch {
      // It must not break what it watches.
    }
  };
}
