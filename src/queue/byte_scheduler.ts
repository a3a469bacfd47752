import { JackfieldError, systemClock } from "../transport/mod.ts";
import { type Account, Accounts } from "./accounts.ts";
import { Alarm } from "./alarm.ts";
import { Notices } from "./byte_observer.ts";
import type {
  ByteSchedulerOptions,
  ByteSchedulerStats,
  ScheduledFlowOptions,
} from "./byte_scheduler_options.ts";
import { Deadlines } from "./deadlines.ts";
import { type ByteTurn, DeficitRoundRobin } from "./deficit_round_robin.ts";
import { assertPriority } from "./priority.ts";
import { FairQueue } from "./fair_queue.ts";
import type { Held } from "./held.ts";
import type { RateLimit } from "./rate_limit.ts";
import { Entry, type ScheduledFlow } from "./scheduled_flow.ts";
import { TimeWheel } from "./time_wheel.ts";

/** So many are let go at a time whose limits allow it, so that no turn takes long. */
const MAX_RELEASED = 16;

/**
 * Who of many may send now, and how many bytes: fair shares, limits and a bounded number at once.
 *
 * The engine that sends asks {@linkcode next}, sends, and tells {@linkcode sent}; it parks a flow
 * whose socket takes no more, and says when it is {@linkcode writable} again. When `next` says
 * `undefined`, nothing can be sent before `onReady` is called, or {@linkcode waitMs} is over.
 *
 * Shares are those of {@linkcode DeficitRoundRobin}. A flow is bounded by its own limit, its
 * client's and the overall one together; whoever is held up by a limit costs nothing until it allows
 * a turn that is worth its cost. One deadline serves all of them, and there is none while nobody
 * waits for a limit. Flows beyond `maxActive` wait in a {@linkcode FairQueue}.
 *
 * @example
 * ```ts
 * import { ByteScheduler, RateLimit } from "@jackfield/jackfield/core";
 * import { VirtualClock } from "@jackfield/jackfield/testing";
 *
 * const clock = new VirtualClock();
 * let sentBytes = 0;
 * const send = () => {
 *   for (let turn = flows.next(clock.now()); turn; turn = flows.next(clock.now())) {
 *     sentBytes += turn.bytes;
 *     flows.sent(turn.flow, turn.bytes);
 *   }
 * };
 * const flows = new ByteScheduler<string>({ clock, onReady: () => queueMicrotask(send) });
 * const flow = flows.add("big.bin", { rateLimit: new RateLimit(1_000_000) });
 * await clock.advance(1000);
 * if (sentBytes < 980_000 || sentBytes > 1_000_000) throw new Error(`unexpected: ${sentBytes}`);
 * flows.remove(flow);
 * ```
 */
export class ByteScheduler<T> {
  #maxActive: number;
  #maxQueued: number;
  #options: ByteSchedulerOptions<T>;
  #rateLimit: RateLimit | undefined;
  #notices: Notices<T>;
  #observed: boolean;
  /** The active ones. */
  #flows: DeficitRoundRobin<Entry<T>>;
  /** Those that wait for a place, */
  #queue: FairQueue<Entry<T>>;
  /** and how many of them are paused, and have given up their place in the queue. */
  #pausedQueued = 0;
  #accounts: Accounts;
  /** Whom a limit keeps from sending. */
  #held = new TimeWheel<Held>();
  /** When the overall limit allows a turn; `Infinity` when it does, or nobody could send. */
  #overallDueMs = Infinity;
  /** The time when somebody asked last. */
  #nowMs = 0;
  /** Whether nothing can be sent, as far as is known. */
  #asleep = true;
  #alarm: Alarm | undefined;
  #sentBytes = 0;
  #keeper = { recheck: (held: Held): void => this.#recheck(held) };
  /** The same object each time. */
  #turn: { flow: ScheduledFlow<T>; bytes: number } = { flow: undefined as never, bytes: 0 };

