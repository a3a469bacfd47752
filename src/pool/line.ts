import { Aborts, Deadlines, FairQueue } from "../queue/mod.ts";
import type { Clock } from "../transport/mod.ts";
import type { Reports } from "./observer.ts";
import type { Hold, Holds } from "./holds.ts";
import type { AcquireOptions, SocketPoolOptions } from "./options.ts";
import type { SocketLease } from "./socket_lease.ts";
import { DEFAULT_TIMEOUT_MS } from "./settings.ts";
import { Waiter } from "./waiter.ts";

/** What is known of a caller besides its options; most often nothing. */
export interface Caller {
  /** The `use` within which it called. */
  readonly hold: Hold | undefined;
  /** Names it in reports. */
  readonly label: string | undefined;
  /** Where it called, with `debug`. */
  readonly stack: string | undefined;
}

/** What a {@linkcode Line} needs of its pool. */
export interface LineHost<Session> {
  /** What a waiter is told whose time is over. */
  timeoutError(waiter: Waiter<Session>): unknown;
  /** One has left without a socket. */
  gaveUp(): void;
}

/**
 * Who waits for a socket of a pool, until it is served, its time is over, its caller gives up or it
 * is refused; whichever comes first takes it out of everything at once.
 */
export class Line<Session> {
  #queue: FairQueue<Waiter<Session>>;
  #deadlines: Deadlines;
  #aborts = new Aborts();
  #holds: Holds;
  #reports: Reports;
  /** Those that were called within a `use`, in the order in which they came. */
  #holders = new Set<Waiter<Session>>();
  /** Used again for each caller. */
  #push: { tenant: string | undefined; priority: number | undefined; nowMs: number } = {
    tenant: undefined,
    priority: undefined,
    nowMs: 0,
  };
  #host: LineHost<Session>;

  /** Nobody waits. */
  constructor(
    options: Pick<SocketPoolOptions<Session>, "tenantWeight" | "agingMs">,
    clock: Clock,
    holds: Holds,
    reports: Reports,
    host: LineHost<Session>,
  ) {
    this.#queue = new FairQueue({ weightOf: options.tenantWeight, agingMs: options.agingMs });
    this.#deadlines = new Deadlines(clock);
    this.#holds = holds;
    this.#reports = reports;
    this.#host = host;
  }

  /** How many wait. */
  get length(): number {
    return this.#queue.length;
  }

  /** Who is next. */
  get first(): Waiter<Session> | undefined {
    return this.#queue.peek();
  }

  /** The one that came last of those that were called within a `use`. */
  get youngestHolder(): Waiter<Session> | undefined {
    return [...this.#holders].at(-1);
  }

  /**
   * Wait for a socket.
   *
   * @throws {RangeError} For a priority or a tenant's weight out of range.
   */
  join(options: AcquireOptions, caller: Caller | undefined): Promise<SocketLease<Session>> {
    const { tenant, priority, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const startedMs = this.#deadlines.nowMs;
    const waiter = new Waiter<Session>(this, options, caller, startedMs);
    const push = this.#push;
    push.tenant = tenant;
    push.priority = priority;
    push.nowMs = startedMs;
    waiter.place = this.#queue.push(waiter, push);
    if (caller?.hold !== undefined) {
      this.#holds.waits(caller.hold);
      this.#holders.add(waiter);
    }
    if (timeoutMs !== Infinity) this.#deadlines.add(waiter, timeoutMs);
    if (signal !== undefined) this.#aborts.add(signal, waiter);
    const promise = new Promise<SocketLease<Session>>((resolve, reject) => {
      waiter.resolve = resolve;
      waiter.reject = reject;
    });
    if (this.#reports.isHeard) {
      this.#reports.tell((observer) => observer.waiting?.(this.#queue.length));
    }
    return promise;
  }

  /** Take out the next one, which is served; there must be one. */
  shift(): Waiter<Session> {
    const waiter = this.#queue.shift()!;
    this.#left(waiter);
    return waiter;
  }

  /** It gets no socket, and its promise rejects. */
  refuse(waiter: Waiter<Session>, error: unknown): void {
    if (!this.#queue.remove(waiter.place!)) return; // Served or refused meanwhile.
    this.#left(waiter);
    this.#reports.tell((observer) => observer.refused?.(error));
    waiter.reject(error);
    this.#host.gaveUp();
  }

  /** Its time is over. */
  expired(waiter: Waiter<Session>): void {
    this.refuse(waiter, this.#host.timeoutError(waiter));
  }

  /** Nothing of it may stay behind. */
  #left(waiter: Waiter<Session>): void {
    this.#deadlines.remove(waiter);
    const { signal } = waiter.request;
    if (signal !== undefined) this.#aborts.remove(signal, waiter);
    const hold = waiter.caller?.hold;
    if (hold !== undefined) {
      this.#holds.waitsNoMore(hold);
      this.#holders.delete(waiter);
    }
  }
}
