import {
  type AcquireOptions,
  type PoolStats,
  type Socket,
  type SocketLease,
  SocketPool,
} from "../../../src/core.ts";
import type { Dice } from "../../support/seeds.ts";
import { type Ask, CountedSignal, type Holding, type Session } from "./ask.ts";
import type { Connection } from "./connection.ts";
import { moodyHooks } from "./hooks.ts";
import { CountedClock, ModelClock } from "./model_clock.ts";
import { ModelNetwork } from "./network.ts";
import { watchingObserver } from "./observer.ts";
import { whyNot } from "./refusals.ts";
import { drawSettings, HOOK_LIMIT_MS, type RunSettings, takesAny } from "./settings.ts";
import { Task } from "./task.ts";

/** How `add` may fail after it has taken the socket. */
const ADD_FAILURES: readonly string[] = ["POOL_PREPARE_FAILED", "POOL_TIMEOUT", "CONNECT_FAILED"];

/**
 * What callers of a pool know of it: who asked, who has what, and what there is at the other end.
 * Nothing in here knows how the pool works.
 */
export class PoolModel {
  readonly dice: Dice;
  readonly clock: ModelClock;
  /** The same time, for the pool. */
  readonly poolClock: CountedClock;
  readonly network: ModelNetwork;
  readonly settings: RunSettings;
  readonly pool: SocketPool<Session>;
  /** Callers that were told nothing yet, in the order of their calls. */
  readonly open: Set<Ask> = new Set();
  /** Those that were granted since the last look at them, in that order. */
  granted: Ask[] = [];
  /** How many were refused since then because no connect succeeds. */
  refusedByFailure = 0;
  readonly holdings: Map<Socket, Holding> = new Map();
  /** Leases that are over. */
  readonly over: SocketLease<Session>[] = [];
  readonly tasks: Set<Task> = new Set();
  readonly signals: CountedSignal[] = [];
  /** Signals that may still be listened to, for all of the run. */
  readonly allSignals: CountedSignal[] = [];
  /** What went wrong outside of a step. */
  readonly failures: string[] = [];
  /** How many promises, other than those of callers, have not settled. */
  unsettled = 0;
  /** How many of them are `warmUp`. */
  warming = 0;
  asked = 0;
  leases = 0;
  /** `close` or `abort` was called. */
  closing = false;
  /** The most sockets that there may be now: more than `maxSize` after it was made smaller. */
  bound: number;
  takesAny: boolean;
  /** How many moves there were since everything had settled. */
  movesInTurn = 0;
  /** Whether the pool has just had the time to look after what is idle. */
  isRoundDone = false;
  /** When the time of hooks is over that were called. */
  #prepares: number[] = [];
  #works: number[] = [];

