import type { Clock } from "../transport/mod.ts";
import type { DescriptorBudget } from "./descriptor_budget.ts";

/** How long a client that waits may lose to those that only keep their connection. */
const PATIENCE_MS = 1000;

/** A connection that may be ended if nobody needs it. */
interface Idle {
  /** Whether it has had a request and waits for the next one. */
  readonly isIdle: boolean;
  /** End it in good order. */
  end(): void;
}

/**
 * Ends connections while there is no room, down to the low-water mark: idle ones first, those that
 * came first among them, and where these are too few also the next ones that have had their answer. A
 * client must be prepared for that at any time (RFC 9112, section 9.6); one that has asked for nothing
 * yet is left alone.
 */
export class RoomMaker {
  #clock: Clock;
  #budget: DescriptorBudget;
  #connections: Iterable<Idle>;
  #cancel: (() => void) | undefined;
  #hasTried = false;

  /** Does nothing before `begin`. */
  constructor(clock: Clock, budget: DescriptorBudget, connections: Iterable<Idle>) {
    this.#clock = clock;
    this.#budget = budget;
    this.#connections = connections;
  }

  /** Whether a connection should end with its next answer. */
  get needsMore(): boolean {
    return this.#hasTried && this.#budget.isFull;
  }

  /** There is no room: look at it in a moment, and as long as there is none. */
  begin(): void {
    this.#cancel ??= this.#clock.schedule(PATIENCE_MS, () => {
      this.#cancel = undefined;
      this.#hasTried = this.#budget.isFull;
      if (!this.#hasTried) return;
      this.#makeRoom();
      this.begin();
    });
  }

  /** The server ends. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #makeRoom(): void {
    let surplus = this.#budget.connections - this.#budget.roomBelow;
    for (const connection of this.#connections) {
      if (surplus <= 0) return;
      if (!connection.isIdle) continue;
      connection.end();
      surplus--;
    }
  }
}
