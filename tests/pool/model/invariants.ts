import type { PoolStats } from "../../../src/core.ts";
import type { PoolModel } from "./pool_model.ts";

/** What must hold at any moment between two calls. */
export class Watch {
  #model: PoolModel;
  /** Since when each target could be tried, and was not, although somebody waited. */
  #untriedMs: (number | undefined)[] = [];
  #connects: number[] = [];

  /** Nothing was seen yet. */
  constructor(model: PoolModel) {
    this.#model = model;
  }

  /** What is wrong, whatever is on its way. */
  now(stats: PoolStats): string | undefined {
    return this.#model.failures[0] ?? this.#sums(stats) ?? this.#bounds(stats) ??
      (this.#model.closing ? undefined : this.#lostWaiter(stats));
  }

  /** What is wrong once everything has happened that needs no time. */
  settled(stats: PoolStats): string | undefined {
    const { holdings, open, network, settings, closing, clock, warming } = this.#model;
    if (stats.leased !== holdings.size) {
      return `${holdings.size} leases were not given back, and ${stats.leased} are known`;
    }
    if (stats.waiting !== open.size) {
      return `${open.size} callers wait, and ${stats.waiting} are known`;
    }
    const nowMs = clock.now();
    for (const { number, deadlineMs, within, isTooMany } of open) {
      if (deadlineMs <= nowMs) return `caller ${number} waits after its deadline`;
      if (isTooMany) return `caller ${number} waits, and too many did before`;
      // Not what it was at the call: a refusal that was on its way then may have changed it.
      const isStuck = within !== undefined && this.#model.isHopeless(within, true) === true;
      if (isStuck) return `caller ${number} waits for itself`;
    }
    const { prepares, works } = this.#model.hooksAtWork();
    if (stats.checking > works) return `${stats.checking} are checked, and ${works} hooks at work`;
    let connects = prepares;
    for (const flying of network.flying) connects += flying;
    if (stats.connecting > connects) return `${stats.connecting} connects, and ${connects} are`;
    // Hooks, and the three that a pool has for itself.
    if (this.#model.poolClock.pending > prepares + works + 3) return "more timers than work";
    if (closing) return undefined;
    if (stats.idle > 0 && stats.size - stats.closing > this.#model.pool.maxSize) {
      return "an idle socket beyond maxSize";
    }
    const { minIdle } = settings.options;
    if (warming > 0 && stats.idle + stats.leased >= minIdle!) return "warmUp waits in a warm pool";
    if (settings.watched) {
      let have = 0;
      for (const connects of network.flying) have += connects;
      for (const { isCounted } of network.connections) if (isCounted) have++;
      if (stats.size - stats.closing !== have) {
        return `${have} sockets, and ${stats.size - stats.closing} are counted`;
      }
    }
    return undefined;
  }

  /** What is wrong when a round through what is idle was made just now. */
  kept(stats: PoolStats): string | undefined {
    const { closing, pool, settings } = this.#model;
    const { minIdle, maxConnecting } = settings.options;
    if (closing || stats.idle >= minIdle! || stats.size >= pool.maxSize) return undefined;
    const { opening, onTheWay } = onTheWayOf(stats);
    if (stats.idle + Math.max(0, onTheWay - stats.waiting) >= minIdle!) return undefined;
    if (opening >= maxConnecting!) return undefined;
    return this.#isOpenable(stats) ? "fewer are ready than minIdle" : undefined;
  }

  #sums(stats: PoolStats): string | undefined {
    const { size, idle, leased, connecting, checking, closing } = stats;
    if (size !== idle + leased + connecting + checking + closing) return "a sum that is none";
    let all = 0;
    let idleOnes = 0;
    let leasedOnes = 0;
    let connects = 0;
    for (const target of stats.targets) {
      all += target.size;
      idleOnes += target.idle;
      leasedOnes += target.leased;
      connects += target.connecting;
    }
    if (all !== size || idleOnes !== idle || leasedOnes !== leased || connects > connecting) {
      return "targets that do not make up the whole";
    }
    return Math.min(idle, leased, connecting, checking, closing) < 0 ? "less than none" : undefined;
  }

  #bounds(stats: PoolStats): string | undefined {
    const { network, pool, settings } = this.#model;
    const { size } = stats;
    this.#model.bound = Math.max(pool.maxSize, Math.min(this.#model.bound, size));
    if (size > this.#model.bound) return `${size} sockets, more than maxSize`;
    const { opening } = onTheWayOf(stats);
    const { connecting: added } = stats.targets[settings.targets] ?? { connecting: 0 };
    if (opening - added > settings.options.maxConnecting!) return "more connects than may be";
    if (network.held() > size) return `${network.held()} descriptors, and ${size} are known`;
    for (let target = 0; target < settings.targets; target++) {
      if (stats.targets[target]!.size > settings.targetSizes[target]!) {
        return `more of target ${target} than its maxSize`;
      }
    }
    return undefined;
  }

  /** Somebody waits although there is a socket, or could be one. */
  #lostWaiter(stats: PoolStats): string | undefined {
    const { clock, network, pool, settings, takesAny } = this.#model;
    const { maxConnecting, maxBackoffMs } = settings.options;
    const { waiting, idle, size } = stats;
    const { opening, onTheWay } = onTheWayOf(stats);
    const isWanted = waiting > onTheWay && size < pool.maxSize && opening < maxConnecting!;
    // With `check` an idle one may have to be checked first, and others are being checked.
    const mayRest = settings.hooks.check && onTheWay >= waiting;
    if (waiting > 0 && idle > 0 && takesAny && !mayRest) {
      return "an idle socket while somebody waits";
    }
    if (isWanted && this.#isOpenable(stats)) return "room for another socket, and somebody waits";
    for (let index = 0; index < settings.targets; index++) {
      const target = stats.targets[index]!;
      const isStuck = isWanted && target.health !== "up" && target.connecting === 0 &&
        target.size < settings.targetSizes[index]! &&
        this.#connects[index] === network.connects[index];
      this.#connects[index] = network.connects[index]!;
      if (!isStuck) this.#untriedMs[index] = undefined;
      else if (clock.now() - (this.#untriedMs[index] ??= clock.now()) > maxBackoffMs!) {
        return `target ${index} is not tried again, and somebody waits`;
      }
    }
    return undefined;
  }

  /** Whether there is a target that has not failed just now, and has room. */
  #isOpenable(stats: PoolStats): boolean {
    const { targets, targetSizes } = this.#model.settings;
    for (let index = 0; index < targets; index++) {
      const { health, size } = stats.targets[index]!;
      if (health === "up" && size < targetSizes[index]!) return true;
    }
    return false;
  }
}

/** What is being opened, and all that will be idle soon. */
function onTheWayOf(stats: PoolStats): { opening: number; onTheWay: number } {
  let opening = 0;
  for (const { connecting } of stats.targets) opening += connecting; // Not those given up.
  return { opening, onTheWay: opening + stats.checking };
}
