import { JackfieldError, type Socket } from "../transport/mod.ts";

/** Aborts a socket that brings nothing for too long while somebody waits for it. */
export class SocketWatch {
  /** The socket. */
  readonly socket: Socket;
  #limitMs: number;
  #limitTicks: number;
  #over: () => void;
  #isWaiting = false;
  #quietTicks = 0;
  /** Bytes do not count: a head that comes drop by drop has one limit for all of it. */
  #isStrict = false;

  /** Made by {@linkcode Control.watch}. */
  constructor(socket: Socket, limitMs: number, limitTicks: number, over: () => void) {
    this.socket = socket;
    this.#limitMs = limitMs;
    this.#limitTicks = limitTicks;
    this.#over = over;
  }

  /** Read, at most until the limit. */
  async read(into: Uint8Array): Promise<number | null> {
    this.#isWaiting = true;
    try {
      const count = await this.socket.read(into);
      if (!this.#isStrict) this.#quietTicks = 0;
      return count;
    } finally {
      this.#isWaiting = false;
    }
  }

  /** Ask for something and wait for the answer's head, at most until the limit for all of it. */
  async exchange<T>(run: () => Promise<T>): Promise<T> {
    this.#isStrict = this.#isWaiting = true;
    this.#quietTicks = 0;
    try {
      return await run();
    } finally {
      this.#isStrict = this.#isWaiting = false;
      this.#quietTicks = 0;
    }
  }

  /** Some time has passed. */
  tick(): void {
    if (!(this.#isWaiting || this.#isStrict) || ++this.#quietTicks < this.#limitTicks) return;
    const message = `Cannot read response: nothing came for ${this.#limitMs} ms`;
    const facts = { operation: "read", limit: this.#limitMs } as const;
    this.socket.abort(new JackfieldError("SOCKET_ABORTED", message, facts));
  }

  /** Look at it no more. */
  end(): void {
    this.#over();
  }
}
