import { Deadlines } from "../queue/mod.ts";
import {
  boundListener,
  type Clock,
  delay,
  formatAddress,
  JackfieldError,
  type Listener,
  type SocketAddress,
  type SuccessionLink,
  systemClock,
} from "../transport/mod.ts";
import { Acceptor } from "./acceptor.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import type { DescriptorBudget } from "./descriptor_budget.ts";
import type { Download } from "./download.ts";
import { type DownloadManager, movesOf, openFilesOf, shortDeskOf } from "./download_manager.ts";
import type { DownloadServer, DownloadServerStats } from "./download_server.ts";
import { Generations } from "./generations.ts";
import type { HandOverOptions, HandOverResult } from "./handover/hand_over_options.ts";
import { Predecessor } from "./handover/predecessor.ts";
import { ServerMoves } from "./handover/server_moves.ts";
import { checkListener, Successor } from "./handover/successor.ts";
import { HeadBuffers } from "./head_buffers.ts";
import type { Placement } from "./placement.ts";
import { RoomMaker } from "./room_maker.ts";
import { type Limits, reporter, type ServeDownloadsOptions, sharesPort } from "./serve_options.ts";

/** How long `close` waits for downloads unless it is told. */
const DRAIN_MS = 30_000;

/** A handover that is under way, or done. */
interface Handover {
  readonly run: Promise<HandOverResult>;
  readonly stop: AbortController;
  /** Whether nothing stands still yet. */
  isStarting: boolean;
}

/** Accepts connections, reads requests, and has a manager answer them. */
export class ManagedServer implements DownloadServer {
  #listener!: Listener;
  #manager: DownloadManager;
  #budget: DescriptorBudget;
  #acceptor!: Acceptor;
  #roomMaker: RoomMaker;
  #clock: Clock;
  #scheme: "http" | "https";
  /** Whether another process may listen on its port. */
  #sharesPort: boolean;
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
    const { listener: inherited, asGeneration } = await predecessor.begin();
    const listener = await listenAfter(inherited, budget, options);
    if (asGeneration) server.#serveFor(predecessor);
    server.listen(listener, predecessor.heldCount + openFilesOf(manager));
    predecessor.listening();
    return server;
  }

  constructor(
    manager: DownloadManager,
    budget: DescriptorBudget,
    limits: Limits,
    options: ServeDownloadsOptions,
  ) {
    const { clock = systemClock, tls, onError } = options;
    this.#report = reporter(onError);
    this.#sharesPort = sharesPort(options);
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

  /**
   * Accept what comes through a listener; to be called once. So many descriptors have come along
   * already, and are counted later.
   */
  listen(listener: Listener, arrived = 0): this {
    this.#listener = listener;
    this.#budget.measure(arrived);
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
    const { run } = this.#handover = {
      stop,
      isStarting: true,
      run: this.#handOver(options, signal, stop),
    };
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
    if (this.#closing !== undefined) return closedError();
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
    wanted: AbortSignal | undefined,
    stop: AbortController,
  ): Promise<HandOverResult> {
    const isCopied = this.#scheme === "http" || !this.#sharesPort;
    if (isCopied) await checkListener(this.#listener); // Before anything is started.
    const { transport: { host } } = this.#manager;
    const giveUp = () => stop.abort(wanted!.reason);
    if (wanted?.aborted) giveUp();
    wanted?.addEventListener("abort", giveUp);
    const { signal } = stop;
    let successor: Successor;
    let moved: number;
    try {
      successor = await Successor.start(host, { ...options, signal, clock: this.#clock });
      const end = () => void successor.stop(signal.reason);
      signal.addEventListener("abort", end);
      try {
        signal.throwIfAborted();
        this.#handover!.isStarting = false;
        moved = await this.#moves.move(successor);
        // What has moved would end with it.
        if (moved > 0) wanted?.removeEventListener("abort", giveUp);
        if (isCopied) await successor.giveListener(this.#listener);
        else await successor.listenBeside(this.#listener);
      } catch (error) {
        throw await successor.stop(error);
      } finally {
        signal.removeEventListener("abort", end);
      }
    } finally {
      wanted?.removeEventListener("abort", giveUp);
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
    const retired = this.#generations?.retire();
    await this.#moves.moveRest(successor, () => this.#closing !== undefined);
    successor.leave();
    await retired;
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
    if (this.#handover?.isStarting) this.#handover.stop.abort(closedError());
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

/** The listener of a process that takes over. */
async function listenAfter(
  inherited: Listener | SocketAddress,
  { maxPending }: DescriptorBudget,
  { transport, tls, onError }: ServeDownloadsOptions,
): Promise<Listener> {
  const isSecure = !("accept" in inherited);
  if (isSecure !== (tls !== undefined)) {
    const [speaks, has] = isSecure ? ["https", "no option"] : ["http", "the option"];
    const message =
      `Cannot take over: the old process speaks ${speaks}, and this one has ${has} tls`;
    throw new JackfieldError("HANDOVER_FAILED", message, { operation: "take over" });
  }
  if (!isSecure) {
    await boundListener(inherited, maxPending);
    return inherited;
  }
  const { hostname, port } = inherited;
  return await transport.listen({ hostname, port, tls, reusePort: true, maxPending, onError });
}

function closedError(): JackfieldError {
  const message = "Cannot hand over: the server is closed";
  return new JackfieldError("DOWNLOAD_CLOSED", message, { operation: "hand over" });
}
