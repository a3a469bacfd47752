import { createSocket, type Socket } from "../../transport/mod.ts";
import { BunDriver, bunHandlers } from "./driver.ts";
import { endsOf } from "./listen.ts";
import type { BunSocket } from "./runtime.ts";

/** The callbacks that a taken socket has no more. */
const NAMES = ["data", "drain", "end", "error", "close"] as const;

/** A callback of whatever types. */
type Callback = (socket: BunSocket, fact?: unknown) => unknown;

/** Sockets that are ours now. */
const taken = new WeakSet<object>();

/**
 * Make callbacks for `Bun.listen` or `Bun.connect` with which {@linkcode fromBunSocket} can take a
 * socket over later. Until then they do what they did before; the callbacks of a socket cannot be
 * replaced in Bun, only those of all sockets of its listener.
 *
 * The listener should have `allowHalfOpen: true`, or a client that ends its stream ends everything.
 */
export function takeable<Callbacks extends object>(callbacks: Callbacks): Callbacks {
  const own = callbacks as Readonly<Record<string, Callback | undefined>>;
  const all: Record<string, unknown> = { ...own };
  for (const name of NAMES) {
    const ours = bunHandlers[name] as Callback;
    all[name] = (socket: BunSocket, fact?: unknown) => {
      if (!taken.has(socket)) return own[name]?.(socket, fact);
      return ours(socket, fact instanceof ArrayBuffer ? new Uint8Array(fact) : fact);
    };
  }
  return all as Callbacks;
}

/**
 * Make a {@linkcode Socket} of one of `Bun.listen` or `Bun.connect` whose callbacks are
 * {@linkcode takeable}. They hear of it no more; `data` of the socket is ours. It can be handed to a
 * thread, and not to a process.
 */
export function fromBunSocket(bunSocket: object): Socket {
  const socket = bunSocket as BunSocket;
  const driver = new BunDriver(false);
  driver.attach(socket);
  socket.data = driver;
  taken.add(socket);
  return createSocket(driver, endsOf(socket, {}));
}
