import { type Abortable, Deadline, type FairPlace } from "../queue/mod.ts";
import type { Caller, Line } from "./line.ts";
import type { AcquireOptions } from "./options.ts";
import type { SocketLease } from "./socket_lease.ts";

/** A caller of `acquire` that waits. It is its own deadline and its own listener, to be small. */
export class Waiter<Session> extends Deadline implements Abortable {
  /** What it asked for. */
  readonly request: AcquireOptions;
  /** When it was called. */
  readonly startedMs: number;
  /** What else is known of its caller. */
  readonly caller: Caller | undefined;
  /** Its place in the line. */
  place: FairPlace<Waiter<Session>> | undefined = undefined;
  /** Settles its promise. */
  resolve!: (lease: SocketLease<Session>) => void;
  reject!: (error: unknown) => void;
  #line: Line<Session>;

  /** It is not in the line yet. */
  constructor(
    line: Line<Session>,
    request: AcquireOptions,
    caller: Caller | undefined,
    startedMs: number,
  ) {
    super();
    this.#line = line;
    this.request = request;
    this.caller = caller;
    this.startedMs = startedMs;
  }

  /** Its time is over. */
  expire(): void {
    this.#line.expired(this);
  }

  /** Its caller gives up. */
  aborted(reason: unknown): void {
    this.#line.refuse(this, reason);
  }
}
