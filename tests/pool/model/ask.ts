import type { SocketLease } from "../../../src/core.ts";
import type { Task } from "./task.ts";

/** What `prepare` gives. */
export type Session = object | undefined;

/** A call of `acquire` or `use`. */
export interface Ask {
  readonly number: number;
  readonly tenant: string;
  readonly priority: number;
  /** The smaller, the earlier among those of its tenant. */
  readonly rank: number;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  /** The task within which it was called. */
  readonly within: Task | undefined;
  /**
   * Whether everything was leased to tasks that wait, this one included, when it was called;
   * `undefined` when a lease, or the waiting of another one, was about to end.
   */
  readonly isHopeless: boolean | undefined;
  /** Whether as many waited as may, and no connect could begin, when it was called. */
  readonly isTooMany: boolean;
  /** How many waited when it was called. */
  readonly waitingBefore: number;
  outcome: "granted" | "refused" | undefined;
  /** How many callers and leases there were when it was granted, if that is known. */
  askedAtLease: number | undefined;
  leaseNumber: number;
}

/** A lease that was not given back. */
export interface Holding {
  readonly lease: SocketLease<Session>;
  /** The task that has it, if it was `use`. */
  readonly task: Task | undefined;
}

/** A signal of the test's that counts who listens. */
export class CountedSignal {
  readonly controller: AbortController = new AbortController();
  listeners = 0;

  /** Nobody listens. */
  constructor() {
    const { signal } = this.controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      this.listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      this.listeners--;
      remove(...args);
    };
  }
}
