import type { Socket } from "../../../src/core.ts";
import type { ModelClock } from "./model_clock.ts";

/** A connection that the pool has, as it is seen from outside. */
export class Connection {
  /** The pool's end. */
  readonly socket: Socket;
  /** Which target it leads to; -1 for one that was added. */
  readonly target: number;
  /** How often `prepare` was called for it. */
  prepared = 0;
  /** What `prepare` gave, or the caller of `add`. */
  session: object | undefined = undefined;
  /** Whether a session was given with `add`. */
  given = false;
  /** Whether a hook has found it unfit, or did not come to an end. */
  condemned = false;
  /** How often it was leased, and whether it is now, as the observer says. */
  leases = 0;
  leased = false;
  /** How many callers and leases there had been at its last lease. */
  askedAtLease = 0;
  leaseNumber = 0;
  /** Whether the observer was told that it stands, and that the pool has parted with it. */
  joined = false;
  parted = false;

  /** It stands. */
  constructor(socket: Socket, target: number) {
    this.socket = socket;
    this.target = target;
  }

  /** Whether it holds a descriptor. */
  get isOpen(): boolean {
    const { state } = this.socket;
    return state !== "closed" && state !== "gone";
  }

  /** Whether the pool counts it, as far as the observer knows. */
  get isCounted(): boolean {
    return !this.parted && (this.joined || this.prepared > 0 || this.isOpen);
  }
}

/** The other end of a connection. */
export class FarEnd {
  readonly socket: Socket;
  /** The turn in which it sent something last: in the same one nobody may know of it yet. */
  turn = -1;
  #clock: ModelClock;

  /** It was just accepted. */
  constructor(socket: Socket, clock: ModelClock) {
    this.socket = socket;
    this.#clock = clock;
  }

  /** Do what nobody asked for. */
  disturb(how: "reset" | "close" | "half-close" | "write"): void {
    const sent = () => {
      this.turn = this.#clock.turn;
    };
    sent();
    if (how === "reset") this.socket.abort();
    else if (how === "close") void this.socket.close().then(sent);
    else if (how === "half-close") this.socket.closeWrite().then(sent, sent);
    else this.socket.write(new Uint8Array(3)).then(sent, sent);
  }
}
