import type { AddressTable } from "../address_table/mod.ts";
import { type PoolCandidate, type PoolRequest, SocketPool } from "../pool/mod.ts";
import type { Strategy } from "../strategy/mod.ts";
import {
  type Clock,
  systemClock,
  type TlsConnectOptions,
  type Transport,
  unsupported,
} from "../transport/mod.ts";
import { fileOutput, memoryOutput, type Output } from "./output.ts";
import { ProgressMeter, type SocketProgress, type TransferProgress } from "./progress.ts";
import { Transfer } from "./transfer.ts";
import { parseUrl } from "./url_target.ts";

/** Options of {@linkcode parallelGet}. */
export interface ParallelGetOptions {
  /** Where the sockets come from; not needed with `addresses`. */
  readonly transport?: Transport;
  /** Gives every socket its own local address. */
  readonly addresses?: AddressTable;
  /** The file to write; without it the bytes come back as `data`. */
  readonly to?: string;
  /**
   * How many sockets at most, 1 to 64.
   *
   * @default {4}
   */
  readonly sockets?: number;
  /**
   * Bytes in one data unit, 1024 or more.
   *
   * @default {a share for every socket, from 64 KiB to 4 MiB; 256 KiB for the first one}
   */
  readonly unitBytes?: number;
  /**
   * Chooses the socket of each unit among those that are free.
   *
   * @default {roundRobin()}
   */
  readonly strategy?: Strategy<PoolCandidate, PoolRequest>;
  /**
   * How often a unit is fetched again when its socket fails.
   *
   * @default {3}
   */
  readonly retries?: number;
  /**
   * Milliseconds without a byte after which a socket is given up; `Infinity` for no limit.
   *
   * @default {30_000}
   */
  readonly stallTimeoutMs?: number;
  /**
   * The most bytes that may come back as `data`.
   *
   * @default {256 MiB}
   */
  readonly maxDataBytes?: number;
  /**
   * How an https server is verified; `tls.serverName` is the URL's host name by default.
   */
  readonly tls?: TlsConnectOptions;
  /** Gives up; the promise rejects with the signal's reason and nothing is left behind. */
  readonly signal?: AbortSignal;
  /** Told how far it is, at most ten times a second and once at the end. */
  readonly onProgress?: (progress: TransferProgress) => void;
  /**
   * Measures time.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** What was fetched, and how. */
export interface ParallelGetResult {
  /** Bytes that were fetched. */
  readonly bytes: number;
  /** Bytes of the file. */
  readonly totalBytes: number;
  /** The SHA-256 of the file, in hexadecimal. */
  readonly digest: string;
  /** What each socket has carried. */
  readonly sockets: readonly SocketProgress[];
  /** The file that was written. */
  readonly path?: string;
  /** The bytes, when no file was named. */
  readonly data?: Uint8Array<ArrayBuffer>;
}

/**
 * Fetch one file over several sockets at once.
 *
 * The file is cut into data units; each is asked for as a range on a socket of a pool and written in
 * its place. A unit whose socket dies or stalls is fetched again on another. A server without ranges
 * is read with one socket. A file is written beside its target and takes the name when it is
 * complete.
 *
 * @throws {JackfieldError} `CONNECT_FAILED`, `HTTP_STATUS` (with `status`), `HTTP_BAD_RESPONSE`,
 * `TRANSFER_FAILED` when the file changed or the server vanished, `FILE_FAILED`.
 * @throws {TypeError} For a URL that is none.
 * @throws {RangeError} For options out of range.
 */
export async function parallelGet(
  url: string | URL,
  options: ParallelGetOptions,
): Promise<ParallelGetResult> {
  const { addresses, transport = addresses?.transport, to, signal } = options;
  if (transport === undefined) {
    throw new TypeError("Cannot get file: expected a transport or an address table");
  }
  const { sockets, unitBytes, retries, stallTimeoutMs, maxDataBytes } = checked(options);
  const { hash, files } = transport.host;
  if (hash === undefined) throw unsupported("parallelGet", "the transport's host has no hash");
  const clock = options.clock ?? systemClock;
  const where = parseUrl(url, options.tls);
  signal?.throwIfAborted();
  const pool = new SocketPool({
    transport,
    addresses,
    target: where.target,
    maxSize: sockets,
    maxWaiting: sockets,
    strategy: options.strategy,
    clock,
  });
  const meter = new ProgressMeter(clock, options.onProgress);
  let output: Output | undefined;
  try {
    output = to === undefined ? memoryOutput(maxDataBytes) : await fileOutput(files, to);
    const transfer = new Transfer({
      url: where,
      pool,
      output,
      meter,
      sockets,
      unitBytes,
      retries,
      stallTimeoutMs,
      clock,
      signal,
    });
    const size = await transfer.run();
    const digest = await digestOf(output, size, hash.sha256(), signal);
    meter.tell(); // A callback that throws must not leave a file behind.
    const kept = await output.keep(size);
    output = undefined;
    return { bytes: size, totalBytes: size, digest, sockets: meter.sockets(), ...kept };
  } finally {
    pool.abort();
    await pool.close();
    await output?.drop();
  }
}

function checked(options: ParallelGetOptions): {
  sockets: number;
  unitBytes: number | undefined;
  retries: number;
  stallTimeoutMs: number;
  maxDataBytes: number;
} {
  const {
    sockets = 4,
    unitBytes,
    retries = 3,
    stallTimeoutMs = 30_000,
    maxDataBytes = 256 * 2 ** 20,
  } = options;
  if (!Number.isInteger(sockets) || sockets < 1 || sockets > 64) {
    throw new RangeError(`Cannot use sockets "${sockets}": expected an integer from 1 to 64`);
  }
  if (unitBytes !== undefined && (!Number.isInteger(unitBytes) || unitBytes < 1024)) {
    throw new RangeError(
      `Cannot use unitBytes "${unitBytes}": expected an integer of 1024 or more`,
    );
  }
  if (!(retries >= 0)) throw new RangeError(`Cannot use retries "${retries}": expected 0 or more`);
  if (!(stallTimeoutMs > 0)) {
    throw new RangeError(`Cannot use stallTimeoutMs "${stallTimeoutMs}": expected more than 0`);
  }
  return { sockets, unitBytes, retries, stallTimeoutMs, maxDataBytes };
}

/** Read back what was written: what is on the disk counts, not what was meant to be. */
async function digestOf(
  output: Output,
  size: number,
  digest: { update(bytes: Uint8Array): void; hex(): string },
  signal: AbortSignal | undefined,
): Promise<string> {
  const buffer = new Uint8Array(Math.max(1, Math.min(size, 1024 * 1024)));
  for (let at = 0; at < size;) {
    const part = buffer.subarray(0, Math.min(buffer.byteLength, size - at));
    const count = await output.read(part, at);
    if (count === 0) throw new Error(`Cannot read back file: it ended at byte ${at} of ${size}`);
    digest.update(part.subarray(0, count));
    at += count;
    signal?.throwIfAborted();
  }
  return digest.hex();
}
