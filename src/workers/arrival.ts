import type { Socket } from "../transport/mod.ts";

/**
 * Wait until a socket has something to read, or is over: `true`; `false` when the signal is aborted
 * before. Nothing is read, so that the socket can be handed off afterwards.
 */
export function arrival(socket: Socket, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  const isAlive = socket.state === "open" || socket.state === "half-closed";
  if (!isAlive || socket.hasUnread) return Promise.resolve(true);
  return new Promise((resolve) => {
    const stop = () => {
      socket.watch(undefined);
      resolve(false);
    };
    socket.watch(() => {
      signal.removeEventListener("abort", stop);
      resolve(true);
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}
