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

/**
 * Make a {@linkcode Socket} of a connected socket of `node:net`, for instance of one that
 * `node:http` let go of. The socket must be open in both directions and have no listeners of its own.
 */
export function fromSocket(socket: NetSocket): Socket {
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
