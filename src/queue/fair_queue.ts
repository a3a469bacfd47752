import { Heap } from "./heap.ts";
import { assertPriority } from "./priority.ts";
import { isBehind, Tenant, Waiting } from "./tenant.ts";

/** Options of {@linkcode FairQueue}. */
export interface FairQueueOptions {
  /**
   * The share of a tenant, against those of the others: with 3 it is served three times as often
   * as one with 1. Asked whenever a tenant comes to wait of whom nobody waited.
   *
   * @default {() => 1}
   */
  readonly weightOf?: (tenant: string) => number;
  /**
   * How much waiting one step of priority is worth. With 0, priority means nothing.
   *
   * @default {1000}
   */
  readonly agingMs?: number;
}

/** Options of {@linkcode FairQueue.push}. */
export interface FairPushOptions {
  /** On whose account. @default {""} */
  readonly tenant?: string;
  /** From -8 to 8; the higher, the earlier among those of the same tenant. @default {0} */
  readonly priority?: number;
  /** How much of the tenant's share it takes to be served; more than 0. @default {1} */
  readonly cost?: number;
  /** When it comes, on the caller's clock, which never goes back. @default {0} */
  readonly nowMs?: number;
}

/** A place in a {@linkcode FairQueue}, which can be given up from anywhere. */
export interface FairPlace<T> {
  /** Who waits there. */
  readonly value: T;
}

/** So many tenants may rest, or as many as wait; beyond, those that are least ahead are let off. */
const MAX_RESTING = 16;
const NO_OPTIONS: FairPushOptions = {};

/**
 * Who waits, in fair order.
 *
 * Between tenants the shares are fair, however many wait for each: the one that has been served
 * least for its weight is next. Who comes back from idleness starts level with the others. Inside
 * a tenant, a step of priority is worth `agingMs` of waiting: urgent ones overtake, and nobody
 * waits for ever. Those of the same priority are first in, first out.
 *
 * With one tenant a `push` and a `shift` cost about what a list costs; with many, the logarithm of
 * how many tenants wait.
 *
 * @example
 * ```ts
 * import { FairQueue } from "@jackfield/jackfield/core";
 *
 * const queue = new FairQueue<string>();
 * for (const value of ["a1", "a2", "a3"]) queue.push(value, { tenant: "a" });
 * queue.push("b1", { tenant: "b" });
 * const order = [queue.shift(), queue.shift(), queue.shift(), queue.shift()];
 * if (order.join() !== "a1,b1,a2,a3") throw new Error(`unexpected: ${order}`);
 * ```
 */
export class FairQueue<T> {
  #weightOf: ((tenant: string) => number) | undefined;
  #agingMs: number;
  #length = 0;
  #arrivals = 0;
  /**
   * The only tenant that is known: who is alone has nobody to share with, and needs neither a heap
   * nor a map. When nobody waits it is the last one that was served, as the likely next one.
   */
  #lone: Tenant<T> | undefined = new Tenant<T>("");
  /** Otherwise, those on whose account somebody waits, */
  #waiting = new Heap<Tenant<T>>(isBehind);
  /** those on whose account nobody waits, but who were served ahead of the others, */
  #resting = new Heap<Tenant<T>>(isBehind);
  /** and all of them by name. */
  #tenants = new Map<string, Tenant<T>>();
  #weights = 0;
  /** The virtual time at which the last one was served. */
  #now = 0;
  /** What the last one cost: the time moves on by its share when the next one is served. */
  #owed = 0;

  /** Checks the options; nobody waits. */
  constructor(options: FairQueueOptions = {}) {
    const { weightOf, agingMs = 1000 } = options;
    if (!(agingMs >= 0 && agingMs < Infinity)) {
      throw new RangeError(`Cannot use agingMs "${agingMs}": expected 0 or more milliseconds`);
    }
    this.#weightOf = weightOf;
    this.#agingMs = agingMs;
  }

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** On how many tenants' account somebody waits. */
  get tenants(): number {
    return this.#lone === undefined ? this.#waiting.size : Math.min(this.#length, 1);
  }

