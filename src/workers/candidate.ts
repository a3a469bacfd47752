import type { Loaded, RotationNode } from "../strategy/mod.ts";
import type { SocketAddress } from "../transport/mod.ts";

/** A thread as a strategy sees it. */
export interface WorkerCandidate extends Loaded {
  /** Its place in the group, from 0 on; the thread that is started in its stead has it too. */
  readonly index: number;
  /** Sockets that are bound to it, and requests that it has not answered. */
  readonly load: number;
  /** Sockets that are bound to it. */
  readonly bindings: number;
  /** Requests that it has not answered. */
  readonly requests: number;
  /** Whether a thread runs there now; strategies are shown none that does not. */
  readonly isRunning: boolean;
  /** How often one was started there. */
  readonly starts: number;
}

/** What a strategy is told about what is to be served. */
export interface WorkerRequest {
  /** A live socket, or one request that was read from a socket. */
  readonly kind: "socket" | "request";
  /** What the caller says about it. */
  readonly data: unknown;
  /** The far end. */
  readonly remoteAddress: SocketAddress;
}

/** A place for a thread, in the rotation while it runs. */
export class Candidate implements WorkerCandidate, RotationNode<Candidate> {
  readonly index: number;
  bindings = 0;
  requests = 0;
  starts = 0;
  turn: number;
  before: Candidate | undefined = undefined;
  after: Candidate | undefined = undefined;
  available = false;
  rotation: object | undefined = undefined;

  constructor(index: number) {
    this.index = index;
    this.turn = index - Number.MAX_SAFE_INTEGER; // Before all that were chosen, in their order.
  }

  get isRunning(): boolean {
    return this.available;
  }

  get load(): number {
    return this.bindings + this.requests;
  }
}
