// The sockets that every contender lends: the library's own, over a driver without a connection, so
// that making, lending and closing one costs nothing but the pool's work.
import { createSocket, type Socket, type SocketDriver, type Transport } from "../../src/core.ts";
import { memoryTransport } from "../../src/adapters/memory/mod.ts";
import { systemTransport } from "../../src/system_transport.ts";

/** Where the sockets seem to lead to. */
export const TARGET: { hostname: string; port: number } = { hostname: "127.0.0.1", port: 80 };

class IdleDriver implements SocketDriver {
  read(): Promise<never> {
    return new Promise(() => {});
  }

  write(bytes: Uint8Array): number {
    return bytes.byteLength;
  }

  closeWrite(): void {}

  close(): void {}

  abort(): void {}
}

const { host } = systemTransport();
let made = 0;

/** A socket without a connection. */
export function newSocket(): Socket {
  const port = made++ % 65_535 + 1;
  const localAddress = { hostname: "127.0.0.1", port };
  return createSocket(new IdleDriver(), { localAddress, remoteAddress: TARGET });
}

/** A transport whose `connect` gives them. */
export function idleTransport(connect: () => Promise<Socket>): Transport {
  return {
    name: "idle",
    capabilities: memoryTransport().capabilities,
    host, // As it is in use: the pool follows tasks by the host's async context.
    connect,
    listen: () => Promise.reject(new Error("nobody listens")),
  };
}
