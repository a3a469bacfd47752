import type { AddressTable } from "../address_table/mod.ts";
import type { Clock, Socket, Transport } from "../transport/mod.ts";
import { lostError } from "./failures.ts";
import { countOf, type TargetState } from "./pool_target.ts";

/** What an {@linkcode Opener} needs of its pool. */
export interface OpenerHost {
  /** How many callers wait. */
  waiting(): number;
  /** Everything that holds a descriptor, or may. */
  size(): number;
  /** The bound of that. */
  maxSize(): number;
  /** A connection stands; `preparing` counts it from now on. */
  connected(target: TargetState, socket: Socket): void;
  /** A connect has failed. */
  failed(target: TargetState, error: unknown): void;
  /** A connect that was given up holds nothing any more. */
  freed(): void;
}

/** Options of {@linkcode Opener}. */
export interface OpenerOptions {
  readonly transport: Transport | undefined;
  readonly addresses: AddressTable | undefined;
  readonly targets: readonly TargetState[];
  readonly connectTimeoutMs: number;
  readonly maxConnecting: number;
  readonly transferable: boolean;
  readonly clock: Clock;
  /** Aborted when the pool ends. */
  readonly stop: AbortSignal;
}

/**
 * Connects for a pool: as many sockets as callers wait, within the bounds, to the target that has
 * the least of its share and is not resting after a failure.
 */
export class Opener {
  #options: OpenerOptions;
  #host: OpenerHost;
  /** Targets with equal shares come in turn. */
  #next = 0;
  #cancelRetry: (() => void) | undefined;
  #retryMs = Infinity;

  /** Nothing is connected yet. */
  constructor(options: OpenerOptions, host: OpenerHost) {
    this.#options = options;
    this.#host = host;
  }

  /** Sockets on the way: connecting, and what is made ready. */
  get onTheWay(): number {
    const { targets } = this.#options;
    return countOf(targets, "connecting", "preparing", "checking", "resetting");
  }

  /** Open as many sockets as callers wait for and none is on the way for. */
  serve(): void {
    for (let wanted = this.#host.waiting() - this.onTheWay; wanted > 0; wanted--) {
      if (!this.openOne()) return;
    }
  }

  /** Begin one connect, if there is room and a target that may be tried. */
  openOne(): boolean {
    if (this.#host.size() >= this.#host.maxSize()) return false;
    if (this.#opening() >= this.#options.maxConnecting) return false;
    const target = this.#choose();
    if (target === undefined) return false;
    this.open(target);
    return true;
  }

  /** Whether there is room for one connect more, and this target may be tried. */
  mayOpen(target: TargetState, nowMs: number): boolean {
    const { counts, breaker } = target;
    return target.target !== undefined && target.size < target.maxSize &&
      counts.connecting + counts.preparing < breaker.maxConnecting(nowMs) &&
      this.#host.size() < this.#host.maxSize() && this.#opening() < this.#options.maxConnecting;
  }

  /** Whether a connect could begin now. */
  get mayOpenOne(): boolean {
    const nowMs = this.#options.clock.now();
    return this.#options.targets.some((state) => this.mayOpen(state, nowMs));
  }

  /** Begin to connect to one target. */
  open(state: TargetState): void {
    const { transport, addresses, connectTimeoutMs, transferable, stop } = this.#options;
    const { counts, breaker, localAddress } = state;
    const target = state.target!;
    const { round } = breaker;
    counts.connecting++;
    let pending = true;
    let held = true;
    const options = {
      timeoutMs: connectTimeoutMs,
      signal: stop,
      localAddress,
      ...(transferable ? { transferable } : undefined),
      onReleased: () => {
        held = false;
        if (pending) return; // It counts until the promise has settled.
        counts.abandoned--;
        this.#host.freed();
      },
    };
    let connected: Promise<Socket>;
    try {
      connected = addresses === undefined
        ? transport!.connect(target, options)
        : addresses.connect(target, options);
    } catch (error) {
      held = false; // A transport of somebody's own, which will not tell.
      connected = Promise.reject(error);
    }
    connected.then((socket) => {
      pending = false;
      counts.connecting--;
      if (socket.state === "open" || stop.aborted) {
        return this.#host.connected(state, socket);
      }
      counts.abandoned++;
      void socket.close().then(() => {
        counts.abandoned--;
        this.#host.freed();
      });
      this.#failed(state, round, lostError(state));
    }, (error) => {
      pending = false;
      counts.connecting--;
      if (held) counts.abandoned++;
      this.#failed(state, round, error);
    });
  }

  /** The first failure that stands between who waits and a socket: all targets are down. */
  get downTarget(): TargetState | undefined {
    let down: TargetState | undefined;
    for (const state of this.#options.targets) {
      if (state.target === undefined) continue;
      if (!state.breaker.isDown) return undefined; // So it is most often.
      down ??= state;
    }
    if (down === undefined) return undefined;
    const nowMs = this.#options.clock.now();
    const isTried = this.#options.targets.some(({ target, breaker }) =>
      target !== undefined && nowMs >= breaker.restsUntilMs
    );
    return isTried ? undefined : down;
  }

  /** Whether another target than this one may be tried now. */
  hasAlternative(failed: TargetState): boolean {
    const nowMs = this.#options.clock.now();
    return this.#options.targets.some((state) => state !== failed && this.mayOpen(state, nowMs));
  }

  /** What the pool's callers would be told if they asked why there is no socket. */
  get lastError(): unknown {
    return this.#options.targets.find(({ breaker }) => breaker.failures > 0)?.breaker.lastError;
  }

  /** Nothing is tried again any more. */
  stop(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
  }

  #failed(state: TargetState, round: number, error: unknown): void {
    if (!this.#options.stop.aborted) {
      state.breaker.failed(round, this.#options.clock.now(), error);
    }
    this.#host.failed(state, error);
  }

  #opening(): number {
    return countOf(this.#options.targets, "connecting", "preparing");
  }

  /** The one with the least of its share; the others are asked again when their rest is over. */
  #choose(): TargetState | undefined {
    const { targets, clock } = this.#options;
    const nowMs = clock.now();
    let chosen: TargetState | undefined;
    let wakeMs = Infinity;
    for (let at = 0; at < targets.length; at++) {
      const state = targets[(this.#next + at) % targets.length]!;
      const { breaker, counts } = state;
      if (state.target === undefined || state.size >= state.maxSize) continue;
      if (counts.connecting + counts.preparing >= breaker.maxConnecting(nowMs)) {
        if (breaker.restsUntilMs > nowMs) wakeMs = Math.min(wakeMs, breaker.restsUntilMs);
        continue;
      }
      if (
        chosen === undefined || state.standing / state.weight < chosen.standing / chosen.weight
      ) chosen = state;
    }
    if (chosen !== undefined) {
      this.#next = (targets.indexOf(chosen) + 1) % targets.length;
      return chosen;
    }
    if (wakeMs < Infinity) this.#retryAt(wakeMs, nowMs);
    return undefined;
  }

  #retryAt(atMs: number, nowMs: number): void {
    if (this.#cancelRetry !== undefined) {
      if (this.#retryMs <= atMs) return;
      this.#cancelRetry();
    }
    this.#retryMs = atMs;
    this.#cancelRetry = this.#options.clock.schedule(atMs - nowMs, () => {
      this.#cancelRetry = undefined;
      this.#host.freed();
    });
  }
}
