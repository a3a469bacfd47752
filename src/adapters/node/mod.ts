/**
 * Sockets of Node, over `node:net` and `node:tls`. The same transport also works in Deno, without
 * TLS (Deno 2.9.6 loses the end of a stream that arrives while reading is paused), and in Bun.
 *
 * @example
 * ```ts
 * import { nodeTransport } from "@jackfield/jackfield/node";
 *
 * const transport = nodeTransport();
 * if (!transport.capabilities.listen) throw new Error("unexpected");
 * ```
 *
 * @module
 */
import type { Socket as NetSocket } from "node:net";
import { createSocket, type Socket, type Transport } from "../../transport/mod.ts";
import { NetDriver } from "../shared/net_driver.ts";
import { endsOf, netTransport } from "../shared/net_transport.ts";
import { systemHost } from "../shared/system_host.ts";

/** The transport over `node:net`. */
export function nodeTransport(): Transport {
  return transport;
}

/** What a socket of `node:net` has; named here so that no consumer needs Node's type library. */
export interface NodeSocket {
  /** This end. */
  readonly localAddress?: string;
  /** This end. */
  readonly localPort?: number;
  /** The far end. */
  readonly remoteAddress?: string;
  /** The far end. */
  readonly remotePort?: number;
  /** Whether it is over. */
  readonly destroyed: boolean;
  /** Read on. */
  resume(): unknown;
  /** Send the end of the stream. */
  end(): unknown;
  /** Close at once. */
  destroy(): unknown;
}

/**
 * Make a {@linkcode Socket} of a connected socket of `node:net`, for instance of one that
 * `node:http` let go of. The socket must be open in both directions and have no listeners of its own.
 */
export function fromSocket(netSocket: NodeSocket): Socket {
  const socket = netSocket as unknown as NetSocket;
  return createSocket(new NetDriver(socket), endsOf(socket));
}

const inDeno = "Deno" in globalThis;

const transport: Transport = netTransport({
  name: "node",
  host: systemHost,
  capabilities: {
    listen: true,
    unix: true,
    tls: !inDeno,
    tlsListen: !inDeno,
    startTls: !inDeno,
    localAddress: true,
    noDelay: true,
    tlsListenNoDelay: !inDeno,
    keepAlive: true,
    reusePort: true,
    backlog: true,
    reset: true,
    cancelConnect: true,
    transferable: true,
  },
});
