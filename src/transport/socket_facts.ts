import type { SocketAddress } from "./address.ts";
import type { Clock } from "./clock.ts";
import type { SocketDriver } from "./socket_driver.ts";

/** How a connection has ended: it was `closed`, or it `left` for where nobody tells of its end. */
export type ConnectionEnd = "closed" | "left";

/** What is known of a connection when its socket is made. */
export interface SocketFacts {
  /** The end of the connection on this host. */
  readonly localAddress: SocketAddress;
  /** The far end. */
  readonly remoteAddress: SocketAddress;
  /** The name that the far end was asked for by. */
  readonly targetName?: string;
  /** Bytes that were read already; they come before what the driver reads. */
  readonly unread?: Uint8Array;
  /** Which directions have ended already. */
  readonly ended?: { readonly read: boolean; readonly write: boolean };
  /**
   * Writes of the owner before, which are still on their way: the socket's own come after them. It
   * rejects when they fail, and then the socket's own do.
   */
  readonly writing?: Promise<void>;
  /** Limits what `close` waits for. @default {systemClock} */
  readonly clock?: Clock;
  /** Told, once, when the connection has ended, whichever sockets it has gone through by then. */
  readonly onEnd?: (how: ConnectionEnd) => void;
}

/** A connection without a socket around it: what a handoff moves. */
export interface DetachedSocket extends SocketFacts {
  /** The runtime's side of the connection. */
  readonly driver: SocketDriver;
}

/** Options of {@linkcode detachSocket}. */
export interface DetachOptions {
  /**
   * Take the connection out while writes are pending: they go on, and `writing` says when they have
   * ended. Without it they are a reason to refuse.
   *
   * @default {false}
   */
  readonly whileWriting?: boolean;
  /**
   * Take `onEnd` along: it is told by the socket that is made of these facts, or by the caller.
   * Without it `onEnd` is told that the connection has left.
   *
   * @default {false}
   */
  readonly follow?: boolean;
  /**
   * Take the connection out while a read is pending, where the driver can take it back: the read
   * rejects with `SOCKET_GONE`, and what comes goes to the next owner. Without it, or where it cannot
   * be, a read is a reason to refuse.
   *
   * @default {false}
   */
  readonly whileReading?: boolean;
  /** Looks at the connection before anything is changed; what it throws leaves the socket as it is. */
  readonly check?: (driver: SocketDriver) => void;
}

/** Stands in for the driver of a socket that is over, so that the real one can be let go. */
export const NO_DRIVER: SocketDriver = {
  read: () => null,
  write() {
    throw new Error("socket is over");
  },
  closeWrite: () => {},
  close: () => {},
  abort: () => {},
};
