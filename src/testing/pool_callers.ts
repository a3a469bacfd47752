import type { AcquireOptions } from "../pool/mod.ts";
import { isJackfieldError } from "../transport/mod.ts";
import type { Socket } from "../transport/mod.ts";
import type { Dice } from "./dice.ts";
import type { ModelledLease, ModelledPool } from "./modelled_pool.ts";
import type { Rules } from "./rules.ts";
import type { VirtualClock } from "./virtual_clock.ts";
import type { WatchedTransport } from "./watched_transport.ts";

/** A call of `acquire` that was told nothing yet. */
interface Caller {
  readonly number: number;
  readonly deadlineMs: number;
  readonly stop: AbortController;
}

/** A lease that was not given back. */
interface Holding {
  readonly lease: ModelledLease;
  /** The socket, which belongs to somebody else when the lease is over. */
  readonly socket: Socket;
  /** Whether an answer is on its way. */
  isBusy: boolean;
}

/** What the callers live in. */
export interface CallersWorld {
  readonly pool: ModelledPool;
  readonly transport: WatchedTransport;
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly rules: Rules;
  /** Whether a connect may have failed. */
  mayConnectFail(): boolean;
}

/** How a caller may be refused by a pool in good order. */
const REFUSALS: readonly string[] = [
  "POOL_QUEUE_FULL",
  "POOL_PREPARE_FAILED",
  "POOL_DEADLOCK",
  "ADDRESS_EXHAUSTED",
];
const CONNECT_FAILURES: readonly string[] = ["CONNECT_FAILED", "CONNECT_TIMEOUT", "SOCKET_RESET"];
const TOKEN_BYTES = 4;

/** What the callers of a pool know of it, and what they may expect. */
export class PoolCallers {
  /** Who waits. */
  readonly waiting: Set<Caller> = new Set();
  /** Who has what. */
  readonly holdings: Map<Socket, Holding> = new Map();
  /** Whether `close` was called. */
  isClosing = false;
  #world: CallersWorld;
  #asked = 0;
  #discarded = new WeakSet<Socket>();

  /** Nobody has called yet. */
  constructor(world: CallersWorld) {
    this.#world = world;
  }

