import type { AssignedAddress, Clock, Interfaces } from "../transport/mod.ts";

/** How the table adds a leased address to an interface, and removes it again. */
export interface AssignPlan {
  /** The name of the interface. */
  readonly interface: string;
  /**
   * Milliseconds, at least 1000, after which the kernel removes it by itself when its owner is gone;
   * renewed at half of that time while in use.
   *
   * @default {60_000}
   */
  readonly validMs?: number;
  /** See `AssignOptions.label`. */
  readonly label?: string;
}

/** The kernel counts in seconds. */
const MIN_VALID_MS = 1000;

/** How long the kernel keeps an address whose owner is gone, unless the table says otherwise. */
const DEFAULT_VALID_MS = 60_000;

/** It removes an address up to 1.4 seconds late: seen, and so the lease must last longer than that. */
const KERNEL_LATE_MS = 2000;

/**
 * An address on an interface, for as long as its lease lasts.
 *
 * It may not outlive the lease there: when nobody is left to remove it, the kernel does, and that is
 * what keeps it from being used by two hosts.
 */
export class Assignment {
  #plan: AssignPlan;
  #clock: Clock;
  #assigned: AssignedAddress;
  #untilMs: number;

  private constructor(plan: AssignPlan, clock: Clock, assigned: AssignedAddress, untilMs: number) {
    this.#plan = plan;
    this.#clock = clock;
    this.#assigned = assigned;
    this.#untilMs = untilMs;
  }

  /** Add an address whose lease ends at this time; `undefined` when that is too soon. */
  static async begin(
    plan: AssignPlan,
    clock: Clock,
    interfaces: Interfaces,
    hostname: string,
    leaseEndsAtMs: number,
  ): Promise<Assignment | undefined> {
    const beganMs = clock.now();
    const validMs = validFor(plan, leaseEndsAtMs - beganMs);
    if (validMs < MIN_VALID_MS) return undefined;
    const label = plan.label === undefined ? {} : { label: plan.label };
    const options = { hostname, interface: plan.interface, validMs, ...label };
    const assigned = await interfaces.assign(options);
    // What the call took is lost time: the kernel began somewhere in between.
    return new Assignment(plan, clock, assigned, beganMs + validMs);
  }

  /** Until when the kernel keeps it. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** Whether its lease lasts so much longer that it can be kept longer, too. */
  isOutlasted(leaseEndsAtMs: number): boolean {
    return leaseEndsAtMs - KERNEL_LATE_MS >= this.#untilMs + MIN_VALID_MS;
  }

  /** Keep it longer, if its lease lasts longer. */
  async renew(leaseEndsAtMs: number): Promise<void> {
    const beganMs = this.#clock.now();
    const validMs = validFor(this.#plan, leaseEndsAtMs - beganMs);
    if (validMs < MIN_VALID_MS) return;
    await this.#assigned.renew(validMs);
    this.#untilMs = beganMs + validMs;
  }

  /** Take it away. */
  remove(): Promise<void> {
    return this.#assigned.remove();
  }
}

/** In the kernel's whole seconds. */
function validFor({ validMs = DEFAULT_VALID_MS }: AssignPlan, leaseLeftMs: number): number {
  return Math.floor(Math.min(validMs, leaseLeftMs - KERNEL_LATE_MS) / 1000) * 1000;
}
