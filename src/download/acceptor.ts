import { type Listener, pauseListener, resumeListener, type Socket } from "../transport/mod.ts";
import type { DescriptorBudget } from "./descriptor_budget.ts";

/** Who has what was accepted, and is told when there is no room for more. */
export interface AcceptorEvents {
  /** A connection has come; the budget counts it before this returns. */
  accepted(socket: Socket): void;
  /** The budget is full: what comes waits in the kernel. */
  full(): void;
}

/**
 * Accepts as long as there are descriptors. All it does to stop is not to call `accept`: the listener
 * was made with the budget's `maxPending`, so that a runtime which accepts unasked stops, too.
 */
export class Acceptor {
  #listener: Listener;
  #budget: DescriptorBudget;
  #events: AcceptorEvents;
  #wake: (() => void) | undefined;
  #takesAll = false;
  #isAway = false;

  /** Accepts nothing before `run`. */
  constructor(listener: Listener, budget: DescriptorBudget, events: AcceptorEvents) {
    this.#listener = listener;
    this.#budget = budget;
    this.#events = events;
  }

  /** Accept until the listener is closed. */
  async run(): Promise<void> {
    for await (const socket of this.#listener) {
      this.#events.accepted(socket);
      if (!this.#budget.isFull || this.#takesAll) continue;
      this.#events.full();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** There is room again. */
  roomMade(): void {
    if (!this.#isAway) this.#wake?.();
  }

  /**
   * Let another process accept, which has a copy of the listener.
   *
   * @throws {JackfieldError} `UNSUPPORTED`.
   */
  async goAway(): Promise<void> {
    const waiting = await pauseListener(this.#listener);
    this.#isAway = true;
    for (const socket of waiting) this.#events.accepted(socket);
  }

  /** The listener was copied, for which it had to accept: if another process does, stop again. */
  async stayAway(): Promise<void> {
    if (this.#isAway) await this.goAway();
  }

  /** Accept here again. */
  comeBack(): void {
    this.#isAway = false;
    resumeListener(this.#listener);
    if (!this.#budget.isFull) this.#wake?.();
  }

  /** Take what the runtime has accepted already, room or not: the listener is about to be closed. */
  takeAll(): void {
    this.#takesAll = true;
    this.#wake?.();
  }
}
