import { type Clock, delay, type Socket } from "../transport/mod.ts";
import { SocketWatch } from "./socket_watch.ts";

/** What {@linkcode Control} is made with. */
export interface ControlOptions {
  /** Measures time. */
  readonly clock: Clock;
  /** A socket that brings nothing for so long is given up. */
  readonly stallTimeoutMs: number;
  /** The caller's. */
  readonly signal?: AbortSignal;
}

/** How often sockets are looked at, and progress is told, in milliseconds. */
const TICK_MS = 100;
const LEAST_TICK_MS = 5;
/** Ticks in the time of the stall limit, at least: it is kept to a quarter. */
const TICKS_IN_LIMIT = 4;

/**
 * Whether a transfer goes on, and what all of its waits end with: the first failure, or the signal's
 * reason. It aborts the sockets in use, so that no read or write outlives it.
 *
 * One timer looks at all sockets. It counts its own turns, not time: a program that was stopped, or
 * was busy writing to a slow disk, must not take its sockets for stalled.
 */
export class Control {
  /** Measures time. */
  readonly clock: Clock;
  /** Milliseconds between two ticks. */
  readonly tickMs: number;
  #stallTimeoutMs: number;
  #caller: AbortSignal | undefined;
  #stop = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  #watches = new Set<SocketWatch>();
  #listeners = new Set<() => void>();
  #cancelTick: (() => void) | undefined;

  /** Begins to tick. */
  constructor({ clock, stallTimeoutMs, signal }: ControlOptions) {
    this.clock = clock;
    this.#stallTimeoutMs = stallTimeoutMs;
    this.tickMs = Math.max(LEAST_TICK_MS, Math.min(TICK_MS, stallTimeoutMs / TICKS_IN_LIMIT));
    this.#caller = signal;
    signal?.addEventListener("abort", this.#giveUp, { once: true });
    if (signal?.aborted) this.#giveUp();
    else this.#scheduleTick();
  }

  /** Aborted when the transfer ends, however it ends. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the transfer has failed or was given up. */
  get isOver(): boolean {
    return this.#failure !== undefined;
  }

  /** Throws what the transfer failed with. */
  assertGoing(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** The first failure ends everything. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#stop.abort(error);
    for (const { socket } of this.#watches) socket.abort(error);
  }

  /** Look after a socket from now on, until the watch ends. */
  watch(socket: Socket): SocketWatch {
    const limitTicks = this.#stallTimeoutMs / this.tickMs;
    const watch = new SocketWatch(socket, this.#stallTimeoutMs, limitTicks, () => {
      this.#watches.delete(watch);
    });
    this.#watches.add(watch);
    if (this.#failure !== undefined) socket.abort(this.#failure.error);
    return watch;
  }

  /** Call `run` at every tick; the result takes it back. */
  onTick(run: () => void): () => void {
    this.#listeners.add(run);
    return () => this.#listeners.delete(run);
  }

  /** Let time pass; rejects when the transfer ends. */
  delay(ms: number): Promise<void> {
    return delay(this.clock, ms, this.#stop.signal);
  }

  /** Wait for something that cannot be given up, as long as the transfer goes on. */
  until<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#stop;
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(signal.reason);
      signal.addEventListener("abort", giveUp, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
      if (signal.aborted) giveUp();
    });
  }

  /** It is over: no tick comes any more, and nothing is left at the caller's signal. */
  end(): void {
    this.#cancelTick?.();
    this.#caller?.removeEventListener("abort", this.#giveUp);
    this.#listeners.clear();
    if (!this.#stop.signal.aborted) this.#stop.abort(new Error("the transfer has ended"));
  }

  #giveUp = (): void => this.fail(this.#caller!.reason);

  #scheduleTick(): void {
    this.#cancelTick = this.clock.schedule(this.tickMs, () => {
      this.#scheduleTick();
      for (const watch of this.#watches) watch.tick();
      try {
        for (const listener of this.#listeners) listener();
      } catch (error) {
        this.fail(error); // A listener calls what belongs to the user.
      }
    });
  }
}
