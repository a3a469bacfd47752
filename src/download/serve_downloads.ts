import { DEFAULT_MAX_FIELDS, DEFAULT_MAX_HEAD_BYTES } from "../http/mod.ts";
import { Deadlines } from "../queue/mod.ts";
import {
  boundListener,
  type Clock,
  delay,
  formatAddress,
  JackfieldError,
  type Listener,
  type OnError,
  type SocketAddress,
  type SuccessionLink,
  systemClock,
  type TlsListenOptions,
  unsupported,
} from "../transport/mod.ts";
import { Acceptor } from "./acceptor.ts";
import { Generations } from "./generations.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import type { HandOverOptions, HandOverResult } from "./handover/hand_over_options.ts";
import { claimPredecessor, Predecessor, refuseInheritance } from "./handover/predecessor.ts";
import { RoomMaker } from "./room_maker.ts";
import { ServerMoves } from "./handover/server_moves.ts";
import { checkListener, Successor } from "./handover/successor.ts";
import { DescriptorBudget } from "./descriptor_budget.ts";
import type { Download } from "./download.ts";
import type { DownloadStats } from "./download_desk.ts";
import {
  DownloadManager,
  keepReady,
  movesOf,
  openFilesOf,
  shortDeskOf,
} from "./download_manager.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import { HeadBuffers } from "./head_buffers.ts";
import type { Placement } from "./placement.ts";
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
   * `node:net` then, which costs speed.
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

/** What a server does now. */
export interface DownloadServerStats extends DownloadStats {
  /** Connections, idle ones too. */
  readonly connections: number;
  /** File descriptors of this process, as the server counts them. */
  readonly descriptors: {
    /** Its connections and files, and what the process had when the server began. */
    readonly used: number;
    /** How many there may be. */
    readonly limit: number;
  };
  /** Processes that serve, this one included; the other numbers are of this one alone. */
  readonly generations: number;
}

/** A server of files. */
export interface DownloadServer extends AsyncDisposable {
  /** What the kernel bound. */
  readonly address: SocketAddress;
  /** The address as a URL, with a slash at the end. */
  readonly url: string;
  /** Where the manager works: what `auto` has become, too. */
  readonly placement: Exclude<Placement, "auto">;
  /** The limit of all downloads together, in bytes per second; it may be changed at any time. */
  maxBytesPerSecond: number;
  /** What it does now. */
  stats(): DownloadServerStats;
  /** The downloads that it has now: to look at, pause, resume and cancel. */
  downloads(): readonly Download[];
  /**
   * Accept no more, close idle connections, finish what is being sent. Idempotent; after
   * `timeoutMs` (30 seconds unless said) what is left is aborted.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
  /**
   * Start the program once more, and have the new process go on: with the listener, the connections
   * that wait for a request, the queue, and the downloads that are half sent. Clients notice nothing.
   *
   * The new process takes over by its own call of `serveDownloads`, with its own options but for the
   * address. What cannot move is finished here. When it rejects, nothing has changed: the new process
   * has ended, and this one serves on.
   *
   * @throws {JackfieldError} `UNSUPPORTED` for a server that is not `upgradable`, or with TLS;
   * `PERMISSION_DENIED` in Deno without --allow-run and --allow-env; `HANDOVER_REFUSED` when the new
   * process speaks another version of the protocol; `HANDOVER_FAILED` when it ended, took too long, or
   * another handover is under way; `DOWNLOAD_CLOSED` when the server is closed; or the reason of
   * `signal`.
   */
  handOver(options?: HandOverOptions): Promise<HandOverResult>;
  /** End everything now. */
  abort(reason?: unknown): void;
  /**
   * Resolves when nothing is left to do here: the server was closed or aborted, has handed over and is
   * drained, or was started for another process that accepts again. The program may end.
   */
  readonly closed: Promise<void>;
}

/**
 * Serve the files of a folder over HTTP/1.1.
 *
 * In a process that was started by `handOver` the first call takes over from the process that has
 * started it, in the place of listening.
 *
 * @throws {JackfieldError} `FILE_FAILED` for a folder that is not there, `LISTEN_FAILED` with a
 * reason, such as a port in use; `HANDOVER_FAILED` or `HANDOVER_REFUSED` when there is nothing to take
 * over: the old process goes on, and this one should end.
 * @throws {RangeError} When a number is out of range.
 * @throws {TypeError} When another option cannot be used.
 */
