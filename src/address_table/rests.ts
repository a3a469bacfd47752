import type { Clock } from "../transport/mod.ts";
import { EVERYWHERE } from "./destination.ts";

/** Why an address rests: somebody said so, for a time or for good, or a connect failed. */
export type RestReason = "asked" | "banned" | "failed";

/** An address that rests for a target. */
export interface AddressRest {
  /** The local address. */
  readonly localAddress: string;
  /** `HOST:PORT`, or `*` for every target. */
  readonly target: string;
  /** Milliseconds until it ends; `null` for a ban. */
  readonly endsInMs: number | null;
  /** Why. */
  readonly why: RestReason;
}

interface Rest {
  untilMs: number;
  why: RestReason;
  /** How many connects failed in a row. */
  failures: number;
}

/** The most rests after failures that are kept in mind; what was asked for is kept in any case. */
const MAX_FAILED = 10_000;

/** With fewer than so many, nobody looks for those that are over. */
const MIN_SWEEP = 256;

/**
 * Which addresses rest for which targets.
 *
 * What was asked for holds. What follows from a failure is a preference: where nothing else is left,
 * the address whose rest ends first is used all the same, for a network that was down for a second
 * must not stop everybody for a minute.
 */
export class Rests {
  #clock: Clock;
  #targets = new Map<string, Map<string, Rest>>();
  #count = 0;
  #failed = 0;
  /** With so many, those that are over are looked for. */
  #sweepAt = MIN_SWEEP;

  /** Without rests. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many are kept in mind. */
  get size(): number {
    return this.#count;
  }

  /** Let an address rest for a target; `Infinity` is a ban. */
  ask(address: string, target: string, forMs: number): void {
    this.lift(address, target);
    const why = forMs === Infinity ? "banned" : "asked";
    this.#set(address, target, { untilMs: this.#clock.now() + forMs, why, failures: 0 });
  }

  /** A connect failed in a way that speaks of the address; says how many did so in a row. */
  failures(address: string, target: string): number {
    return (this.#targets.get(target)?.get(address)?.failures ?? 0) + 1;
  }

  /** Let it rest after a failure, unless somebody has asked for more. */
  fail(address: string, target: string, forMs: number): void {
    const rest = this.#targets.get(target)?.get(address);
    const untilMs = this.#clock.now() + forMs;
    if (rest?.why === "failed") {
      rest.untilMs = untilMs;
      rest.failures++;
      return;
    }
    if (rest !== undefined && rest.untilMs > this.#clock.now()) return;
    this.lift(address, target);
    this.#set(address, target, { untilMs, why: "failed", failures: 1 });
  }

  /** A connect succeeded: its failures are forgotten. */
  succeed(address: string, target: string): void {
    if (this.#failed === 0) return;
    for (const where of [target, EVERYWHERE]) {
      if (this.#targets.get(where)?.get(address)?.why === "failed") this.lift(address, where);
    }
  }

  /** End a rest or a ban; `false` when there was none. */
  lift(address: string, target: string): boolean {
    const rests = this.#targets.get(target);
    const rest = rests?.get(address);
    if (rest === undefined) return false;
    this.#count--;
    if (rest.why === "failed") this.#failed--;
    rests!.delete(address);
    if (rests!.size === 0) this.#targets.delete(target);
    return rest.untilMs > this.#clock.now();
  }

  /** Whether there may be rests for a target: without any, nobody has to look further. */
  some(target: string | undefined): boolean {
    if (this.#targets.size === 0) return false;
    return this.#targets.has(EVERYWHERE) || (target !== undefined && this.#targets.has(target));
  }

  /**
   * Until when an address rests for a target, and whether that was asked for; `undefined` when it
   * does not. Without a target, until when it rests for every one.
   */
  find(
    address: string,
    target: string | undefined,
  ): { untilMs: number; asked: boolean } | undefined {
    const nowMs = this.#clock.now();
    let found: { untilMs: number; asked: boolean } | undefined;
    for (const where of target === undefined ? [EVERYWHERE] : [EVERYWHERE, target]) {
      const rest = this.#targets.get(where)?.get(address);
      if (rest === undefined || rest.untilMs <= nowMs) continue;
      const asked = rest.why !== "failed";
      found = {
        untilMs: Math.max(rest.untilMs, found?.untilMs ?? 0),
        asked: asked || found?.asked === true,
      };
    }
    return found;
  }

  /** What rests now, as plain data. */
  state(): readonly AddressRest[] {
    const nowMs = this.#clock.now();
    const all: AddressRest[] = [];
    for (const [target, rests] of this.#targets) {
      for (const [localAddress, { untilMs, why }] of rests) {
        if (untilMs <= nowMs) continue;
        const endsInMs = untilMs === Infinity ? null : untilMs - nowMs;
        all.push({ localAddress, target, endsInMs, why });
      }
    }
    return all;
  }

  #set(address: string, target: string, rest: Rest): void {
    const rests = this.#targets.get(target) ?? new Map<string, Rest>();
    rests.set(address, rest);
    this.#targets.set(target, rests);
    this.#count++;
    if (rest.why === "failed") this.#failed++;
    if (this.#failed > MAX_FAILED) this.#sweep(MAX_FAILED / 2);
    else if (this.#count > this.#sweepAt) this.#sweep(0);
  }

  /** Forget what is over, and so many failures, the oldest first. */
  #sweep(failures: number): void {
    const nowMs = this.#clock.now();
    for (const [target, rests] of this.#targets) {
      for (const [address, { untilMs, why }] of rests) {
        const dropped = why === "failed" && failures > 0;
        if (dropped) failures--;
        if (dropped || untilMs <= nowMs) this.lift(address, target);
      }
    }
    this.#sweepAt = Math.max(MIN_SWEEP, 2 * this.#count);
  }
}
