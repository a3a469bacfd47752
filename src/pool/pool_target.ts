import { addressOfTarget, formatAddress, type Target } from "../transport/mod.ts";
import type { Breaker } from "./breaker.ts";
import type { IdleLimit } from "./idle_limit.ts";
import type { PoolStats, PoolTarget, TargetStats } from "./options.ts";
import type { Settings } from "./settings.ts";

/** What a socket of a pool, or a connect on the way to one, does now. */
export type PooledState =
  | "connecting"
  /** A connect that was given up and still holds a descriptor. */
  | "abandoned"
  | "preparing"
  | "idle"
  | "leased"
  | "checking"
  | "resetting"
  | "closing"
  | "gone";

/** How many do what. */
export type Counts = Record<PooledState, number>;

/** A target of a pool, what leads to it now, and what is known of it. */
export class TargetState {
  /** Where to connect to; `undefined` for sockets that were added. */
  readonly target: Target | undefined;
  /** The address to connect from. */
  readonly localAddress: string | undefined;
  /** Its share of the pool, against those of the others. */
  readonly weight: number;
  /** The most sockets to it. */
  readonly maxSize: number;
  /** When it is tried again after a failure. */
  readonly breaker: Breaker;
  /** How long its connections may be idle. */
  readonly idleLimit: IdleLimit;
  /** How many of its sockets do what. */
  readonly counts: Counts = {
    connecting: 0,
    abandoned: 0,
    preparing: 0,
    idle: 0,
    leased: 0,
    checking: 0,
    resetting: 0,
    closing: 0,
    gone: 0,
  };

  /** How many of its sockets are to end when they are given back, for another target's sake. */
  surplus = 0;

  /** `own` is what the options say of it; `undefined` for the sockets that are added. */
  constructor(own: PoolTarget | undefined, breaker: Breaker, idleLimit: IdleLimit) {
    if (own !== undefined) {
      const { weight, maxSize, localAddress, ...target } = own;
      this.target = target as Target;
      this.localAddress = localAddress;
      this.weight = weight ?? 1;
      this.maxSize = maxSize ?? Infinity;
    } else {
      this.weight = 1;
      this.maxSize = Infinity;
    }
    this.breaker = breaker;
    this.idleLimit = idleLimit;
  }

  /** Everything that holds a descriptor, or may. */
  get size(): number {
    const { connecting, abandoned, preparing, idle, leased, checking, resetting, closing } =
      this.counts;
    return connecting + abandoned + preparing + idle + leased + checking + resetting + closing;
  }

  /** What serves tasks, or will: its share of the pool. */
  get standing(): number {
    const { connecting, preparing, idle, leased, checking, resetting } = this.counts;
    return connecting + preparing + idle + leased + checking + resetting;
  }

  /** How many tasks use it now. */
  get load(): number {
    return this.counts.leased;
  }

  /** The target in words, its local address included. */
  get name(): string {
    if (this.target === undefined) return "added sockets";
    const to = formatAddress(addressOfTarget(this.target));
    const tls = this.target.tls ? " (TLS)" : "";
    return this.localAddress === undefined ? to + tls : `${to}${tls} from ${this.localAddress}`;
  }

  /** What it holds now. */
  stats(nowMs: number): TargetStats {
    const { counts, breaker } = this;
    return {
      target: this.name,
      size: this.size,
      idle: counts.idle,
      leased: counts.leased,
      connecting: counts.connecting + counts.preparing,
      failures: breaker.failures,
      health: breaker.isDown ? "down" : nowMs < breaker.restsUntilMs ? "resting" : "up",
      learnedIdleLimitMs: this.idleLimit.limitMs,
    };
  }
}

/** How many sockets to these targets, and connects on the way, are in one of these states. */
export function countOf(
  targets: readonly TargetState[],
  ...states: readonly PooledState[]
): number {
  let count = 0;
  for (const { counts } of targets) {
    for (const state of states) count += counts[state];
  }
  return count;
}

/** What a pool holds now. */
export function statsOf({ targets, clock }: Settings, waiting: number): PoolStats {
  const sum = { idle: 0, leased: 0, connecting: 0, checking: 0, closing: 0 };
  let size = 0;
  for (const target of targets) {
    const { counts } = target;
    size += target.size;
    sum.idle += counts.idle;
    sum.leased += counts.leased;
    sum.connecting += counts.connecting + counts.abandoned + counts.preparing;
    sum.checking += counts.checking + counts.resetting;
    sum.closing += counts.closing;
  }
  const nowMs = clock.now();
  const shown = targets.filter(({ target, size }) => target !== undefined || size > 0);
  return { size, ...sum, waiting, targets: shown.map((target) => target.stats(nowMs)) };
}