export async function serveDownloads(options: ServeDownloadsOptions): Promise<DownloadServer> {
  const { engine } = options;
  const elsewhere = engine?.serve?.(options);
  if (elsewhere === undefined) return await serveHere(options);
  if (typeof elsewhere !== "string") return await elsewhere;
  return await serveHere({ ...options, engine: { ...engine!, reason: elsewhere } });
}

async function serveHere(options: ServeDownloadsOptions): Promise<DownloadServer> {
  const limits = withoutRefused(readLimits(options), options);
  const { hostname, port, tls, reusePort, onError, upgradable = false } = options;
  if (tls !== undefined && limits.maxGenerations > 1) {
    throw unsupported("maxGenerations with tls", "such a listener cannot leave its process");
  }
  // A connection with TLS cannot travel: there would be nothing for another thread to do.
  const placement = tls !== undefined && options.placement === "auto"
    ? "inline"
    : options.placement ?? "inline";
  const budget = new DescriptorBudget({
    host: options.transport.host,
    limit: limits.maxDescriptors,
    maxConnections: limits.maxConnections,
    each: placement === "inline" ? 1 : 2,
    startsProcesses: limits.maxGenerations > 1,
  });
  const maxOpenFiles = Math.min(options.maxOpenFiles ?? Infinity, budget.maxFiles);
  const manager = new DownloadManager({ ...options, placement, maxOpenFiles });
  const predecessor = claimPredecessor(options.transport.host);
  try {
    await manager.check();
    if (predecessor !== undefined) {
      keepReady(manager);
      return await ManagedServer.succeed(predecessor, manager, budget, limits, options);
    }
    const transferable =
      (upgradable || limits.maxGenerations > 1 || manager.placement !== "inline") &&
      tls === undefined;
    const listener = await options.transport.listen({
      hostname,
      port,
      tls,
      reusePort,
      onError,
      maxPending: budget.maxPending,
      ...(transferable ? { transferable } : {}),
    });
    keepReady(manager);
    return new ManagedServer(manager, budget, limits, options).listen(listener);
  } catch (error) {
    if (predecessor !== undefined) await refuseInheritance(predecessor, error);
    await manager.close();
    throw error;
  }
}

interface Limits {
  readonly maxConnections: number;
  readonly maxDescriptors: number | undefined;
  readonly maxGenerations: number;
  readonly maxRequests: number;
  readonly idleTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly maxFields: number;
}

