import type { AddressTable } from "../address_table/mod.ts";
import type { PoolCandidate, PoolRequest } from "../pool/mod.ts";
import type { RateLimit } from "../queue/mod.ts";
import type { Strategy } from "../strategy/mod.ts";
import type { Clock, TlsConnectOptions, Transport } from "../transport/mod.ts";
import type { OneSocketReason } from "./find_file.ts";
import type { SocketProgress, TransferProgress } from "./progress.ts";

/** Options of {@linkcode parallelGet}. */
export interface ParallelGetOptions {
  /** Where the sockets come from; not needed with `addresses`. */
  readonly transport?: Transport;
  /** Gives every socket its own local address. */
  readonly addresses?: AddressTable;
  /**
   * The file to write, or a stream that is given the bytes in order and closed at the end; without it
   * the bytes come back as `data`.
   */
  readonly to?: string | WritableStream<Uint8Array>;
  /**
   * How many sockets at most, 1 to 64.
   *
   * @default {4}
   */
  readonly sockets?: number;
  /**
   * Bytes in one data unit, 1024 or more, and then the bytes of every request.
   *
   * @default {a share for every socket, from 64 KiB to 4 MiB; 256 KiB for the first request, and
   * several units in one where an answer takes long to begin}
   */
  readonly unitBytes?: number;
  /**
   * Chooses the socket of each unit among those that are free.
   *
   * @default {roundRobin()}
   */
  readonly strategy?: Strategy<PoolCandidate, PoolRequest>;
  /**
   * How often a unit is fetched again when its socket fails, a server asked again that is busy, and a
   * connect tried again that fails while others stand.
   *
   * @default {3}
   */
  readonly retries?: number;
  /**
   * Milliseconds before the second try in a row; doubled with each one more, and shortened by chance
   * by up to a half. A server that asks for more (Retry-After) gets it, up to a minute.
   *
   * @default {250}
   */
  readonly backoffMs?: number;
  /**
   * The most milliseconds between two tries.
   *
   * @default {10_000}
   */
  readonly maxBackoffMs?: number;
  /**
   * Milliseconds without a byte after which a socket is given up; `Infinity` for no limit. The head of
   * an answer has the same time for all of it.
   *
   * @default {30_000}
   */
  readonly stallTimeoutMs?: number;
  /**
   * Milliseconds that one connect may take.
   *
   * @default {30_000}
   */
  readonly connectTimeoutMs?: number;
  /**
   * How many redirects are followed; 0 for none. None leads from https to http.
   *
   * @default {10}
   */
  readonly maxRedirects?: number;
  /**
   * Fields that are added to every request to the URL's own origin, such as Authorization. Where a
   * redirect leads elsewhere they stay behind.
   */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * How many bytes per second at most, or a limit that several transfers share.
   *
   * @default {Infinity}
   */
  readonly bytesPerSecond?: number | RateLimit;
  /**
   * The SHA-256 that the file must have, as 64 hexadecimal digits or as in Repr-Digest (RFC 9530).
   * `true` computes it, and compares it with the one that the server sends, if it does. `false` does
   * neither and saves half of the processor's time.
   *
   * @default {true}
   */
  readonly digest?: string | boolean;
  /**
   * Whether the server is asked for a digest of each unit (Content-Digest: RFC 9530). One that comes is
   * compared in any case, and only that unit is fetched again when it is wrong.
   *
   * @default {false}
   */
  readonly unitDigests?: boolean;
  /**
   * Whether a file with a wrong digest is put right: every unit is asked for once more, and written
   * where it differs. Not for a stream, which has been given the bytes.
   *
   * @default {when it is the server's own digest that is wrong}
   */
  readonly repair?: boolean;
  /**
   * Whether to go on with what an earlier run has left for the same URL and file. Only for a file that
   * the server can tell from every other one, by a strong ETag or an old Last-Modified.
   *
   * @default {true}
   */
  readonly resume?: boolean;
  /**
   * Whether a transfer that fails or is given up leaves what has come, for another one to go on with:
   * `FILE.part` and `FILE.part.state`.
   *
   * @default {false}
   */
  readonly keepUnfinished?: boolean;
  /**
   * The most bytes that may come back as `data`.
   *
   * @default {256 MiB}
   */
  readonly maxDataBytes?: number;
  /**
   * The most bytes that are held for a stream while earlier ones are missing or it is read slowly; at
   * least 1 MiB.
   *
   * @default {32 MiB}
   */
  readonly maxBufferBytes?: number;
  /**
   * How an https server is verified; `tls.serverName` is the URL's host name by default, and counts for
   * that host only.
   */
  readonly tls?: TlsConnectOptions;
  /**
   * Gives up; the promise rejects with the signal's reason and nothing is left behind, unless
   * `keepUnfinished` says so.
   */
  readonly signal?: AbortSignal;
  /** Told how far it is, at most ten times a second and once at the end. */
  readonly onProgress?: (progress: TransferProgress) => void;
  /**
   * Measures time.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
  /**
   * Gives numbers from 0 to below 1, for jitter.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
}

/** What was fetched, and how. */
export interface ParallelGetResult {
  /** Where the file was, after all redirects. */
  readonly url: string;
  /** Bytes that were fetched; fewer than those of the file when an earlier run was gone on with. */
  readonly bytes: number;
  /** Bytes of the file. */
  readonly totalBytes: number;
  /** The SHA-256 of the file, in hexadecimal; empty with `digest: false`. */
  readonly digest: string;
  /** Whether the digest was compared with one that was given, or that the server sent. */
  readonly isVerified: boolean;
  /** What each socket has carried. */
  readonly sockets: readonly SocketProgress[];
  /**
   * Why the file came over one socket, if it had to: the server sends no parts, or has nothing by which
   * parts could be told to be of one file, or does not know the file's length.
   */
  readonly oneSocketReason?: OneSocketReason;
  /** The file that was written. */
  readonly path?: string;
  /** The bytes, when nothing was named to write to. */
  readonly data?: Uint8Array<ArrayBuffer>;
}
