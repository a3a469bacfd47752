import type { PartingReason, Reports } from "./observer.ts";
import type { Opener } from "./opener.ts";
import type { TargetState } from "./pool_target.ts";
import type { PooledSocket } from "./pooled_socket.ts";
import type { Roster } from "./roster.ts";
import type { Settings } from "./settings.ts";

/** What a {@linkcode Keeper} needs of its pool. */
export interface KeeperHost<Session> {
  /** Find out whether an idle socket still works. */
  check(entry: PooledSocket<Session>): void;
  /** How many callers wait. */
  waiting(): number;
  /** Whether sockets are to be checked at all. */
  readonly checks: boolean;
}

/**
 * Looks after what nobody uses: makes a round through the idle sockets every `tickMs`, ends those
 * whose time is over, has others checked, replaces what is missing, evens out the targets' shares
 * and reports leases that were not given back.
 *
 * One timer for the whole pool, and none while there is nothing to look after. Its coarse time is
 * what the sockets are stamped with, so that a lease costs no look at the clock; it lags behind by up
 * to `tickMs`.
 */
export class Keeper<Session> {
  #settings: Settings;
  #roster: Roster<Session>;
  #opener: Opener;
  #reports: Reports;
  #host: KeeperHost<Session>;
  #cancel: (() => void) | undefined;
  #stopped = false;
  /** The time of the last round, in whole milliseconds. */
  nowMs: number;

  /** It rests until the first `wake`. */
  constructor(
    settings: Settings,
    roster: Roster<Session>,
    opener: Opener,
    reports: Reports,
    host: KeeperHost<Session>,
  ) {
    this.#settings = settings;
    this.#roster = roster;
    this.#opener = opener;
    this.#reports = reports;
    this.#host = host;
    this.nowMs = Math.floor(settings.clock.now());
  }

  /** There is something to look after. */
  wake(): void {
    if (this.#cancel !== undefined || this.#stopped) return;
    const { clock, tickMs } = this.#settings;
    this.nowMs = Math.floor(clock.now());
    this.#cancel = clock.schedule(tickMs, this.#round);
  }

  /** Look after nothing any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Why an idle socket must not be lent any more; `undefined` for a good one. */
  faultOf(entry: PooledSocket<Session>): PartingReason | undefined {
    if (!entry.isClean) return "lost"; // What the watch has not told of yet, in this very turn.
    if (entry.expiresMs <= this.nowMs) return "lifetime";
    const { limitMs } = entry.group.idleLimit;
    return limitMs !== undefined && this.nowMs - entry.quietSinceMs >= limitMs ? "idle" : undefined;
  }

  /** Connect until as many sockets are ready as `minIdle` asks for. */
  replenish(): void {
    if (this.#stopped || this.#settings.minIdle === 0) return;
    const spare = () =>
      this.#roster.idle + Math.max(0, this.#opener.onTheWay - this.#host.waiting());
    while (spare() < this.#settings.minIdle && this.#opener.openOne());
    this.wake();
  }

  #round = (): void => {
    this.#cancel = undefined;
    this.nowMs = Math.floor(this.#settings.clock.now());
    this.#lookAtIdle();
    this.#lookAtLeased();
    this.#evenOut();
    this.replenish();
    this.#opener.serve();
    if (this.#roster.size > 0 || this.#settings.minIdle > 0) this.wake();
  };

  #lookAtIdle(): void {
    const { idleTimeoutMs, minIdle, checkIntervalMs } = this.#settings;
    // Not all at once, for they are missing meanwhile.
    let checks = this.#host.checks ? Math.max(1, this.#roster.idle >> 2) : 0;
    for (const entry of this.#roster.idleOnes) {
      const fault = this.faultOf(entry);
      const idleMs = this.nowMs - entry.sinceMs;
      if (!entry.proven && idleMs > 0 && fault === undefined) entry.prove();
      if (fault !== undefined) {
        if (fault === "idle") entry.group.idleLimit.obeyed();
        this.#roster.end(entry, fault);
      } else if (idleMs >= idleTimeoutMs && this.#roster.idle > minIdle) {
        this.#roster.end(entry, "idle");
      } else if (checks > 0 && this.nowMs - entry.checkedMs >= checkIntervalMs) {
        checks--;
        this.#host.check(entry);
      }
    }
  }

  #lookAtLeased(): void {
    const { leakAfterMs } = this.#settings;
    if (leakAfterMs === Infinity) return;
    for (const entry of this.#roster.all) {
      const heldMs = this.nowMs - entry.sinceMs;
      if (entry.state !== "leased" || entry.reported || heldMs < leakAfterMs) continue;
      entry.reported = true;
      const label = entry.call?.label;
      const stack = entry.call?.stack;
      const { localAddress, remoteAddress } = entry;
      const report = { label, stack, heldMs, localAddress, remoteAddress };
      this.#reports.tell((observer) => observer.leaked?.(report));
      const who = label === undefined ? "a lease" : `the lease of "${label}"`;
      const message = `Cannot find a leased socket again: ${who} has lasted ${heldMs} ms` +
        (stack === undefined ? "" : `; it was taken here:\n${stack}`);
      this.#reports.failed(new Error(message), "leak");
    }
  }

  /** Move a part of the pool to a target that has too little of it, as after an outage. */
  #evenOut(): void {
    for (const target of this.#settings.targets) target.surplus = 0;
    const able = this.#settings.targets.filter(({ target }) => target !== undefined);
    if (able.length < 2) return;
    const nowMs = this.#settings.clock.now();
    for (let moves = Math.ceil(this.#roster.size / 10); moves > 0; moves--) {
      const [least, most] = extremes(able.filter(({ breaker }) => nowMs >= breaker.restsUntilMs));
      if (least === undefined || most === undefined || least === most) return;
      if ((most.standing - 1) / most.weight < (least.standing + 1) / least.weight) return;
      const probes = least.breaker.failures > 0;
      if (probes && least.counts.connecting + least.counts.preparing > 0) return;
      const roomBefore = this.#opener.mayOpen(least, nowMs);
      // What is only tried out takes nothing away, unless there is no room for it.
      if (!probes || !roomBefore) this.#retire(most);
      if (!this.#opener.mayOpen(least, nowMs)) return; // When the retired one is gone.
      this.#opener.open(least);
    }
  }

  #retire(target: TargetState): void {
    for (const entry of this.#roster.idleOnes) {
      if (entry.group !== target) continue;
      return this.#roster.end(entry, "surplus");
    }
    target.surplus++; // The next one that comes back.
  }
}

/** The targets with the least and the most of their share. */
function extremes(
  targets: readonly TargetState[],
): readonly [least: TargetState | undefined, most: TargetState | undefined] {
  let least: TargetState | undefined;
  let most: TargetState | undefined;
  for (const target of targets) {
    const share = target.standing / target.weight;
    const isFull = target.size >= target.maxSize;
    if (!isFull && (least === undefined || share < least.standing / least.weight)) least = target;
    if (most === undefined || share > most.standing / most.weight) most = target;
  }
  return [least, most];
}
