import { assertPriority } from "../queue/mod.ts";
import { roundRobin } from "../strategy/mod.ts";
import { assertTimeout, type LeaseEnd, type Socket } from "../transport/mod.ts";
import { closedError, lostError, prepareError } from "./failures.ts";
import { Holds } from "./holds.ts";
import { Keeper } from "./keeper.ts";
import { Line } from "./line.ts";
import { Reports } from "./observer.ts";
import { Opener } from "./opener.ts";
import type { AcquireOptions, AddOptions, PoolRequest, SocketPoolOptions } from "./options.ts";
import { statsOf, type TargetState } from "./pool_target.ts";
import { type Call, PooledSocket } from "./pooled_socket.ts";
import { Prospects } from "./prospects.ts";
import { Roster } from "./roster.ts";
import { SessionWork } from "./session_work.ts";
import type { Settings } from "./settings.ts";
import { type LeaseOwner, SocketLease } from "./socket_lease.ts";
import type { Waiter } from "./waiter.ts";

/** Stands for options that nobody gave. */
export const NO_OPTIONS: AcquireOptions = Object.freeze({});
/** The share of its lifetime by which a connection may end earlier than others. */
const LIFETIME_JITTER = 0.1;

/**
 * Where callers and sockets of a pool meet: a caller takes what is idle or joins the line, a socket
 * that comes free goes to the first in line or becomes idle, and whenever there may be room,
 * connects are begun for who waits.
 */
export class Exchange<Session> implements LeaseOwner<Session> {
  /** The sockets. */
  readonly roster: Roster<Session>;
  /** Who waits. */
  readonly line: Line<Session>;
  /** Who holds a socket while waiting. */
  readonly holds: Holds;
  /** Looks after what is idle. */
  readonly keeper: Keeper<Session>;
  #settings: Settings;
  #reports: Reports;
  #opener: Opener;
  #work: SessionWork<Session>;
  #prospects: Prospects<Session>;
  #maxSize: number;
  /** More sockets are leased than the pool may have since it was made smaller. */
  #shrinking = false;
  #prepares: boolean;
  #checks: boolean;
  #resets: boolean;
  #observed: boolean;
  #debug: number;
  #stop = new AbortController();
  #closed = false;
  #emptied: (() => void) | undefined;
  #warming: PromiseWithResolvers<void> | undefined;
  /** Nothing is idle and there is no room, and nothing has happened since that was found. */
  #isFull = false;
  #serving = false;
  #serveAgain = false;