  /** Nobody has called yet; `network` has been started. */
  constructor(dice: Dice, settings: RunSettings, network: ModelNetwork, clock: ModelClock) {
    this.dice = dice;
    this.clock = clock;
    this.poolClock = new CountedClock(clock);
    this.settings = settings;
    this.network = network;
    network.connecting = (target) => this.#connecting(target);
    const { hooks, targets, weights, targetSizes, badness, options } = settings;
    const all = moodyHooks({
      dice,
      clock,
      network,
      badness,
      limitMs: HOOK_LIMIT_MS,
      begun: (what) => {
        const untilMs = clock.now() + HOOK_LIMIT_MS;
        (what === "prepare" ? this.#prepares : this.#works).push(untilMs);
      },
      isEnding: () => this.closing,
      fail: (what) => this.failures.push(what),
    });
    this.bound = options.maxSize!;
    this.takesAny = takesAny(options.strategy!);
    this.pool = new SocketPool<Session>({
      ...options,
      clock: this.poolClock,
      transport: network,
      target: network.addresses.slice(0, targets).map(({ hostname, port }, index) => ({
        hostname,
        port,
        weight: weights[index]!,
        maxSize: targetSizes[index]!,
      })),
      ...(hooks.prepare ? { prepare: all.prepare } : {}),
      ...(hooks.check ? { check: all.check } : {}),
      ...(hooks.reset ? { reset: all.reset } : {}),
      ...(settings.watched ? { observer: watchingObserver(this) } : {}),
    });
    for (let count = 0; count < 3; count++) this.newSignal();
  }

  /** A model on a network of its own. */
  static async start(dice: Dice, seed: number): Promise<PoolModel> {
    const clock = new ModelClock();
    const network = new ModelNetwork(clock, dice, seed);
    const settings = drawSettings(dice);
    await network.start(settings.targets);
    return new PoolModel(dice, settings, network, clock);
  }

  /** A signal that callers may share. */
  newSignal(): void {
    const counted = new CountedSignal();
    this.signals.push(counted);
    this.allSignals.push(counted);
  }

  /** Call `acquire`. */
  acquire(options: AcquireOptions, within?: Task): void {
    const ask = this.#ask(options, within);
    this.pool.acquire(options).then(
      (lease) => this.#grant(ask, lease, undefined),
      (error) => this.#refuse(ask, error),
    );
  }

  /** Call `use` with a task that does what it is told. */
  use(options: AcquireOptions, within?: Task): void {
    const ask = this.#ask(options, within);
    const task = new Task(within);
    this.pool.use((lease) => {
      this.#grant(ask, lease, task);
      this.tasks.add(task);
      return task.run();
    }, options).catch((error) => {
      if (ask.outcome === undefined) this.#refuse(ask, error);
      else if (!task.hasFailed) this.failures.push(`use rejected with ${error} after its task`);
    }).finally(() => this.tasks.delete(task));
  }

  /** Call `tryAcquire`. */
  tryAcquire(options: AcquireOptions): void {
    const before = this.pool.stats();
    const lease = this.pool.tryAcquire(options);
    if (lease !== undefined) {
      if (before.waiting > 0) this.failures.push("tryAcquire overtook a waiter");
      this.#hold(lease, undefined);
    } else if (before.waiting === 0 && this.takesAny && !this.settings.hooks.check) {
      if (this.pool.stats().idle > 0) this.failures.push("tryAcquire left an idle socket");
    }
  }

  /** Put a connection that was made elsewhere into the pool. */
  async add(connection: Connection, session: object | undefined): Promise<void> {
    const { size } = this.pool.stats();
    const expected = this.closing
      ? "POOL_CLOSED"
      : size >= this.pool.maxSize
      ? "POOL_FULL"
      : undefined;
    if (expected === undefined) {
      connection.given = session !== undefined;
      connection.session = session;
      this.network.connections.push(connection);
    }
    let code: string | undefined;
    try {
      await this.pool.add(connection.socket, session === undefined ? {} : { session });
    } catch (error) {
      code = (error as { code?: string }).code ?? String(error);
    }
    if (expected !== undefined || code === "POOL_FULL") {
      if (code !== expected) this.failures.push(`add gave ${code}, not ${expected}`);
      if (!connection.isOpen) this.failures.push("add took a socket that it refused");
      return connection.socket.abort();
    }
    if (code === undefined) return;
    const mayEnd = code === "POOL_CLOSED" && this.closing;
    if (!mayEnd && !ADD_FAILURES.includes(code)) this.failures.push(`add rejected with ${code}`);
    if (connection.isOpen) this.failures.push("add failed and left the socket open");
  }

  /** The lease is over, or about to be. */
  letGo(holding: Holding): void {
    this.holdings.delete(holding.lease.socket);
    this.over.push(holding.lease);
    if (this.over.length > 20) this.over.shift();
  }

  #ask(options: AcquireOptions, within: Task | undefined): Ask {
    const nowMs = this.clock.now();
    const { tenant = "", priority = 0, timeoutMs = 30_000, signal } = options;
    const isHopeless = within === undefined ? false : this.isHopeless(within);
    const ask: Ask = {
      number: this.asked++,
      tenant,
      priority,
      rank: nowMs - priority * this.settings.options.agingMs!,
      deadlineMs: nowMs + timeoutMs,
      signal,
      within,
      isHopeless,
      isTooMany: this.#isCrowded(),
      waitingBefore: this.open.size,
      outcome: undefined,
      askedAtLease: undefined,
      leaseNumber: 0,
    };
    this.open.add(ask);
    for (let task = within; task !== undefined; task = task.within) task.waiting++;
    return ask;
  }

