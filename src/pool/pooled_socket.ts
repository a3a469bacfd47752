import type { Socket, SocketAddress } from "../transport/mod.ts";

/** What a strategy sees of a socket that it may choose. */
export interface PoolCandidate {
  /** The end on this host. */
  readonly localAddress: SocketAddress;
  /** The far end. */
  readonly remoteAddress: SocketAddress;
  /** How often it was leased. */
  readonly leases: number;
}

/** A socket and what its pool knows of it. */
export class PooledSocket implements PoolCandidate {
  /** The connection. */
  readonly socket: Socket;
  /** How often it was leased. */
  leases = 0;
  /** When it was chosen last, counted in choices of the pool: its place in the rotation. */
  turn: number;

  /** A socket that was just opened. */
  constructor(socket: Socket, turn: number) {
    this.socket = socket;
    this.turn = turn;
  }

  /**
   * Whether the next task finds it as if it were new: open in both directions, and nothing on the
   * wire that nobody asked for, as far as the runtime tells.
   */
  get isClean(): boolean {
    return this.socket.state === "open" && !this.socket.hasUnread;
  }

  get localAddress(): SocketAddress {
    return this.socket.localAddress;
  }

  get remoteAddress(): SocketAddress {
    return this.socket.remoteAddress;
  }
}
