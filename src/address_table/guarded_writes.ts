import type { Socket } from "../transport/mod.ts";
import type { Entry } from "./entry.ts";

/**
 * Look at the lease before each write to a socket of an entry.
 *
 * A timer ends what a lease has ended, but when a stopped process runs again its timers come in any
 * order, and bytes that have come are told before them: a program would answer from an address that
 * may be somebody else's by now. So the first one who writes finds that it is over, and every socket
 * of the address is aborted before he is refused. A socket without an end to its lease is left alone.
 */
export function guardWrites(socket: Socket, entry: Entry): void {
  const { tenure } = entry.candidate;
  if (tenure === undefined || tenure.endsAtMs === Infinity) return;
  // Its own methods, so that its streams and whoever pools it go through here too.
  const { write, writeSome } = socket;
  const guarded = (send: (bytes: Uint8Array) => Promise<number>) => (bytes: Uint8Array) => {
    tenure.check();
    return entry.lost === undefined ? send.call(socket, bytes) : Promise.reject(entry.lost);
  };
  socket.write = guarded(write);
  socket.writeSome = guarded(writeSome);
}