  /** Whether nobody more may wait. */
  #isCrowded(): boolean {
    const { maxWaiting } = this.settings.options;
    if (this.open.size < maxWaiting!) return false;
    const { waiting, idle, checking, size, targets } = this.pool.stats();
    let onTheWay = checking;
    let hasRoom = false;
    for (let index = 0; index < targets.length; index++) {
      onTheWay += targets[index]!.connecting;
      hasRoom ||= targets[index]!.size < (this.settings.targetSizes[index] ?? 0);
    }
    if (waiting - onTheWay < maxWaiting! || idle > 0) return false;
    return size >= this.pool.maxSize || !hasRoom;
  }

  /**
   * Whether nothing would ever come back if a call within this task waited, too; `undefined` while
   * a lease or a waiter that is known here is about to end.
   */
  isHopeless(within: Task, isSettled = false): boolean | undefined {
    const { size, leased, targets } = this.pool.stats();
    if (leased !== this.holdings.size) return undefined;
    for (const { isHopeless } of this.open) {
      if (isHopeless === true && !isSettled) return undefined; // Its refusal is on the way.
    }
    if (leased < size) return false;
    const mayGrow = this.settings.targetSizes.some((most, index) => targets[index]!.size < most);
    if (mayGrow && size < this.pool.maxSize) return false;
    for (const { task } of this.holdings.values()) {
      if (task === undefined || task.waiting === 0 && !within.isInside(task)) return false;
    }
    return true;
  }

  #settled(ask: Ask, outcome: "granted" | "refused"): void {
    if (ask.outcome !== undefined) this.failures.push("a caller was told twice");
    ask.outcome = outcome;
    this.open.delete(ask);
    for (let task = ask.within; task !== undefined; task = task.within) task.waiting--;
  }

  #grant(ask: Ask, lease: SocketLease<Session>, task: Task | undefined): void {
    this.#settled(ask, "granted");
    if (ask.isTooMany) this.failures.push("a caller was granted who could not even wait");
    if (this.clock.now() > ask.deadlineMs) this.failures.push("a lease after the deadline");
    this.granted.push(ask);
    if (this.settings.watched) {
      const connection = this.network.find(lease.socket.localAddress);
      ask.askedAtLease = connection?.askedAtLease;
      ask.leaseNumber = connection?.leaseNumber ?? 0;
    }
    this.#hold(lease, task);
  }

  #hold(lease: SocketLease<Session>, task: Task | undefined): void {
    if (!this.settings.watched) this.leases++;
    if (lease.state !== "leased") {
      if (!this.closing) this.failures.push(`granted a lease that is ${lease.state}`);
      return;
    }
    if (this.holdings.has(lease.socket)) this.failures.push("one socket, two leases");
    this.holdings.set(lease.socket, { lease, task });
    const connection = this.network.find(lease.socket.localAddress);
    if (connection === undefined) {
      if (lease.socket.state !== "closed") this.failures.push("a lease of an unknown socket");
    } else if (connection.session !== lease.session) {
      this.failures.push("a lease has the session of another connection");
    }
  }

  #refuse(ask: Ask, error: unknown): void {
    const isHopelessNow = ask.within === undefined ? false : this.isHopeless(ask.within);
    this.#settled(ask, "refused");
    const wrong = whyNot(this, ask, error, isHopelessNow);
    if (wrong !== undefined) this.failures.push(`refused with ${error}, but ${wrong}`);
  }

  #connecting(target: number): void {
    const held = this.network.held();
    // With `minIdle` it connects within its constructor.
    const maxSize = this.pool?.maxSize ?? this.settings.options.maxSize!;
    if (held >= maxSize) this.failures.push(`a connect beside ${held} sockets`);
    if (this.network.held(target) >= this.settings.targetSizes[target]!) {
      this.failures.push(`a connect beside ${this.network.held(target)} of target ${target}`);
    }
    if (this.closing) this.failures.push("a connect after the end");
  }

  /** How many calls of `prepare` may be going on, and of `check` and `reset`. */
  hooksAtWork(): { prepares: number; works: number } {
    const nowMs = this.clock.now();
    const isGoingOn = (untilMs: number) => untilMs > nowMs;
    if (this.#prepares.length > 0) this.#prepares = this.#prepares.filter(isGoingOn);
    if (this.#works.length > 0) this.#works = this.#works.filter(isGoingOn);
    return { prepares: this.#prepares.length, works: this.#works.length };
  }

  /** What the pool says of itself. */
  get stats(): PoolStats {
    return this.pool.stats();
  }
}
