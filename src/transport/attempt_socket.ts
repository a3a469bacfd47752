import type { SocketAddress } from "./address.ts";
import { attempt, DEFAULT_CONNECT_TIMEOUT_MS } from "./attempt.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Socket } from "./socket.ts";
import type { Stop } from "./stop.ts";
import type { ConnectOptions } from "./transport.ts";

/**
 * Open a socket for as long as the caller waits for it: what every adapter's `connect` has in
 * common. A socket that stands too late is aborted.
 */
export function attemptSocket(
  address: SocketAddress,
  options: ConnectOptions,
  start: (stop: Stop) => Promise<Socket>,
  clock: Clock = systemClock,
): Promise<Socket> {
  const { signal, timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, onReleased: released } = options;
  const undo = (socket: Socket) => socket.abort();
  return attempt({ clock, address, signal, timeoutMs, released, undo, start });
}