function readLimits(options: ServeDownloadsOptions): Limits {
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
function withoutRefused(limits: Limits, options: ServeDownloadsOptions): Limits {
  if (limits.maxGenerations === 1) return limits;
  const { transport: { host, name }, onError } = options;
  const refusal = host.successors === undefined
    ? unsupported("maxGenerations", `the transport "${name}" starts no processes`)
    : host.successors.check();
  if (refusal === undefined) return limits;
  reporter(onError)(refusal);
  return { ...limits, maxGenerations: 1 };
}

/** Tells of failures; a server must outlive the callback that watches it. */
function reporter(onError: OnError | undefined): (error: unknown) => void {
  return (error) => {
    try {
      onError?.(error, { stage: "accept" });
    } catch {
      // It must not break what it watches.
    }
  };
}

/** How long `close` waits for downloads unless it is told. */
const DRAIN_MS = 30_000;

/** A handover that is under way, or done. */
interface Handover {
  readonly run: Promise<HandOverResult>;
  readonly stop: AbortController;
}

class ManagedServer implements DownloadServer {
  #listener!: Listener;
  #manager: DownloadManager;
  #budget: DescriptorBudget;
  #acceptor!: Acceptor;
  #roomMaker: RoomMaker;
  #clock: Clock;
  #scheme: "http" | "https";
  #context: ConnectionContext;
  #connections = new Set<Connection>();
  #closing: Promise<void> | undefined;
  #emptied: PromiseWithResolvers<void> | undefined;
  #moves: ServerMoves;
  #handover: Handover | undefined;
  /** Whether another process accepts. */
  #isLeaving = false;
  #maxGenerations: number;
  #generations: Generations | undefined;
  /** The process for which this one accepts. */
  #leader: Predecessor | undefined;
  #closed: PromiseWithResolvers<void> = Promise.withResolvers();
  #report: (error: unknown) => void;

  /** Take over from another process; resolves when this one accepts. */
  static async succeed(
    link: SuccessionLink,
    manager: DownloadManager,
    budget: DescriptorBudget,
    limits: Limits,
    options: ServeDownloadsOptions,
  ): Promise<ManagedServer> {
    const server: ManagedServer = new ManagedServer(manager, budget, limits, options);
    const predecessor = new Predecessor(link, server.#moves.hold);
    const { listener, asGeneration } = await predecessor.begin();
    await boundListener(listener, budget.maxPending);
    if (asGeneration) server.#serveFor(predecessor);
    server.listen(listener);
    predecessor.listening();
    return server;
  }

  constructor(
    manager: DownloadManager,
    budget: DescriptorBudget,
    limits: Limits,
    { clock = systemClock, tls, onError }: ServeDownloadsOptions,
  ) {
    this.#report = reporter(onError);
    this.#maxGenerations = limits.maxGenerations;
    this.#manager = manager;
    this.#budget = budget;
    this.#roomMaker = new RoomMaker(clock, budget, this.#connections);
    this.#clock = clock;
    this.#scheme = tls === undefined ? "http" : "https";
    const isClosing = () => this.#closing !== undefined;
    const deadlines = new Deadlines(clock);
    this.#context = {
      ...limits,
      manager,
      short: shortDeskOf(manager),
      buffers: new HeadBuffers(),
      clock,
      deadlines,
      isClosing,
      isLeaving: () => this.#isLeaving || this.#roomMaker.needsMore,
    };
    this.#moves = new ServerMoves({
      connections: this.#connections,
      desk: movesOf(manager),
      clock,
      serve: (socket, requests) => {
        const connection = this.#open(new Connection(socket, this.#context, requests));
        connection.serve(() => this.#ended(connection));
      },
      serveAfter: (taken, requests) => {
        const connection = this.#open(new Connection(undefined, this.#context, requests));
        connection.serveAfter(taken, () => this.#ended(connection));
      },
    });
  }

  /** Accept what comes through a listener; to be called once. */
  listen(listener: Listener): this {
    this.#listener = listener;
    this.#budget.measure();
    this.#acceptor = new Acceptor(listener, this.#budget, {
      accepted: (socket) => {
        const connection = this.#open(new Connection(socket, this.#context));
        connection.serve(() => this.#ended(connection));
      },
      full: () => {
        this.#roomMaker.begin();
        if (this.#leader === undefined) this.#generations?.full();
        else this.#leader.tell({ kind: "full" });
      },
    });
    if (this.#maxGenerations > 1 && this.#leader === undefined) {
      this.#generations = new Generations({
        host: this.#manager.transport.host,
        clock: this.#clock,
        listener,
        max: this.#maxGenerations,
        first: {
          hasRoom: () => !this.#budget.isFull,
          goAway: () => this.#acceptor.goAway(),
          comeBack: () => this.#acceptor.comeBack(),
        },
        report: this.#report,
      });
    }
    void this.#acceptor.run();
    return this;
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  get url(): string {
    return `${this.#scheme}://${formatAddress(this.address)}/`;
  }

  get placement(): Exclude<Placement, "auto"> {
    return this.#manager.placement;
  }

  get maxBytesPerSecond(): number {
    return this.#manager.maxBytesPerSecond;
  }

  set maxBytesPerSecond(bytesPerSecond: number) {
    this.#manager.maxBytesPerSecond = bytesPerSecond;
  }

  stats(): DownloadServerStats {
    const used = this.#budget.used(openFilesOf(this.#manager));
    return {
      ...this.#manager.stats(),
      connections: this.#connections.size,
      descriptors: { used, limit: this.#budget.limit },
      generations: 1 + (this.#generations?.count ?? 0),
    };
  }

  downloads(): readonly Download[] {
    return this.#manager.downloads();
  }

  close({ timeoutMs = DRAIN_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#closing ??= this.#drain(timeoutMs).finally(() => this.#closed.resolve());
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  handOver({ signal, ...options }: HandOverOptions = {}): Promise<HandOverResult> {
    const refusal = this.#handOverRefusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    const stop = new AbortController();
    const signals = signal === undefined ? [stop.signal] : [signal, stop.signal];
    const run = this.#handOver(options, AbortSignal.any(signals));
    this.#handover = { run, stop };
    run.catch(() => {
      this.#handover = undefined;
      void this.#acceptor.stayAway();
    });
    return run;
  }

  abort(reason?: unknown): void {
    if (this.#handover !== undefined && !this.#isLeaving) {
      // What stands still just now is to be aborted too: when it is here again.
      const { run, stop } = this.#handover;
      stop.abort(reason);
      run.catch(() => this.abort(reason));
    }
    void this.close();
    this.#generations?.abort(reason);
    for (const connection of this.#connections) connection.abort(reason);
    this.#manager.abort(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(connection: Connection): Connection {
    this.#connections.add(connection);
    this.#budget.add();
    return connection;
  }

  #ended(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#budget.remove()) this.#acceptor.roomMade();
    if (this.#connections.size > 0) return;
    this.#emptied?.resolve();
    this.#emptied = undefined;
  }

  #handOverRefusal(): JackfieldError | undefined {
    const facts = { operation: "hand over" };
    if (this.#closing !== undefined) {
      return new JackfieldError("DOWNLOAD_CLOSED", "Cannot hand over: the server is closed", facts);
    }
    if (this.#leader !== undefined) {
      const message = "Cannot hand over: this process accepts for another one";
      return new JackfieldError("HANDOVER_FAILED", message, facts);
    }
    if (this.#handover === undefined) return undefined;
    const message = "Cannot hand over: that is done already, or under way";
    return new JackfieldError("HANDOVER_FAILED", message, facts);
  }

  async #handOver(
    options: Omit<HandOverOptions, "signal">,
    signal: AbortSignal,
  ): Promise<HandOverResult> {
    await checkListener(this.#listener); // Before anything is started.
    const { transport: { host } } = this.#manager;
    const successor = await Successor.start(host, { ...options, signal, clock: this.#clock });
    const giveUp = () => void successor.stop(signal.reason);
    signal.addEventListener("abort", giveUp);
    let moved: number;
    try {
      signal.throwIfAborted();
      moved = await this.#moves.move(successor);
      await successor.giveListener(this.#listener);
    } catch (error) {
      throw await successor.stop(error);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
    this.#isLeaving = true;
    return { pid: successor.pid, moved, drained: this.#leave(successor) };
  }

  /** Another process accepts: move what could not move before, and finish what never can. */
  async #leave(successor: Successor): Promise<void> {
    this.#acceptor.takeAll();
    // What the runtime has accepted in this turn of its loop has been taken by the next one.
    await delay(this.#clock, 0);
    await this.#listener.close();
    await this.#moves.moveRest(successor, () => this.#closing !== undefined);
    successor.leave();
    await this.#generations?.retire();
    await this.#untilEmpty();
    await this.close();
  }

  /** Accept for another process, until that one wants it no more. */
  #serveFor(leader: Predecessor): void {
    this.#leader = leader;
    leader.follow((word) => {
      if (word.kind === "leave") void this.#retire();
      else if (word.kind === "close") void this.close(word);
    });
    void this.#closed.promise.then(() => {
      leader.tell({ kind: "drained" });
      leader.leave();
    });
  }

  /** Another process accepts: finish what is here. */
  async #retire(): Promise<void> {
    this.#isLeaving = true;
    this.#acceptor.takeAll();
    await delay(this.#clock, 0); // See `#leave`.
    await this.#listener.close();
    await this.#untilEmpty();
    await this.close();
  }

  async #untilEmpty(): Promise<void> {
    if (this.#connections.size === 0) return;
    await (this.#emptied ??= Promise.withResolvers()).promise;
  }

  async #drain(timeoutMs: number): Promise<void> {
    // What stands still is here again then, or has gone.
    if (this.#handover !== undefined) await this.#handover.run.catch(() => {});
    const others = this.#generations?.close(timeoutMs);
    await this.#listener.close();
    this.#acceptor.takeAll();
    this.#roomMaker.stop();
    for (const connection of this.#connections) connection.end();
    const message = `Cannot finish downloads: ${timeoutMs} ms are over`;
    const late = new JackfieldError("DOWNLOAD_CLOSED", message, { limit: timeoutMs });
    const cancel = this.#clock.schedule(timeoutMs, () => this.#manager.abort(late));
    await Promise.all([this.#manager.close(), others]);
    await this.#untilEmpty();
    cancel();
  }
}
