import { type Listener, SocketPool, type SocketPoolOptions } from "../../src/core.ts";
import { type MemoryTransport, memoryTransport } from "../../src/testing/mod.ts";
import { echoServer } from "../transport/tools.ts";

/** A target that nobody has to reach. */
export const TARGET = { hostname: "127.0.0.1", port: 80 };

/** A pool over sockets in memory, and the echo server at their other end. */
export interface PoolOnEcho {
  readonly transport: MemoryTransport;
  readonly listener: Listener;
  readonly pool: SocketPool;
  /** Close everything; what is open afterwards has leaked. */
  end(): Promise<number>;
}

/** Make a pool on an echo server in memory. */
export async function poolOnEcho(options: Partial<SocketPoolOptions> = {}): Promise<PoolOnEcho> {
  const transport = memoryTransport();
  const listener = await transport.listen();
  const served = echoServer(listener);
  const pool = new SocketPool({ transport, target: listener.address, maxSize: 4, ...options });
  return {
    transport,
    listener,
    pool,
    async end() {
      await pool.close();
      await listener.close();
      await served;
      for (let turn = 0; turn < 100 && transport.openEnds > 0; turn++) await Promise.resolve();
      return transport.openEnds;
    },
  };
}

/** An abort signal that knows who listens. */
export function watchedSignal(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (count++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (count--, remove(...args));
  return { controller, listeners: () => count };
}
