import {
  createSocket,
  detachSocket,
  type ParkedConnection,
  type Socket,
  socketError,
  type SocketFacts,
} from "../transport/mod.ts";
import { refusedError } from "./handoff_errors.ts";
import { joinUnread } from "./unread.ts";

/** What is known of a connection that stands still, as far as it can travel. */
export type StillFacts = Pick<
  SocketFacts,
  "localAddress" | "remoteAddress" | "targetName" | "unread" | "ended"
>;

/** A connection that stands still, out of its socket; exactly one of its copies is to go on. */
export interface StillSocket {
  /** What the next socket is made with. */
  readonly facts: StillFacts;
  /** The connection. */
  readonly parked: ParkedConnection;
  /** Who is told of its end, as long as it goes on here. */
  readonly onEnd?: SocketFacts["onEnd"];
}

/** Options of {@linkcode standStill}. */
export interface StandStillOptions {
  /** What the owner read and did not use: the next one reads it first. */
  readonly unread?: Uint8Array;
  /** Why a connection cannot be moved; it is looked at before anything is changed. */
  readonly refusal: (connection: unknown) => string | undefined;
}

/**
 * Let the connection of a socket stand still, also while a read is pending, which rejects then. The
 * socket is `gone`.
 *
 * @throws {JackfieldError} `SOCKET_BUSY`, or `SOCKET_CLOSED`, or `HANDOFF_REFUSED`: the socket is
 * what it was then; `SOCKET_RESET` or `SOCKET_FAILED` when the connection has broken.
 */
export async function standStill(
  socket: Socket,
  { unread, refusal }: StandStillOptions,
): Promise<StillSocket> {
  const { driver, onEnd, ...facts } = detachSocket(socket, {
    whileReading: true,
    follow: true,
    check(driver) {
      const why = driver.park === undefined ? "it cannot leave" : refusal(driver.connection);
      if (why !== undefined) throw refusedError(why, socket.remoteAddress);
    },
  });
  const { localAddress, remoteAddress, targetName, ended } = facts;
  let parked: ParkedConnection;
  try {
    const stands = driver.park!();
    parked = stands instanceof Promise ? await stands : stands;
  } catch (cause) {
    driver.abort();
    onEnd?.("closed");
    throw socketError("hand over", remoteAddress, cause);
  }
  // What was read of a request comes before what came behind it.
  const all = joinUnread(unread, facts.unread, parked.unread);
  return {
    facts: { localAddress, remoteAddress, targetName, ended, unread: all },
    parked,
    onEnd,
  };
}

/**
 * Go on with a connection that stands still, here.
 *
 * @throws {JackfieldError} `SOCKET_RESET` or `SOCKET_FAILED` when it has broken meanwhile; it has been
 * given back then.
 */
export async function goOn({ facts, parked, onEnd }: StillSocket): Promise<Socket> {
  try {
    const resumed = parked.resume(facts.unread !== undefined);
    const driver = resumed instanceof Promise ? await resumed : resumed;
    return createSocket(driver, { ...facts, onEnd });
  } catch (cause) {
    parked.drop();
    onEnd?.("closed");
    throw socketError("resume", facts.remoteAddress, cause);
  }
}

/** It goes on at another owner: here nothing is left of it. */
export function letGo({ parked, onEnd }: StillSocket): void {
  parked.drop();
  onEnd?.("left");
}
