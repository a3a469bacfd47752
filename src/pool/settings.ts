import type { AddressTable } from "../address_table/mod.ts";
import { type Clock, systemClock, type Transport } from "../transport/mod.ts";
import { Breaker } from "./breaker.ts";
import { IdleLimit } from "./idle_limit.ts";
import type { PoolTarget, SocketPoolOptions } from "./options.ts";
import { TargetState } from "./pool_target.ts";

/** How long a caller waits unless it says otherwise. */
export const DEFAULT_TIMEOUT_MS = 30_000;
/** The longest and the shortest time between two rounds through what is idle. */
const MAX_TICK_MS = 250;
const MIN_TICK_MS = 5;

/** The options of a pool with their defaults, checked. */
export interface Settings {
  readonly transport: Transport | undefined;
  readonly addresses: AddressTable | undefined;
  readonly targets: readonly TargetState[];
  /** Stands for the sockets that are added; the last of the targets. */
  readonly added: TargetState;
  readonly maxSize: number;
  readonly minIdle: number;
  readonly maxConnecting: number;
  readonly maxWaiting: number;
  readonly connectTimeoutMs: number;
  readonly prepareTimeoutMs: number;
  readonly checkTimeoutMs: number;
  readonly checkAfterMs: number;
  readonly checkIntervalMs: number;
  readonly resetTimeoutMs: number;
  readonly transferable: boolean;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
  readonly leakAfterMs: number;
  /** The share of calls whose place is noted. */
  readonly debug: number;
  /** Between two rounds through what is idle. */
  readonly tickMs: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * Check options and fill in the rest.
 *
 * @throws {TypeError} For options that do not go together.
 * @throws {RangeError} For a value out of range, which the message names.
 */
export function settingsOf<Session>(options: SocketPoolOptions<Session>): Settings {
  const {
    addresses,
    transport = addresses?.transport,
    target,
    maxSize = 10,
    minIdle = 0,
    maxConnecting = 16,
    maxWaiting = 1000,
    connectTimeoutMs = DEFAULT_TIMEOUT_MS,
    prepareTimeoutMs = DEFAULT_TIMEOUT_MS,
    checkTimeoutMs = 5_000,
    checkAfterMs = 500,
    checkIntervalMs = 30_000,
    resetTimeoutMs = 5_000,
    transferable = false,
    idleTimeoutMs = 60_000,
    maxLifetimeMs = 1_800_000,
    backoffMs = 100,
    maxBackoffMs = 30_000,
    breakAfter = 5,
    leakAfterMs = Infinity,
    debug = false,
    clock = systemClock,
    random = Math.random,
  } = options;
  need("maxSize", maxSize, isCount(maxSize, 1), "an integer of at least 1, or Infinity");
  need("minIdle", minIdle, Number.isInteger(minIdle) && minIdle >= 0, "an integer of at least 0");
  need("minIdle", minIdle, minIdle <= maxSize, `at most maxSize, which is ${maxSize}`);
  need("maxConnecting", maxConnecting, isCount(maxConnecting, 1), "an integer of at least 1");
  need("maxWaiting", maxWaiting, maxWaiting >= 0, "0 or more");
  for (
    const [name, value] of Object.entries({
      connectTimeoutMs,
      prepareTimeoutMs,
      checkTimeoutMs,
      checkIntervalMs,
      resetTimeoutMs,
      idleTimeoutMs,
      maxLifetimeMs,
      leakAfterMs,
    })
  ) need(name, value, value > 0, "more than 0");
  need("checkAfterMs", checkAfterMs, checkAfterMs >= 0, "0 or more");
  need("backoffMs", backoffMs, backoffMs >= 0 && backoffMs < Infinity, "0 or more");
  need("maxBackoffMs", maxBackoffMs, maxBackoffMs >= backoffMs, `at least backoffMs, ${backoffMs}`);
  need("breakAfter", breakAfter, isCount(breakAfter, 1), "an integer of at least 1, or Infinity");
  const share = Number(debug);
  need("debug", debug, share >= 0 && share <= 1, "true, false, or a number from 0 to 1");
  if (addresses !== undefined && addresses.transport !== transport) {
    throw new TypeError("Cannot create pool: its address table has another transport");
  }
  const own = target === undefined ? [] : isList(target) ? target : [target];
  if (transport === undefined && own.length > 0) {
    throw new TypeError("Cannot create pool: expected a transport or an address table");
  }
  if (own.length === 0 && minIdle > 0) {
    throw new TypeError("Cannot use minIdle without a target: there is nothing to connect to");
  }
  const finite = [idleTimeoutMs, maxLifetimeMs, leakAfterMs];
  if (options.check !== undefined) finite.push(checkIntervalMs);
  const tickMs = Math.max(MIN_TICK_MS, Math.min(MAX_TICK_MS, Math.min(...finite) / 4));
  const stateOf = (one?: PoolTarget) => {
    if (one !== undefined) checkTarget(one, addresses);
    const breaker = new Breaker({ backoffMs, maxBackoffMs, breakAfter, random });
    return new TargetState(one, breaker, new IdleLimit(tickMs));
  };
  const added = stateOf();
  return {
    transport,
    addresses,
    targets: [...own.map(stateOf), added],
    added,
    maxSize,
    minIdle,
    maxConnecting,
    maxWaiting,
    connectTimeoutMs,
    prepareTimeoutMs,
    checkTimeoutMs,
    checkAfterMs,
    checkIntervalMs,
    resetTimeoutMs,
    transferable,
    idleTimeoutMs,
    maxLifetimeMs,
    leakAfterMs,
    debug: share,
    tickMs,
    clock,
    random,
  };
}

/** Throw a `RangeError` unless the value is good. */
export function need(name: string, value: unknown, good: boolean, expected: string): void {
  if (!good) throw new RangeError(`Cannot use ${name} "${value}": expected ${expected}`);
}

/** Whether a number is an integer from `least` on, or `Infinity`. */
export function isCount(value: number, least: number): boolean {
  return (Number.isInteger(value) || value === Infinity) && value >= least;
}

function checkTarget(target: PoolTarget, addresses: AddressTable | undefined): void {
  if (typeof target !== "object" || target === null || !("path" in target || "port" in target)) {
    throw new TypeError(
      `Cannot use target "${target}": expected { hostname, port }, { path }, or a list of them`,
    );
  }
  const { weight = 1, maxSize = 1, localAddress } = target;
  need("weight", weight, weight > 0 && weight < Infinity, "a number above 0");
  need("maxSize", maxSize, isCount(maxSize, 1), "an integer of at least 1, or Infinity");
  if (localAddress !== undefined && addresses !== undefined) {
    throw new TypeError(
      `Cannot use localAddress "${localAddress}" of a target: the address table chooses it`,
    );
  }
}

function isList(target: PoolTarget | readonly PoolTarget[]): target is readonly PoolTarget[] {
  return Array.isArray(target);
}
