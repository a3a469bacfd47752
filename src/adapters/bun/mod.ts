/**
 * Sockets of Bun, over `Bun.connect` and `Bun.listen`.
 *
 * `node:net` takes their place for a socket that is to be handed to a process later, and for a
 * `backlog`.
 *
 * @example
 * ```ts
 * import { bunTransport } from "@jackfield/jackfield/bun";
 *
 * const transport = bunTransport();
 * if (transport.name !== "bun") throw new Error("unexpected");
 * ```
 *
 * @module
 */
import {
  addressOfTarget,
  attemptSocket,
  type Capabilities,
  checkConnectOptions,
  connectionError,
  type ConnectOptions,
  createSocket,
  isHostName,
  type Socket,
  type SocketAddress,
  type Stop,
  type Target,
  tlsOfTarget,
  type Transport,
} from "../../transport/mod.ts";
import { assertLocalAddress, connectOverNet, nameInFamilyOf } from "../shared/net_transport.ts";
import { systemHost } from "../shared/system_host.ts";
import { BunDriver, bunHandlers, tlsForBun } from "./driver.ts";
import { endsOf, listenInBun } from "./listen.ts";
import { lacksRoute } from "./route_probe.ts";
import { bunGlobal, type BunHandlers, type BunSocket, type BunSocketOptions } from "./runtime.ts";

export { fromBunSocket, takeable } from "./callback_socket.ts";
export { isBun } from "./runtime.ts";

/** The transport over Bun's own sockets. */
export function bunTransport(): Transport {
  return transport;
}

const capabilities: Capabilities = {
  listen: true,
  unix: true,
  tls: true,
  tlsListen: true,
  startTls: true,
  localAddress: true,
  noDelay: true,
  tlsListenNoDelay: true,
  keepAlive: true,
  reusePort: true,
  backlog: true,
  reset: true,
  cancelConnect: false,
  transferable: true,
};

const transport: Transport = {
  name: "bun",
  capabilities,
  host: systemHost,
  async connect(target, options = {}) {
    checkConnectOptions("bun", capabilities, target, options);
    return await (options.transferable ? connectOverNet : connect)(target, options);
  },
  listen: (options = {}) => listenInBun(capabilities, options),
};

function connect(target: Target, options: ConnectOptions): Promise<Socket> {
  const { localAddress } = options;
  const address = addressOfTarget(target);
  return attemptSocket(address, options, async (stop) => {
    let { hostname } = address;
    if (localAddress !== undefined && isHostName(hostname)) {
      // With a name Bun may drop the local address silently.
      hostname = await nameInFamilyOf(localAddress, hostname);
      stop.throwIfStopped();
    }
    return await open(target, { ...address, hostname }, options, stop);
  });
}

async function open(
  target: Target,
  address: SocketAddress,
  options: ConnectOptions,
  stop: Stop,
): Promise<Socket> {
  const { noDelay = true, keepAlive = false, localAddress, localPort } = options;
  const tls = tlsOfTarget(target);
  const driver = new BunDriver(tls !== undefined);
  const handshake = tls === undefined ? undefined : newHandshake();
  const where: Partial<BunSocketOptions> = address.path === undefined
    ? { localAddress, localPort }
    : { unix: address.path };
  let socket: BunSocket;
  try {
    socket = await bunGlobal().connect({
      hostname: address.hostname,
      port: address.port,
      ...where,
      allowHalfOpen: true,
      data: driver,
      ...(tls === undefined ? {} : { tls: tlsForBun(tls) }),
      socket: handshake === undefined ? clientHandlers : handshake.handlers,
    });
  } catch (cause) {
    const error = connectionError("connect", address, cause, { localAddress });
    if (error.reason !== "refused" || !await lacksRoute(address, localAddress)) throw error;
    throw connectionError("connect", address, cause, { localAddress, reason: "unreachable" });
  }
  driver.attach(socket);
  stop.onStop(() => driver.abort());
  try {
    if (address.path === undefined) {
      if (!noDelay) socket.setNoDelay(false); // Bun itself sets TCP_NODELAY on every socket.
      if (keepAlive) socket.setKeepAlive(true);
    }
    const ends = endsOf(socket, { remoteAddress: address });
    assertLocalAddress(address, ends.localAddress, options);
    await handshake?.promise;
    return createSocket(driver, {
      ...ends,
      targetName: addressOfTarget(target).hostname,
    });
  } catch (cause) {
    driver.abort();
    throw connectionError("connect", address, cause, { reason: "tls" });
  } finally {
    stop.onStop(undefined);
  }
}

/** The callbacks of a connecting socket. */
const clientHandlers: BunHandlers = {
  ...bunHandlers,
  open: (socket) => (socket.data as BunDriver).attach(socket),
  connectError: () => {}, // The promise of `Bun.connect` says it, too.
};

/** The callbacks of a socket that is to be secured, and the end of its handshake. */
function newHandshake(): { handlers: BunHandlers; promise: Promise<void> } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {}); // A failed connect is reported by the other promise.
  const handlers: BunHandlers = {
    ...clientHandlers,
    handshake: (_socket, success, error) => {
      if (success && error === null) resolve();
      else reject(error ?? new Error("TLS handshake failed"));
    },
    close: (socket, error) => {
      reject(error ?? new Error("connection closed during the TLS handshake"));
      bunHandlers.close!(socket, error);
    },
  };
  return { handlers, promise };
}
