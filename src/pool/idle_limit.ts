/** How many endings in agreement make a rule. */
const ENOUGH = 3;
/** How many endings are remembered. */
const REMEMBERED = 8;
/** Endings agree when the longest idle time is at most so many times the shortest. */
const AGREEMENT = 1.25;
/** The share of the shortest idle time that is still safe. */
const SAFE = 0.8;
/** How much is dared more after each socket that was closed in time. */
const CREEP = 1.02;

interface Ending {
  readonly idleMs: number;
  readonly atMs: number;
}

/**
 * Learns after how long a target closes idle connections by itself, so that they are closed here
 * before and no request meets a dead one.
 *
 * Three endings in agreement, at different moments, make a rule: a target that restarts ends
 * everything at one moment and at all ages. While the rule holds no ending is seen any more, so it is
 * loosened a little with each socket that it closes, until an ending is seen again.
 */
export class IdleLimit {
  #resolutionMs: number;
  #endings: Ending[] = [];
  #limitMs: number | undefined;

  /** `resolutionMs` is how much too long a time may be measured. */
  constructor(resolutionMs: number) {
    this.#resolutionMs = resolutionMs;
  }

  /** How long a connection may be idle, in milliseconds; `undefined` when nothing is known. */
  get limitMs(): number | undefined {
    return this.#limitMs;
  }

  /** The target has ended a connection in good order that was idle for so long. */
  ended(idleMs: number, nowMs: number): void {
    const surelyMs = idleMs - this.#resolutionMs;
    if (surelyMs <= 0) return;
    const same = (ending: Ending) =>
      nowMs - ending.atMs <= Math.max(this.#resolutionMs, surelyMs / 20);
    if (this.#endings.some(same)) return;
    this.#endings.push({ idleMs: surelyMs, atMs: nowMs });
    if (this.#endings.length > REMEMBERED) this.#endings.shift();
    if (this.#limitMs !== undefined && surelyMs <= this.#limitMs) {
      this.#limitMs = surelyMs * SAFE; // The rule was too loose, or the target has changed.
      return;
    }
    for (const { idleMs: least } of this.#endings) {
      const agreeing = this.#endings.filter(({ idleMs: one }) =>
        one >= least && one <= least * AGREEMENT + this.#resolutionMs
      );
      if (agreeing.length < ENOUGH) continue;
      this.#limitMs = Math.min(this.#limitMs ?? Infinity, least * SAFE);
    }
  }

  /** A connection was closed because of the limit. */
  obeyed(): void {
    if (this.#limitMs !== undefined) this.#limitMs *= CREEP;
  }
}