  /**
   * Checks the options; there are no flows.
   *
   * @throws {RangeError} When an option is out of range.
   */
  constructor(options: ByteSchedulerOptions<T> = {}) {
    const { maxActive = 256, maxQueued = 1024, onReady, clock = systemClock, onError } = options;
    if (!(maxActive >= 1)) {
      throw new RangeError(`Cannot use maxActive "${maxActive}": expected at least 1`);
    }
    if (!(maxQueued >= 0)) {
      throw new RangeError(`Cannot use maxQueued "${maxQueued}": expected 0 or more`);
    }
    this.#maxActive = maxActive;
    this.#maxQueued = maxQueued;
    this.#options = options;
    this.#observed = options.observer !== undefined;
    this.#notices = new Notices(options.observer, onError);
    const { quantumBytes, agingTurns, agingMs, rateLimit, rateLimitOf } = options;
    this.#rateLimit = rateLimit;
    this.#accounts = new Accounts(
      { weightOf: options.weightOf, rateLimitOf, rateLimit },
      this.#keeper,
      { rateChanged: () => this.#wake() },
    );
    const weightOf = (client: string) => this.#accounts.weightOf(client);
    this.#flows = new DeficitRoundRobin({ quantumBytes, agingTurns, weightOf });
    this.#queue = new FairQueue({ agingMs, weightOf });
    if (onReady === undefined) return;
    const deadlines = options.deadlines ?? new Deadlines(clock, { onError });
    this.#alarm = new Alarm(deadlines, () => this.#wake());
  }

  /** What it does now. */
  stats(): ByteSchedulerStats {
    return {
      active: this.#flows.size,
      queued: this.#queue.length + this.#pausedQueued,
      clients: this.#flows.clients,
      limited: this.#held.size,
      sentBytes: this.#sentBytes,
    };
  }

  /** How many flows have turns. */
  get activeCount(): number {
    return this.#flows.size;
  }

  /** Whether no other client has flows, queued ones included. */
  isAlone(client: string): boolean {
    return this.#accounts.hasOnly(client);
  }

