import { Lease, type Socket } from "../transport/mod.ts";

/** A socket on loan from a pool. */
export class SocketLease extends Lease<Socket> {
  /** The socket, until the lease is over. */
  get socket(): Socket {
    return this.value;
  }
}
