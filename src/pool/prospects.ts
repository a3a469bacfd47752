import type { Clock, TimeoutPhase } from "../transport/mod.ts";
import { deadlockError, downError, queueFullError, timeoutError } from "./failures.ts";
import type { Holds } from "./holds.ts";
import type { Caller, Line } from "./line.ts";
import type { Opener } from "./opener.ts";
import type { PoolStats } from "./options.ts";
import type { TargetState } from "./pool_target.ts";
import type { Roster } from "./roster.ts";
import { DEFAULT_TIMEOUT_MS, type Settings } from "./settings.ts";
import type { Waiter } from "./waiter.ts";

/** What waiting for a socket of a pool could bring, and why it brought nothing. */
export class Prospects<Session> {
  #settings: Settings;
  #clock: Clock;
  #roster: Roster<Session>;
  #opener: Opener;
  #line: Line<Session>;
  #holds: Holds;

  /** Looks at all of these, and changes none. */
  constructor(
    settings: Settings,
    roster: Roster<Session>,
    opener: Opener,
    line: Line<Session>,
    holds: Holds,
  ) {
    this.#settings = settings;
    this.#clock = settings.clock;
    this.#roster = roster;
    this.#opener = opener;
    this.#line = line;
    this.#holds = holds;
  }

  /** Why a caller should not begin to wait; `undefined` when it may. */
  refusal(caller: Caller | undefined, maxSize: number): unknown {
    const { maxWaiting } = this.#settings;
    if (this.#line.length >= maxWaiting) {
      const behind = this.#line.length - this.#opener.onTheWay;
      if (behind >= maxWaiting && !this.#opener.mayOpenOne) return queueFullError(maxWaiting);
    }
    if (caller?.hold !== undefined) {
      this.#holds.waits(caller.hold);
      const blocked = this.isBlocked(maxSize);
      this.#holds.waitsNoMore(caller.hold);
      if (blocked) return this.deadlock(caller);
    }
    const down = this.#opener.downTarget;
    return down === undefined || !this.isHopeless ? undefined : downError(down, this.#clock.now());
  }

  /** Whether every socket is held by somebody who waits for this pool, and none can be added. */
  isBlocked(maxSize: number): boolean {
    const leased = this.#roster.count("leased");
    const { size } = this.#roster;
    if (leased < size || leased === 0 || this.#holds.blocked < leased) return false;
    if (size >= maxSize) return true;
    const own = this.#settings.targets.filter(({ target }) => target !== undefined);
    return own.length > 0 && own.every((state) => state.size >= state.maxSize);
  }

  /** What a caller is told that would wait for itself. */
  deadlock({ hold, label, stack }: Caller): unknown {
    return deadlockError(hold!, label, stack, this.#roster.size);
  }

  /** Whether no socket stands that could come free. */
  get isHopeless(): boolean {
    return this.#roster.count("idle", "leased", "checking", "resetting") === 0;
  }

  /**
   * How many of those who wait should learn that a connect to this target failed: nobody as long as
   * another way is open, all of them when every target is down, else the first one, for whom it was.
   */
  losersBy(failed: TargetState): number {
    if (failed.target === undefined) return 0; // Nobody waited for it.
    const uncared = this.#line.length - this.#opener.onTheWay;
    if (uncared <= 0 || !this.isHopeless) return 0;
    if (this.#opener.downTarget !== undefined) return uncared;
    return this.#opener.hasAlternative(failed) ? 0 : 1;
  }

  /** What a caller is told whose time is over. */
  timeoutError(waiter: Waiter<Session>, stats: PoolStats): unknown {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = waiter.request;
    return timeoutError(timeoutMs, this.#phaseOf(waiter), stats, this.#opener.lastError);
  }

  /** What those wait for that something is on the way for; the others wait for their turn. */
  #phaseOf(waiter: Waiter<Session>): TimeoutPhase {
    if (this.#line.first !== waiter && this.#line.length > this.#opener.onTheWay) return "wait";
    if (this.#roster.count("preparing") > 0) return "prepare";
    if (this.#roster.count("checking") > 0) return "check";
    return this.#roster.count("connecting", "abandoned") > 0 ? "connect" : "wait";
  }
}