  /**
   * Let somebody send, as soon as there is a place.
   *
   * @throws {JackfieldError} `DOWNLOAD_QUEUE_FULL` when too many wait already.
   * @throws {RangeError} When an option, or the weight of the client, is out of range.
   */
  add(value: T, options: ScheduledFlowOptions = {}): ScheduledFlow<T> {
    const { client = "", priority = 0, rateLimit, isAdmitted = false } = options;
    assertPriority(priority);
    const { queued } = this.stats();
    const mustWait = this.#flows.size >= this.#maxActive;
    if (mustWait && queued >= this.#maxQueued && !isAdmitted) {
      const message = `Cannot add flow: ${queued} wait already`;
      throw new JackfieldError("DOWNLOAD_QUEUE_FULL", message, { limit: this.#maxQueued });
    }
    const account = this.#accounts.enter(client);
    const entry = new Entry(value, account, priority, rateLimit, this.#keeper);
    if (mustWait) {
      this.#enqueue(entry);
      this.#notices.queued(entry);
    } else {
      this.#activate(entry);
      this.#started(entry);
    }
    return entry;
  }

  /**
   * Whose turn it is, and how many bytes; `undefined` when nothing can be sent now. The flow has no
   * further turn until {@linkcode sent} is told; others can have theirs meanwhile. The result is the
   * same object each time: read it before the next call.
   *
   * @param nowMs the time, which never goes back; one reading of the clock may serve some turns
   */
  next(nowMs: number): ByteTurn<ScheduledFlow<T>> | undefined {
    this.#nowMs = nowMs;
    this.#overallDueMs = Infinity;
    this.#asleep = false;
    const overall = this.#rateLimit;
    let mostBytes = Infinity;
    if (overall !== undefined) {
      mostBytes = overall.available(nowMs);
      const leastBytes = this.#leastOf(overall);
      if (mostBytes < leastBytes) {
        while (this.#flows.peek() === undefined && this.#release(nowMs));
        if (this.#flows.peek() !== undefined) {
          this.#overallDueMs = nowMs + overall.waitMs(leastBytes, nowMs);
        }
        return this.#sleep(nowMs);
      }
    }
    for (;;) {
      const released = this.#release(nowMs);
      const entry = this.#choose(nowMs);
      if (entry !== undefined) return this.#grant(entry, mostBytes, nowMs);
      if (!released) return this.#sleep(nowMs);
    }
  }

  /**
   * Say how much of its turn a flow has used; what is left is given back, to its limits too.
   *
   * @throws {TypeError} When the flow has no turn.
   * @throws {RangeError} When `bytes` is not an integer from 0 to what the turn allowed.
   */
  sent(flow: ScheduledFlow<T>, bytes: number): void {
    const entry = flow as Entry<T>;
    if (entry.flow === undefined) {
      throw new TypeError("Cannot count sent bytes: flow has no turn");
    }
    this.#flows.sent(entry.flow, bytes);
    const rest = entry.granted - bytes;
    entry.granted = 0;
    this.#sentBytes += bytes;
    if (rest > 0) this.#giveBack(entry, rest);
    else if (entry.limit !== undefined && entry.state === "active") this.#holdBack(entry);
    if (this.#observed && bytes > 0) this.#notices.sent(entry, bytes);
    if (this.#asleep) this.#wakeIfReady();
  }

  /** A flow cannot send now, because its socket takes no more; also during its turn. */
  park(flow: ScheduledFlow<T>): void {
    const entry = flow as Entry<T>;
    entry.parked = true;
    if (entry.flow !== undefined) this.#flows.park(entry.flow);
  }

  /** The socket of a flow that was parked takes bytes again. */
  writable(flow: ScheduledFlow<T>): void {
    const entry = flow as Entry<T>;
    entry.parked = false;
    if (entry.flow === undefined) return;
    this.#flows.ready(entry.flow);
    if (this.#asleep) this.#wakeIfReady();
  }

  /** Let a flow not send until it is resumed; an active one keeps its place. */
  pause(flow: ScheduledFlow<T>): void {
    const entry = flow as Entry<T>;
    if (entry.paused || entry.state === "removed") return;
    entry.paused = true;
    if (entry.state === "active") return this.#flows.pause(entry.flow!);
    this.#queue.remove(entry.place!);
    this.#pausedQueued++;
  }

  /** Let a flow that was paused go on; one that waits for a place waits behind the others. */
  resume(flow: ScheduledFlow<T>): void {
    const entry = flow as Entry<T>;
    if (!entry.paused || entry.state === "removed") return;
    entry.paused = false;
    if (entry.state === "active") {
      if (entry.held) return;
      this.#flows.resume(entry.flow!);
      if (this.#asleep) this.#wakeIfReady();
      return;
    }
    this.#pausedQueued--;
    if (this.#flows.size >= this.#maxActive) return this.#enqueue(entry);
    this.#activate(entry);
    this.#started(entry);
  }

  /** Take a flow out, whatever it does; `false` when it was taken out before. */
  remove(flow: ScheduledFlow<T>): boolean {
    const entry = flow as Entry<T>;
    const { account, state } = entry;
    if (state === "removed") return false;
    entry.state = "removed";
    if (state === "active") {
      this.#flows.remove(entry.flow!);
      entry.limit?.unwatch(entry);
      if (entry.held) this.#held.delete(entry);
    } else if (entry.paused) this.#pausedQueued--;
    else this.#queue.remove(entry.place!);
    if (this.#accounts.leave(account) && account.held) this.#held.delete(account);
    const next = this.#flows.size < this.#maxActive ? this.#queue.shift() : undefined;
    if (next !== undefined) this.#activate(next);
    if (this.#flows.size === 0) this.#overallDueMs = Infinity;
    if (this.#dueMs() === Infinity) this.#alarm?.clear();
    this.#notices.removed(entry);
    if (next !== undefined) this.#started(next);
    return true;
  }

  /**
   * After how many milliseconds to ask `next` again, when nothing else happens before: 0 when there
   * may be something to send now, `Infinity` when nobody waits for a limit.
   */
  waitMs(nowMs: number): number {
    return this.#asleep ? Math.max(0, this.#dueMs() - nowMs) : 0;
  }

  #enqueue(entry: Entry<T>): void {
    const { clock = systemClock } = this.#options;
    const { client: tenant, priority } = entry;
    entry.place = this.#queue.push(entry, { tenant, priority, nowMs: clock.now() });
  }

  #activate(entry: Entry<T>): void {
    const { client, priority } = entry;
    entry.state = "active";
    entry.place = undefined;
    entry.flow = this.#flows.add(entry, { client, priority });
    if (entry.parked) this.#flows.park(entry.flow);
    entry.limit?.watch(entry);
  }

  #started(entry: Entry<T>): void {
    this.#notices.started(entry);
    if (this.#asleep) this.#wakeIfReady();
  }

  /** What to wait for: less is not worth a turn. */
  #leastOf(limit: RateLimit): number {
    return Math.min(limit.turnBytes, this.#flows.quantumBytes);
  }

  /** Who is next and has bytes from its own limit and its client's; the others are held. */
  #choose(nowMs: number): Entry<T> | undefined {
    for (;;) {
      const flow = this.#flows.peek();
      if (flow === undefined) return undefined;
      const entry = flow.value;
      const { account } = entry;
      if (account.limit !== undefined && this.#mustWait(account.limit, account, nowMs)) {
        this.#flows.pauseClient(account.name);
      } else if (entry.limit !== undefined && this.#mustWait(entry.limit, entry, nowMs)) {
        this.#flows.pause(flow);
      } else return entry;
    }
  }

  #mustWait(limit: RateLimit, held: Held, nowMs: number): boolean {
    const leastBytes = this.#leastOf(limit);
    if (limit.available(nowMs) >= leastBytes) return false;
    if (held.held) this.#held.delete(held);
    held.dueMs = nowMs + limit.waitMs(leastBytes, nowMs);
    this.#held.put(held, nowMs);
    return true;
  }

  /** Give the one that is next its turn. */
  #grant(entry: Entry<T>, mostBytes: number, nowMs: number): ByteTurn<ScheduledFlow<T>> {
    const { account: { limit: shared }, limit: own } = entry;
    let maxBytes = mostBytes;
    if (shared !== undefined) maxBytes = Math.min(maxBytes, shared.available(nowMs));
    if (own !== undefined) maxBytes = Math.min(maxBytes, own.available(nowMs));
    const { bytes } = this.#flows.next(maxBytes)!;
    this.#rateLimit?.take(bytes, nowMs);
    shared?.take(bytes, nowMs);
    own?.take(bytes, nowMs);
    entry.granted = bytes;
    const turn = this.#turn;
    turn.flow = entry;
    turn.bytes = bytes;
    return turn;
  }

  /** What is given back may be enough for others that share the limit. */
  #giveBack({ account, limit }: Entry<T>, bytes: number): void {
    limit?.giveBack(bytes);
    account.limit?.giveBack(bytes);
    if (account.held) this.#recheck(account);
    this.#rateLimit?.giveBack(bytes);
    this.#overallDueMs = Infinity;
  }

  /** Do not let one stand among the others that its limit will not let send. */
  #holdBack(entry: Entry<T>): void {
    if (!this.#mustWait(entry.limit!, entry, this.#nowMs)) return;
    this.#flows.pause(entry.flow!);
    this.#wake(); // Who was told that there is nothing to wait for has to ask again.
  }

  /** Let those go whose time has come, some at a time; whether there were any. */
  #release(nowMs: number): boolean {
    let count = 0;
    for (; count < MAX_RELEASED && this.#held.size > 0; count++) {
      const held = this.#held.shift(nowMs);
      if (held === undefined) break;
      if (held instanceof Entry) {
        if (!held.paused) this.#flows.resume(held.flow!);
      } else this.#flows.resumeClient((held as Account).name);
    }
    return count > 0;
  }

  /** When something can be sent; before the overall limit allows it, no other one matters. */
  #dueMs(): number {
    if (this.#overallDueMs < Infinity) return this.#overallDueMs;
    return this.#held.dueMs;
  }

  #sleep(nowMs: number): undefined {
    this.#asleep = true;
    this.#alarm?.set(this.#dueMs(), nowMs);
  }

  /** Somebody's limit was changed: look at it again. */
  #recheck(held: Held): void {
    if (!held.held) return;
    this.#held.delete(held);
    held.dueMs = -Infinity;
    this.#held.put(held, this.#nowMs);
    this.#wake();
  }

  /** A flow can send: unless the overall limit keeps all from it. */
  #wakeIfReady(): void {
    if (this.#overallDueMs === Infinity && this.#flows.peek() !== undefined) this.#wake();
  }

  #wake(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    try {
      this.#options.onReady?.();
    } catch (error) {
      this.#notices.failed(error);
    }
  }
}
