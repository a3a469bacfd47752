// The core's components with the runtime's own sockets where no transport is named.
import * as core from "./core.ts";
import { systemTransport } from "./system_transport.ts";

/** The same options with the transport left to choice: the runtime's own, or that of `addresses`. */
export type WithSystemTransport<Options extends { readonly transport?: core.Transport }> =
  & Omit<Options, "transport">
  & {
    /** @default {systemTransport(), or that of `addresses`} */
    readonly transport?: core.Transport;
  };

/** Options of {@linkcode AddressTable}. */
export type AddressTableOptions = WithSystemTransport<core.AddressTableOptions>;
/** Options of {@linkcode SocketPool}. */
export type SocketPoolOptions<Session = undefined> = WithSystemTransport<
  core.SocketPoolOptions<Session>
>;
/** Options of {@linkcode DownloadManager}. */
export type DownloadManagerOptions = WithSystemTransport<core.DownloadManagerOptions>;
/** Options of {@linkcode serveDownloads}. */
export type ServeDownloadsOptions = WithSystemTransport<core.ServeDownloadsOptions>;
/** Options of {@linkcode parallelGet}. */
export type ParallelGetOptions = WithSystemTransport<core.ParallelGetOptions>;
/** Options of {@linkcode connectStriped}. */
export type ConnectStripedOptions = WithSystemTransport<core.ConnectStripedOptions>;
/** Options of {@linkcode listenStriped}. */
export type ListenStripedOptions = WithSystemTransport<core.ListenStripedOptions>;
/** Options of {@linkcode WorkerGroup}. */
export type WorkerGroupOptions = WithSystemTransport<core.WorkerGroupOptions>;

/**
 * Gives every socket a local address and port of its own, under a descriptor that the table issues.
 *
 * The five operations (create, bind, connect, addressOf, close) are re-entrant: each may be called
 * at any time, at the same time as any other.
 */
export class AddressTable extends core.AddressTable {
  /** Checks the options; nothing is bound before somebody asks. */
  constructor(options: AddressTableOptions) {
    super({ ...options, transport: options.transport ?? systemTransport() });
  }
}

/**
 * A bounded set of sockets to one target or several, leased to tasks and given back for the next
 * task.
 *
 * @typeParam Session What `prepare` makes of a connection.
 */
export class SocketPool<Session = undefined> extends core.SocketPool<Session> {
  /** Checks the options; without `minIdle` nothing is connected before somebody asks. */
  constructor(options: SocketPoolOptions<Session>) {
    super({ ...options, transport: transportOf(options) });
  }
}

/**
 * Takes over sockets together with the download requests that were read from them, and sends the
 * files on those same sockets.
 */
export class DownloadManager extends core.DownloadManager {
  /** Checks the options. */
  constructor(options: DownloadManagerOptions) {
    super({ ...options, transport: options.transport ?? systemTransport() });
  }
}

/**
 * Serve the files of a folder over HTTP/1.1.
 *
 * @throws {JackfieldError} `FILE_FAILED` for a folder that is not there, `LISTEN_FAILED` with a
 * reason, such as a port in use.
 */
export function serveDownloads(options: ServeDownloadsOptions): Promise<core.DownloadServer> {
  return core.serveDownloads({ ...options, transport: options.transport ?? systemTransport() });
}

/**
 * Fetch one file over several sockets at once.
 *
 * @throws {JackfieldError} `CONNECT_FAILED`, `HTTP_STATUS`, `HTTP_BAD_RESPONSE`, `TRANSFER_FAILED`
 * or `FILE_FAILED`.
 */
export function parallelGet(
  url: string | URL,
  options: ParallelGetOptions = {},
): Promise<core.ParallelGetResult> {
  return core.parallelGet(url, { ...options, transport: transportOf(options) });
}

/**
 * Open one stream over several sockets to a {@linkcode listenStriped}.
 *
 * @throws {JackfieldError} `CONNECT_FAILED`, `CONNECT_TIMEOUT`, or what the transport's `connect`
 * throws for the first socket.
 */
export function connectStriped(
  target: core.Target,
  options: ConnectStripedOptions = {},
): Promise<core.StripedSocket> {
  return core.connectStriped(target, { ...options, transport: transportOf(options) });
}

/**
 * Listen for {@linkcode connectStriped}.
 *
 * @throws {JackfieldError} `LISTEN_FAILED` with a reason, such as a port in use.
 */
export function listenStriped(options: ListenStripedOptions = {}): Promise<core.StripedListener> {
  return core.listenStriped({ ...options, transport: options.transport ?? systemTransport() });
}

/** A number of threads that run the same script, and the sockets that are bound to them. */
export class WorkerGroup extends core.WorkerGroup {
  /** Checks the options and starts the threads. */
  constructor(options: WorkerGroupOptions) {
    super({ ...options, transport: options.transport ?? systemTransport() });
  }
}

function transportOf(
  options: { readonly transport?: core.Transport; readonly addresses?: core.AddressTable },
): core.Transport {
  return options.transport ?? options.addresses?.transport ?? systemTransport();
}
