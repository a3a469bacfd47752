import type { JackfieldError, Listener, Socket, SocketAddress } from "../transport/mod.ts";
import type { AddressUser, Candidate } from "./candidate.ts";
import type { PortHold } from "./port_hold.ts";

/** What stands in the table for one descriptor. */
export class Entry implements AddressUser {
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
  /** What listens on its port. */
  listener: Listener | undefined;
  /** What was accepted there and is still open. */
  accepted: Set<Socket> | undefined;
  /** Follow its connection no longer: it has gone to another owner. */
  leave: (() => void) | undefined;
  /** Settles, and never rejects, when the connect or listen on the way has ended. */
  pending: Promise<void> | undefined;
  /** Ends the connect on the way. */
  stop: ((reason: unknown) => void) | undefined;
  /** Whether `close` was called: the descriptor is unknown from then on. */
  closed = false;
  /** Why its address can be used no longer. */
  lost: JackfieldError | undefined;

  /** A descriptor that has its address and no port yet. */
  constructor(descriptor: number, candidate: Candidate) {
    this.descriptor = descriptor;
    this.candidate = candidate;
    this.lost = candidate.lost;
    candidate.users.add(this);
  }

  /** Whether a connection stands. */
  get connected(): boolean {
    return this.socket !== undefined && this.socket.state !== "closed";
  }

  /** What it does already, in a word, so that nothing else can be begun. */
  get occupation(): string | undefined {
    if (this.listener !== undefined) return "listening";
    if (this.connected) return "connected";
    if (this.pending === undefined) return undefined;
    return this.stop === undefined ? "listening" : "connecting";
  }

  /** What the kernel uses, or will use; port 0 when that is not known yet. */
  get address(): SocketAddress {
    const port = (this.bound ?? (this.pending && this.used))?.port ?? 0;
    return this.socket?.localAddress ?? { hostname: this.candidate.hostname, port };
  }

  /** The lease is lost: nothing may be sent from the address any more. */
  lose(error: JackfieldError): void {
    this.lost = error;
    this.stop?.(error);
    this.socket?.abort(error);
    void this.listener?.close();
    for (const socket of this.accepted ?? []) socket.abort(error);
    this.letGo();
  }

  /** Give the bound port back. */
  letGo(): void {
    this.bound?.release();
    this.bound = undefined;
    this.candidate.users.delete(this);
  }
}