  /**
   * Join.
   *
   * @throws {RangeError} When an option, or the weight of the tenant, is out of range.
   */
  push(value: T, options: FairPushOptions = NO_OPTIONS): FairPlace<T> {
    const { tenant: name = "", priority = 0, cost = 1, nowMs = 0 } = options;
    assertPriority(priority);
    if (!(cost > 0 && cost < Infinity)) {
      throw new RangeError(`Cannot use cost "${cost}": expected a finite number above 0`);
    }
    if (!(nowMs > -Infinity && nowMs < Infinity)) {
      throw new RangeError(`Cannot use nowMs "${nowMs}": expected a finite number`);
    }
    let tenant = this.#lone;
    if (tenant === undefined || tenant.name !== name) {
      tenant = this.#find(name);
    } else if (tenant.head === undefined && this.#weightOf !== undefined) {
      tenant.weight = this.#weigh(name);
    }
    const line = tenant.line.priority === priority ? tenant.line : tenant.turnTo(priority);
    const rank = nowMs - priority * this.#agingMs;
    const waiting = new Waiting(value, line, rank, this.#arrivals++, cost);
    const isHead = line.last === undefined && tenant.came(waiting);
    line.append(waiting);
    this.#length++;
    if (isHead && this.#lone === undefined) this.#waiting.put(tenant);
    return waiting;
  }

  /** Who is next; `undefined` when nobody waits. */
  peek(): T | undefined {
    return (this.#lone ?? this.#waiting.first!).head?.value;
  }

  /** Take the next one out; `undefined` when nobody waits. */
  shift(): T | undefined {
    const lone = this.#lone;
    const tenant = lone ?? this.#waiting.first!;
    const { head } = tenant;
    if (head === undefined) return undefined;
    const { after, line, cost } = head;
    line!.delete(head);
    tenant.headLeft(after);
    this.#length--;
    if (lone === undefined) this.#moveOn(tenant);
    tenant.used += cost;
    this.#owed = cost;
    if (this.#length === 0) this.#startAnew(tenant);
    else if (lone === undefined) this.#served(tenant);
    return head.value;
  }

  /** Give a place up; `false` when it was taken or given up before. */
  remove(place: FairPlace<T>): boolean {
    const waiting = place as Waiting<T>;
    const { after, line } = waiting;
    if (line === undefined) return false;
    const { tenant } = line;
    const isHead = tenant.head === waiting;
    line.delete(waiting);
    if (isHead) tenant.headLeft(after);
    this.#length--;
    if (this.#length === 0) this.#startAnew(tenant);
    else if (isHead && this.#lone === undefined) this.#headLeft(tenant);
    return true;
  }

  /** A tenant that is not the lone one, ready for somebody to join. */
  #find(name: string): Tenant<T> {
    const known = this.#tenants.get(name);
    if (known?.head !== undefined) return known;
    const weight = this.#weightOf === undefined ? 1 : this.#weigh(name);
    const tenant = known ?? new Tenant<T>(name);
    if (this.#length === 0) {
      this.#lone = tenant;
    } else {
      if (this.#lone !== undefined) this.#endLoneliness(this.#lone);
      if (known === undefined) {
        this.#tenants.set(name, tenant);
      } else {
        this.#resting.delete(tenant);
        this.#weights -= tenant.weight;
      }
      this.#weights += weight;
      // Idleness earns nothing; and to leave and come back does not wipe out what was served.
      tenant.baseTag = tenant.tag = Math.max(tenant.tag, this.#now);
      tenant.used = 0;
    }
    tenant.weight = weight;
    return tenant;
  }

  #weigh(name: string): number {
    const weight = this.#weightOf!(name);
    if (weight > 0 && weight < Infinity) return weight;
    throw new RangeError(
      `Cannot use weight "${weight}" of tenant "${name}": expected a finite number above 0`,
    );
  }

  /** Let the virtual time come to where a tenant is served. */
  #moveOn(tenant: Tenant<T>): void {
    this.#now = Math.max(this.#now + this.#share(tenant), tenant.tag);
  }

  /** What one that cost so much moves the time on by. */
  #share(tenant: Tenant<T>): number {
    // The least is for weights so unlike that the smaller one is lost in the sum.
    return this.#owed / Math.max(this.#weights, tenant.weight);
  }

  #served(tenant: Tenant<T>): void {
    tenant.tag = tenant.baseTag + tenant.used / tenant.weight;
    this.#headLeft(tenant);
    if (this.#resting.size > 0) this.#forgetCaughtUp();
  }

  #headLeft(tenant: Tenant<T>): void {
    if (tenant.head !== undefined) return this.#waiting.put(tenant);
    this.#waiting.delete(tenant);
    if (tenant.tag <= this.#now) return this.#forget(tenant);
    this.#resting.put(tenant);
    // New tenants may come without end, each ahead of the time once it was served.
    while (this.#resting.size > Math.max(MAX_RESTING, this.#waiting.size)) {
      this.#forgetFirst();
    }
  }

  #forgetCaughtUp(): void {
    while (this.#resting.size > 0 && this.#resting.first!.tag <= this.#now) this.#forgetFirst();
  }

  /** Forget the one that is the least ahead. */
  #forgetFirst(): void {
    const tenant = this.#resting.first!;
    this.#resting.delete(tenant);
    this.#forget(tenant);
  }

  #forget(tenant: Tenant<T>): void {
    this.#weights -= tenant.weight;
    this.#tenants.delete(tenant.name);
    if (this.#tenants.size === 1) this.#beginLoneliness(this.#waiting.first!);
  }

  /** Only one is left; what it was served ahead of the time stays on its account. */
  #beginLoneliness(tenant: Tenant<T>): void {
    this.#waiting.delete(tenant);
    this.#tenants.clear();
    const ahead = tenant.tag - this.#now - this.#share(tenant);
    tenant.baseTag = ahead > 0 ? ahead : 0;
    tenant.used = 0;
    this.#now = this.#owed = this.#weights = 0;
    this.#lone = tenant;
  }

  /** Another one comes; the time is where the lone one was served last. */
  #endLoneliness(tenant: Tenant<T>): void {
    const { baseTag, used, weight } = tenant;
    tenant.tag = baseTag + used / weight;
    if (this.#owed > 0) this.#now = baseTag + (used - this.#owed) / weight;
    this.#weights = weight;
    this.#tenants.set(tenant.name, tenant);
    this.#waiting.put(tenant);
    this.#lone = undefined;
  }

  /** Nobody waits: all are level again. */
  #startAnew(last: Tenant<T>): void {
    if (this.#lone === undefined) {
      this.#tenants.clear();
      this.#waiting.clear();
      this.#resting.clear();
      this.#lone = last;
      this.#now = this.#weights = 0;
    }
    last.baseTag = last.used = last.tag = 0;
    this.#owed = this.#arrivals = 0;
  }
}