  /** Call `acquire`. */
  acquire(options: AcquireOptions): void {
    const { timeoutMs = 30_000 } = options;
    const stop = new AbortController();
    const deadlineMs = this.#world.clock.now() + timeoutMs;
    const caller: Caller = { number: this.#asked++, deadlineMs, stop };
    this.waiting.add(caller);
    this.#world.pool.acquire({ ...options, signal: stop.signal }).then((lease) => {
      this.waiting.delete(caller);
      if (this.#world.clock.now() > deadlineMs) {
        this.#world.rules.broke(`${nameOf(caller)} after its deadline`);
      }
      this.#hold(lease);
    }, (error) => {
      this.waiting.delete(caller);
      const wrong = this.#whyNot(caller, error);
      if (wrong !== undefined) {
        this.#world.rules.broke(`a caller was refused with ${error}, but ${wrong}`);
      }
    });
  }

  /** Call `tryAcquire`; says so, like those below. */
  tryAcquire(): string {
    const { waiting = 0 } = this.#world.pool.stats?.() ?? {};
    const lease = this.#world.pool.tryAcquire?.();
    if (lease === undefined) return "tryAcquire in vain";
    if (waiting > 0) this.#world.rules.broke("tryAcquire went before a caller who waits");
    this.#hold(lease);
    return "tryAcquire";
  }

  /** Let one that waits give up. */
  giveUp(): string {
    if (this.waiting.size === 0) return "nothing";
    this.#world.dice.oneOf([...this.waiting]).stop.abort(new Error("gave up"));
    return "give up";
  }

  /** Let one give its socket back; while an answer is on its way nobody else can use it. */
  giveBack(how: "release" | "discard"): string {
    const holding = this.#anyHolding();
    if (holding === undefined) return "nothing";
    const end = holding.isBusy ? "discard" : how;
    this.#end(holding, end);
    return end;
  }

  /** Give everything back that is not in use. */
  releaseAll(): void {
    for (const holding of this.holdings.values()) {
      if (!holding.isBusy) this.#end(holding, "release");
    }
  }

  /** Let one send something and read what comes back: it must be the same. */
  exchange(): string {
    const holding = this.#anyHolding();
    if (holding === undefined || holding.isBusy) return "nothing";
    holding.isBusy = true;
    const token = Uint8Array.from({ length: TOKEN_BYTES }, () => this.#world.dice.below(256));
    this.#echoed(holding.socket, token).then((answer) => {
      holding.isBusy = false;
      if (answer !== undefined && answer.join() !== token.join() && this.#has(holding)) {
        this.#world.rules.broke("a task read what another one was sent");
      }
      if (answer === undefined) this.#end(holding, "discard");
    }, () => this.#end(holding, "discard"));
    return "exchange";
  }

  /** What is wrong once everything has happened that needs no time. */
  checkSettled(): void {
    const { holdings, waiting } = this;
    for (const { number, deadlineMs, stop } of waiting) {
      if (this.#world.clock.now() >= deadlineMs) {
        this.#world.rules.broke(`caller ${number} waits for too long`);
      }
      if (stop.signal.aborted) this.#world.rules.broke(`caller ${number} waits, though it gave up`);
    }
    const stats = this.#world.pool.stats?.();
    if (stats === undefined) return;
    const { size, idle, leased, closing } = stats;
    if (leased !== holdings.size) {
      this.#world.rules.broke(`${holdings.size} leases, and it says ${leased}`);
    }
    let alive = idle;
    for (const socket of holdings.keys()) if (this.#world.transport.has(socket)) alive++;
    if (alive > this.#world.transport.held) {
      this.#world.rules.broke("it counts an idle socket that is gone");
    }
    if (idle > 0 && size - closing > this.#world.pool.maxSize) {
      this.#world.rules.broke("a socket is idle beyond maxSize");
    }
    if (stats.waiting !== waiting.size) {
      this.#world.rules.broke(`${waiting.size} wait, and it says ${stats.waiting}`);
    }
  }

  #hold(lease: ModelledLease): void {
    const { socket } = lease;
    if (this.holdings.has(socket)) this.#world.rules.broke("two tasks have one socket");
    if (this.#discarded.has(socket)) this.#world.rules.broke("a task was given a discarded socket");
    if (!this.#world.transport.has(socket)) {
      this.#world.rules.broke("a task was given a socket that is gone");
    } else if (socket.state !== "open") {
      this.#world.rules.broke(`a task was given a ${socket.state} socket`);
    } else if (socket.isBusy) {
      this.#world.rules.broke("a task was given a socket that somebody is at");
    } else if (socket.hasUnread) {
      this.#world.rules.broke("a task was given a socket with something unread");
    }
    this.holdings.set(socket, { lease, socket, isBusy: false });
  }

  #end(holding: Holding, how: "release" | "discard"): void {
    if (!this.#has(holding)) return;
    this.holdings.delete(holding.socket);
    if (how === "discard") this.#discarded.add(holding.socket);
    holding.lease[how]();
    if (this.#world.dice.below(8) === 0) holding.lease.release(); // The first one counts.
  }

  #has(holding: Holding): boolean {
    return this.holdings.get(holding.socket) === holding;
  }

  #anyHolding(): Holding | undefined {
    if (this.holdings.size === 0) return undefined;
    return this.#world.dice.oneOf([...this.holdings.values()]);
  }

  async #echoed(socket: Socket, token: Uint8Array): Promise<Uint8Array | undefined> {
    await socket.write(token);
    const answer = new Uint8Array(token.byteLength);
    for (let have = 0; have < answer.byteLength;) {
      const count = await socket.read(answer.subarray(have));
      if (count === null) return undefined;
      have += count;
    }
    return answer;
  }

  /** Why a caller may not be refused with this error. */
  #whyNot(caller: Caller, error: unknown): string | undefined {
    if (caller.stop.signal.aborted && error === caller.stop.signal.reason) return undefined;
    if (!isJackfieldError(error)) return "that is no error of a pool";
    const { code } = error;
    if (code === "POOL_CLOSED") return this.isClosing ? undefined : "the pool is open";
    if (code === "POOL_TIMEOUT" && error.operation === "acquire") {
      return this.#world.clock.now() >= caller.deadlineMs ? undefined : "it is too early";
    }
    if (REFUSALS.includes(code) || code === "POOL_TIMEOUT") return undefined;
    if (!CONNECT_FAILURES.includes(code)) return "nobody expects that";
    return this.#world.mayConnectFail() ? undefined : "no connect has failed";
  }
}

function nameOf({ number }: Caller): string {
  return `caller ${number} was granted`;
}
