// What one side of the comparison has to do: the library's Transport on one side, the runtime's own
// API on the other. Client and server of a load are both of the same side, in one process.

/** Where a load ends: whichever comes first. */
export interface Limits {
  /** Milliseconds. */
  readonly ms: number;
  /** Round trips, writes or connections. */
  readonly count: number;
}

/** Where the bytes of a bulk load go. */
export type Direction = "client to server" | "server to client";

/** One side of the comparison. Every load resolves to its rate per second. */
export interface Side {
  /** What is measured, for people. */
  readonly name: string;
  /** Round trips of {@linkcode ECHO_BYTES} bytes, one at a time on each connection. */
  echo(connections: number, limits: Limits): Promise<number>;
  /** Bytes in writes of {@linkcode WRITE_BYTES}, on one connection, until the reader has them all. */
  bulk(direction: Direction, limits: Limits): Promise<number>;
  /**
   * Whole lives of connections, so many at a time: connect, accept, the server closes, the client
   * sees the end and closes.
   */
  connects(atOnce: number, limits: Limits): Promise<number>;
}

/** The size of a message that is echoed. */
export const ECHO_BYTES = 64;
/** The size of a write in bulk, and of the buffer that is read into. */
export const WRITE_BYTES = 65_536;

/** Counts what a load does, says when it has done enough, and gives the rate. */
export class Budget {
  #limits: Limits;
  #count = 0;
  #over = false;
  #start: number = performance.now();
  #timer: ReturnType<typeof setTimeout>;

  /** The clock starts now. */
  constructor(limits: Limits) {
    this.#limits = limits;
    // A flag, not a look at the clock in each turn: that would cost more than some of the work.
    this.#timer = setTimeout(() => this.#over = true, limits.ms);
  }

  /** Whether one more may be done; it counts as done. */
  take(): boolean {
    if (this.#over || this.#count === this.#limits.count) return false;
    this.#count++;
    return true;
  }

  /** The clock stops: how many were taken per second, times `size`. */
  rate(size = 1): number {
    clearTimeout(this.#timer);
    return this.#count * size / ((performance.now() - this.#start) / 1000);
  }
}

/** A message whose first byte tells the round trips of a connection apart. */
export function newMessage(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(ECHO_BYTES).fill(7);
}

/** Fail the load unless the echo began with what was sent. */
export function checkEcho(first: number | undefined, sent: number | undefined): void {
  if (first !== sent) throw new Error(`echo began with ${first}, not with ${sent}`);
}

/** Fail the load unless every byte that was written came out. */
export function checkBytes(received: number, sent: number): void {
  if (received !== sent) throw new Error(`${received} of ${sent} bytes arrived`);
}
