import { createSocket, detachSocket, type Socket } from "../transport/mod.ts";
import { joinUnread } from "./unread.ts";

/**
 * Move a live connection to a new owner in the same thread.
 *
 * The peer sees one connection throughout. The socket that is given is `gone` from that moment:
 * every use of it rejects with `SOCKET_GONE`. `unread` are bytes that the old owner read and did not
 * use; the new one reads them first.
 *
 * @throws {JackfieldError} `SOCKET_BUSY` while a read or write is pending, `SOCKET_CLOSED`,
 * `SOCKET_GONE`, or `UNSUPPORTED` for a socket that no transport of this package made.
 */
export function handOff(socket: Socket, unread?: Uint8Array): Socket {
  const { driver, ...facts } = detachSocket(socket, { follow: true });
  return createSocket(driver, { ...facts, unread: joinUnread(unread, facts.unread) });
}