  /** Without sockets and callers. */
  constructor(options: SocketPoolOptions<Session>, settings: Settings) {
    const { clock, targets, transport } = settings;
    this.#settings = settings;
    this.#maxSize = settings.maxSize;
    this.#prepares = options.prepare !== undefined;
    this.#checks = options.check !== undefined;
    this.#resets = options.reset !== undefined;
    this.#observed = options.observer !== undefined;
    this.#debug = settings.debug;
    const reports = this.#reports = new Reports(options.observer, options.onError);
    const freed = () => this.serve();
    this.roster = new Roster(targets, options.strategy ?? roundRobin(), reports, freed);
    this.holds = new Holds(transport?.host.contexts);
    this.line = new Line(options, clock, this.holds, reports, {
      timeoutError: (waiter) =>
        this.#prospects.timeoutError(waiter, statsOf(settings, this.line.length)),
      // Who stood behind it may want what the strategy did not want for it.
      gaveUp: () => this.roster.idle > 0 && this.line.length > 0 && this.serve(),
    });
    this.#opener = new Opener({ ...settings, stop: this.#stop.signal }, {
      waiting: () => this.line.length,
      size: () => this.roster.size,
      maxSize: () => this.#maxSize,
      connected: (target, socket) => {
        this.connected(target, socket).catch((error) => reports.failed(error, "connect"));
      },
      failed: (target, error) => this.#connectFailed(target, error, false),
      freed,
    });
    this.#prospects = new Prospects(settings, this.roster, this.#opener, this.line, this.holds);
    this.#work = new SessionWork(options, settings, this.#stop.signal, {
      done: (entry) => {
        entry.checkedMs = this.keeper.nowMs;
        this.#offer(entry);
      },
      failed: (entry, reason, error) => {
        this.roster.end(entry, reason, error);
        if (error === undefined || this.#closed) return;
        reports.failed(error, reason === "reset" ? "reset" : "check");
      },
    });
    this.keeper = new Keeper(settings, this.roster, this.#opener, reports, {
      check: (entry) => this.#check(entry),
      checks: this.#checks,
      waiting: () => this.line.length,
    });
  }

  /** The most sockets at any instant; none is ended when it becomes less. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** Lease an idle socket at once, if that can be done. */
  tryAcquire(
    options: AcquireOptions,
    label: string | undefined,
  ): SocketLease<Session> | undefined {
    if (this.#closed) throw closedError();
    if (this.line.length > 0) return undefined;
    const entry = this.#pick(options);
    if (entry === undefined || (this.#checks && this.#work.isStale(entry))) return undefined;
    return this.#lend(entry, this.#callOf(label), 0);
  }

  /** Lease an idle socket at once, or wait for one. */
  lease(
    options: AcquireOptions,
    label: string | undefined,
  ): SocketLease<Session> | Promise<SocketLease<Session>> {
    try {
      return this.#take(options, label) ?? this.#wait(options, label);
    } catch (error) {
      this.#reports.tell((observer) => observer.refused?.(error));
      throw error;
    }
  }

  /** A lease is over. */
  returned(entry: PooledSocket<Session>, end: LeaseEnd): void {
    entry.lease = undefined;
    if (entry.hold !== undefined) {
      this.holds.ended(entry.hold);
      entry.hold = undefined;
    }
    if (this.#observed) this.#reports.released(entry);
    if (end !== "released") return this.roster.end(entry, "discarded");
    if (this.#closed) return this.roster.end(entry, "closed");
    if (!entry.isClean) return this.roster.end(entry, "unclean");
    if (entry.expiresMs <= this.keeper.nowMs) return this.roster.end(entry, "lifetime");
    if (!this.#resets) return this.#offer(entry);
    this.roster.occupy(entry);
    this.#work.reset(entry);
  }

  /** A leased connection goes on in another socket; whether its session does, too. */
  resumed(entry: PooledSocket<Session>, socket: Socket): boolean {
    try {
      this.#work.resume(entry, socket);
      return true;
    } catch (error) {
      this.#reports.failed(error, "resume");
      return false;
    }
  }

  /** A connection stands: one that was opened, or one that was added. */
  async connected(
    target: TargetState,
    socket: Socket,
    added?: AddOptions<Session>,
  ): Promise<void> {
    this.keeper.wake();
    const { maxLifetimeMs, random } = this.#settings;
    const { nowMs } = this.keeper;
    const expiresMs = nowMs + maxLifetimeMs * (1 - random() * LIFETIME_JITTER);
    const turn = this.roster.nextTurn();
    const entry = new PooledSocket(socket, target, turn, nowMs, expiresMs, this.#told);
    this.roster.add(entry);
    socket.closed.then(entry.told, entry.told);
    if (this.#closed) return this.roster.end(entry, "closed");
    if (added !== undefined && "session" in added) entry.session = added.session;
    else if (this.#prepares) {
      const { round } = target.breaker;
      try {
        if (!await this.#work.prepare(entry)) { // It ended meanwhile.
          if (added === undefined) return;
          throw this.#closed ? closedError("add") : lostError(target);
        }
      } catch (cause) {
        if (entry.state !== "preparing") throw cause;
        const error = prepareError(target, cause);
        target.breaker.failed(round, this.#settings.clock.now(), error);
        // Who loses by it is told before the room that it leaves is used again.
        const serving = this.#serving;
        this.#serving = true;
        this.roster.end(entry, "prepare", error);
        this.#connectFailed(target, error, added !== undefined);
        this.#serving = serving;
        this.serve();
        if (added !== undefined) throw error;
        return;
      }
    }
    this.#reports.tell((observer) => observer.connected?.(entry));
    this.#offer(entry, true);
    if (this.#warming !== undefined && this.#isWarm()) {
      this.#warming.resolve();
      this.#warming = undefined;
    }
    this.serve(); // One connect less is on the way, so that another one may begin.
  }

  /** There may be room or a socket for who waits. */
  serve(): void {
    this.#isFull = false;
    this.#serveAgain = true;
    if (this.#serving) return;
    this.#serving = true;
    while (this.#serveAgain) {
      this.#serveAgain = false;
      if (this.#closed) {
        if (this.roster.size === 0) this.#emptied?.();
        continue;
      }
      this.#serveFromIdle();
      this.#opener.serve();
      this.keeper.replenish();
      if (this.holds.blocked > 0) this.#breakDeadlock();
    }
    this.#serving = false;
    this.#isFull = this.roster.idle === 0 && this.roster.size >= this.#maxSize;
  }

  /** Resolves when as many sockets stand as are to be kept ready; rejects when a connect fails. */
  warmUp(): Promise<void> {
    if (this.#closed) return Promise.reject(closedError("warm up"));
    this.keeper.replenish();
    if (this.#isWarm()) return Promise.resolve();
    return (this.#warming ??= Promise.withResolvers<void>()).promise;
  }

  /** Make the pool larger or smaller; what is leased beyond that ends when it comes back. */
  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    for (const entry of this.roster.idleOnes) {
      if (this.roster.size - this.roster.count("closing") <= maxSize) break;
      this.roster.end(entry, "surplus");
    }
    this.#shrinking = this.roster.size > maxSize;
    this.serve();
  }

  /** From now on nothing is lent, and nobody waits. */
  shut(): void {
    this.#closed = true;
  }

  /** Refuse who waits, end what is not leased, and resolve when everything is gone. */
  async drain(): Promise<void> {
    const closed = closedError();
    this.keeper.stop();
    this.#opener.stop();
    while (this.line.length > 0) this.line.refuse(this.line.first!, closed);
    this.#warming?.reject(closed);
    for (const entry of [...this.roster.all]) {
      if (entry.state !== "leased") this.roster.end(entry, "closed");
    }
    this.#stop.abort(closed);
    if (this.roster.size > 0) await new Promise<void>((resolve) => this.#emptied = resolve);
  }

  /** End everything now. */
  abort(reason: unknown): void {
    for (const entry of [...this.roster.all]) {
      entry.socket.abort(reason);
      if (entry.lease === undefined) this.roster.end(entry, "closed");
      else entry.lease.discard();
    }
  }

  /** An idle socket; `undefined` when the caller has to wait for one, which may be on its way then. */
  #take(options: AcquireOptions, label: string | undefined): SocketLease<Session> | undefined {
    if (this.#closed) throw closedError();
    if (options !== NO_OPTIONS) {
      if (options.timeoutMs !== undefined) assertTimeout(options.timeoutMs);
      if (options.priority !== undefined) assertPriority(options.priority);
      options.signal?.throwIfAborted();
    }
    if (this.line.length > 0) return undefined;
    const entry = this.#pick(options);
    if (entry === undefined) return undefined;
    if (!this.#checks || !this.#work.isStale(entry)) {
      return this.#lend(entry, this.#callOf(label), 0);
    }
    this.#check(entry); // Whoever is first in line when it is done gets it.
    return undefined;
  }

  #wait(options: AcquireOptions, label: string | undefined): Promise<SocketLease<Session>> {
    const call = this.#callOf(label);
    const hold = this.holds.current;
    const caller = call === undefined && hold === undefined
      ? undefined
      : { hold, label, stack: call?.stack };
    const refusal = this.#prospects.refusal(caller, this.#maxSize);
    if (refusal !== undefined) throw refusal;
    const promise = this.line.join(options, caller);
    if (!this.#isFull) this.serve();
    return promise;
  }

  /** An idle socket that is as good as new, by the strategy's choice. */
  #pick(request: PoolRequest): PooledSocket<Session> | undefined {
    for (;;) {
      const entry = this.roster.pick(request);
      if (entry === undefined) return undefined;
      const fault = this.keeper.faultOf(entry);
      if (fault === undefined) return entry;
      if (fault === "idle") entry.group.idleLimit.obeyed();
      this.roster.end(entry, fault);
    }
  }

  #lend(
    entry: PooledSocket<Session>,
    call: Call | undefined,
    waitedMs: number,
  ): SocketLease<Session> {
    this.roster.lend(entry, this.keeper.nowMs);
    const lease = new SocketLease(entry, this);
    entry.lease = lease;
    entry.call = call;
    if (this.#observed) this.#reports.leased(entry, waitedMs);
    if (!entry.proven) this.#prove(entry);
    return lease;
  }

  /** Its target works, and more may be opened than while that was in doubt. */
  #prove(entry: PooledSocket<Session>): void {
    const wasInDoubt = entry.group.breaker.failures > 0;
    entry.prove();
    if (wasInDoubt && this.line.length > 0) this.serve();
  }

  #isSurplus(entry: PooledSocket<Session>): boolean {
    if (this.#shrinking) {
      if (this.roster.size - this.roster.count("closing") > this.#maxSize) return true;
      this.#shrinking = this.roster.size > this.#maxSize;
    }
    if (entry.group.surplus === 0) return false;
    entry.group.surplus--;
    return true;
  }

  /**
   * Give a good socket to the next waiter, or keep it at its place in the rotation. A new one was
   * opened because the strategy wanted none of those that there were: it is not asked again.
   */
  #offer(entry: PooledSocket<Session>, isNew = false): void {
    if (this.#checks) this.#work.used(entry);
    if (this.#isSurplus(entry)) return this.roster.end(entry, "surplus");
    if (this.line.length > 0 && (isNew || this.roster.takesAny)) {
      return this.#grant(this.line.shift(), entry);
    }
    this.#isFull = false;
    this.roster.rest(entry, this.keeper.nowMs);
    if (this.line.length === 0) return;
    this.serve();
    // The strategy wanted none of them, and there is no room: who waits gets what came free.
    if (entry.state === "idle" && this.line.length > this.#opener.onTheWay) {
      this.#grant(this.line.shift(), entry);
    }
  }

  #grant(waiter: Waiter<Session>, entry: PooledSocket<Session>): void {
    const waitedMs = this.#observed ? this.#settings.clock.now() - waiter.startedMs : 0;
    waiter.resolve(this.#lend(entry, waiter.caller, waitedMs));
  }

  #serveFromIdle(): void {
    while (this.line.length > 0 && this.roster.idle > 0) {
      const waiter = this.line.first!;
      let entry: PooledSocket<Session> | undefined;
      try {
        entry = this.#pick(waiter.request);
      } catch (error) {
        this.line.refuse(waiter, error);
        continue;
      }
      if (entry === undefined) return;
      if (!this.#checks || !this.#work.isStale(entry)) this.#grant(this.line.shift(), entry);
      else if (this.#opener.onTheWay < this.line.length) this.#check(entry);
      else return; // As many are on the way as wait.
    }
  }

  /** It came about by something else than a new caller, such as a pool that became smaller. */
  #breakDeadlock(): void {
    for (;;) {
      const youngest = this.line.youngestHolder;
      if (youngest === undefined || !this.#prospects.isBlocked(this.#maxSize)) return;
      this.line.refuse(youngest, this.#prospects.deadlock(youngest.caller!));
    }
  }

  #connectFailed(target: TargetState, error: unknown, isTold: boolean): void {
    const { target: where } = target;
    if (where !== undefined) {
      this.#reports.tell((observer) => observer.connectFailed?.(error, where));
    }
    if (this.#closed) return this.serve();
    let told = isTold;
    if (this.#warming !== undefined && this.#opener.onTheWay === 0) {
      this.#warming.reject(error);
      this.#warming = undefined;
      told = true;
    }
    for (let losers = this.#prospects.losersBy(target); losers > 0; losers--) {
      this.line.refuse(this.line.first!, error);
      told = true;
    }
    if (!told) this.#reports.failed(error, "connect");
    this.serve();
  }

  /** Something came from an idle socket that nobody asked for, most often its end. */
  #told = (entry: PooledSocket<Session>): void => {
    if (entry.state !== "idle") return;
    const nowMs = this.#settings.clock.now();
    const { breaker, idleLimit } = entry.group;
    idleLimit.ended(nowMs - entry.quietSinceMs, nowMs);
    // A peer that accepts and closes is as good as one that refuses.
    if (!entry.proven) breaker.failed(entry.round, nowMs, lostError(entry.group));
    this.roster.end(entry, "lost");
  };

  #check(entry: PooledSocket<Session>): void {
    this.roster.take(entry, "checking");
    this.#work.check(entry);
  }

  /** What is noted of a call; most often nothing. */
  #callOf(label: string | undefined): Call | undefined {
    if (this.#debug > 0 && (this.#debug === 1 || this.#settings.random() < this.#debug)) {
      return { label, stack: new Error("leased here").stack };
    }
    return label === undefined ? undefined : { label, stack: undefined };
  }

  #isWarm(): boolean {
    return this.roster.count("idle", "leased", "checking", "resetting") >= this.#settings.minIdle;
  }
}
