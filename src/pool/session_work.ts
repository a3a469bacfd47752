import type { Clock, Socket } from "../transport/mod.ts";
import { runHook } from "./hook.ts";
import type { PartingReason } from "./observer.ts";
import type { SocketContext, SocketPoolOptions } from "./options.ts";
import type { PooledSocket } from "./pooled_socket.ts";
import type { Settings } from "./settings.ts";

/** What becomes of a socket when the work at it is done. */
export interface WorkHost<Session> {
  /** It is as good as new. */
  done(entry: PooledSocket<Session>): void;
  /** It is not. */
  failed(entry: PooledSocket<Session>, reason: PartingReason, error?: unknown): void;
}

/**
 * Runs the user's `prepare`, `check` and `reset` on sockets that nobody has, each in its time. A
 * socket that ended meanwhile, for whatever reason, is not spoken of again.
 */
export class SessionWork<Session> {
  #options: SocketPoolOptions<Session>;
  #settings: Settings;
  #clock: Clock;
  #stop: AbortSignal;
  #host: WorkHost<Session>;

  /** `stop` is aborted when the pool ends. */
  constructor(
    options: SocketPoolOptions<Session>,
    settings: Settings,
    stop: AbortSignal,
    host: WorkHost<Session>,
  ) {
    this.#options = options;
    this.#settings = settings;
    this.#clock = settings.clock;
    this.#stop = stop;
    this.#host = host;
  }

  /** Whether it has to be checked before it is lent, in a pool that checks. */
  isStale(entry: PooledSocket<Session>): boolean {
    return this.#clock.now() - entry.usedMs >= this.#settings.checkAfterMs;
  }

  /** It was used just now; of interest only in a pool that checks. */
  used(entry: PooledSocket<Session>): void {
    entry.usedMs = this.#clock.now();
  }

  /**
   * Make the session of a new connection.
   *
   * @returns Whether the socket is still there.
   * @throws What `prepare` failed with.
   */
  async prepare(entry: PooledSocket<Session>): Promise<boolean> {
    const { prepare } = this.#options;
    if (prepare === undefined) return true;
    const context = {
      session: undefined,
      target: entry.target,
      replaceSocket: (socket: Socket) => entry.replace(socket),
    };
    try {
      entry.session = await runHook((signal) => prepare(entry.socket, { ...context, signal }), {
        socket: entry.socket,
        clock: this.#clock,
        stop: this.#stop,
        timeoutMs: this.#settings.prepareTimeoutMs,
        what: "prepare",
        phase: "prepare",
      });
      if (entry.state !== "preparing") return false;
      if (!entry.isClean) throw new Error("it ended, is in use, or has bytes that nobody read");
      return true;
    } catch (error) {
      if (entry.state !== "preparing") return false;
      throw error;
    }
  }

  /** The connection goes on in another socket, after it was lent. It throws what the hook throws. */
  resume(entry: PooledSocket<Session>, socket: Socket): void {
    entry.replace(socket);
    const { resume } = this.#options;
    if (resume !== undefined) entry.session = resume(socket, entry.session as Session);
  }

  /** Find out whether a socket in state `checking` still works. */
  check(entry: PooledSocket<Session>): void {
    this.#run(entry, "check", this.#settings.checkTimeoutMs, this.#options.check!);
  }

  /** Make a socket in state `resetting` fit for the next task. */
  reset(entry: PooledSocket<Session>): void {
    this.#run(entry, "reset", this.#settings.resetTimeoutMs, this.#options.reset!);
  }

  #run(
    entry: PooledSocket<Session>,
    what: "check" | "reset",
    timeoutMs: number,
    hook: (socket: Socket, context: SocketContext<Session>) => unknown,
  ): void {
    const { state } = entry;
    const context = { session: entry.session as Session, target: entry.target };
    runHook((signal) => hook(entry.socket, { ...context, signal }), {
      socket: entry.socket,
      clock: this.#clock,
      stop: this.#stop,
      timeoutMs,
      what,
      phase: "check",
    }).then((result) => {
      if (entry.state !== state) return;
      if (what === "check" && result === false) this.#host.failed(entry, "check");
      else if (!entry.isClean) this.#host.failed(entry, "unclean");
      else this.#host.done(entry);
    }, (error) => {
      if (entry.state === state) this.#host.failed(entry, what, error);
    });
  }
}
