import type { Socket, SocketAddress } from "../transport/mod.ts";

/** An address of the table, and how many descriptors have it. */
export interface Candidate {
  /** The IP literal. */
  readonly hostname: string;
  /** How many descriptors have it now. */
  descriptors: number;
}

/** A local port that is in use; it goes back when the last of its users has let go. */
export class PortHold {
  /** The port. */
  readonly port: number;
  /** Resolves when the port has gone back. */
  readonly gone: Promise<void>;
  #users = 1;
  #giveBack!: () => void;

  /** For one user; `giveBack` is called once. */
  constructor(port: number, giveBack: () => void) {
    this.port = port;
    this.gone = new Promise<void>((resolve) => {
      this.#giveBack = () => {
        giveBack();
        resolve();
      };
    });
  }

  /** One more user. */
  retain(): this {
    this.#users++;
    return this;
  }

  /** One user less. */
  release(): void {
    if (--this.#users === 0) this.#giveBack();
  }
}

/** What stands in the table for one descriptor. */
export class Entry {
  /** The number that the table issued. */
  readonly descriptor: number;
  /** Its address. */
  readonly candidate: Candidate;
  /** Bound before its destination was known: this port and no other, until it is closed. */
  bound: PortHold | undefined;
  /** The port of the connection, or of the connect on the way. */
  used: PortHold | undefined;
  /** The connection. */
  socket: Socket | undefined;
  /** Settles, and never rejects, when the connect on the way has ended. */
  connecting: Promise<void> | undefined;
  /** Ends the connect on the way. */
  stop: ((reason: unknown) => void) | undefined;
  /** Whether `close` was called: the descriptor is unknown from then on. */
  closed = false;
  #forgotten = false;

  /** A descriptor that has its address and no port yet. */
  constructor(descriptor: number, candidate: Candidate) {
    this.descriptor = descriptor;
    this.candidate = candidate;
    candidate.descriptors++;
  }

  /** Whether a connection stands. */
  get connected(): boolean {
    return this.socket !== undefined && this.socket.state !== "closed";
  }

  /** What the kernel uses, or will use; port 0 when that is not known yet. */
  get address(): SocketAddress {
    const port = (this.bound ?? (this.connecting && this.used))?.port ?? 0;
    return this.socket?.localAddress ?? { hostname: this.candidate.hostname, port };
  }

  /** Give address and bound port back, once. */
  forget(): void {
    if (this.#forgotten) return;
    this.#forgotten = true;
    this.candidate.descriptors--;
    this.bound?.release();
  }
}
