import type { AddressTable } from "../address_table/mod.ts";
import type { Download, DownloadStats } from "../download/mod.ts";
import type { PoolStats } from "../pool/mod.ts";

/** What is asked of a `SocketPool`. */
export interface AdminPool {
  /** The most sockets at any instant. */
  readonly maxSize: number;
  /** What it holds now. */
  stats(): PoolStats;
  /** Lease nothing any more. */
  close(): Promise<void>;
}

/** What is asked of an `AddressTable`. */
export type AdminAddresses = Pick<AddressTable, "state" | "rest" | "ban" | "lift">;

/** What a manager does now, and what a server counts besides. */
export interface AdminDownloadStats extends DownloadStats {
  /** Connections of a server. */
  readonly connections?: number;
  /** File descriptors, as a server counts them. */
  readonly descriptors?: { readonly used: number; readonly limit: number };
  /** Processes that serve, this one included. */
  readonly generations?: number;
}

/** What is asked of a `DownloadManager`, or of the server that `serveDownloads` gives. */
export interface AdminDownloads {
  /** What it does now. */
  stats(): AdminDownloadStats;
  /** The downloads that it has now. */
  downloads(): readonly Download[];
  /** Take no more, and finish what it has. */
  close(): Promise<void>;
}

/** Options of {@linkcode adminHandler}. */
export interface AdminOptions {
  /** A pool, or several by the names that they are to be shown with. */
  readonly pool?: AdminPool | Readonly<Record<string, AdminPool>>;
  /** An address table. */
  readonly addresses?: AdminAddresses;
  /** A download manager, or a server of downloads. */
  readonly manager?: AdminDownloads;
  /**
   * What a request has to bring (RFC 6750): `Authorization: Bearer TOKEN`. At least 16 characters out
   * of letters, digits and `-._~+/`, with `=` at the end.
   *
   * @default {none, which only `loopback` allows}
   */
  readonly token?: string;
  /**
   * Whether nobody but this host can reach the server that it stands behind. Then it may do without a
   * token, and answers only those who call it by a name of this host.
   *
   * @default {false}
   */
  readonly loopback?: boolean;
  /**
   * What `POST /drain` does; it is called once.
   *
   * @default {closes the manager, then the pools}
   */
  readonly drain?: () => Promise<unknown>;
  /** Told when draining failed. */
  readonly onError?: (error: unknown) => void;
}
