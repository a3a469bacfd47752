/**
 * Sockets of Cloudflare Workers and of workerd, over `cloudflare:sockets`: they connect, and no
 * more. A connection belongs to the request in which it was opened, and ends with it.
 *
 * A failed connect has the reason `other`, for Workers do not say more. They do not say either from
 * which address they connected: `localAddress` is empty; and `remoteAddress` has the name that was
 * asked for. Small writes are sent at once, without a choice.
 *
 * TLS trusts the authorities of the Worker's own configuration: `caCerts` is `UNSUPPORTED`, and so
 * is `alpnProtocols`.
 *
 * @example
 * ```ts ignore
 * import { workerdTransport } from "@jackfield/jackfield/workerd";
 *
 * const socket = await workerdTransport().connect({ hostname: "example.org", port: 7 });
 * await socket.write(new TextEncoder().encode("hello"));
 * await socket.close();
 * ```
 *
 * @module
 */
import { connect as connectWorkerd } from "cloudflare:sockets";
import {
  addressOfTarget,
  attemptSocket,
  type Capabilities,
  checkConnectOptions,
  connectionError,
  type ConnectOptions,
  createSocket,
  type Socket,
  type SocketDriver,
  type Target,
  tlsOfTarget,
  type Transport,
  unsupported,
} from "../../transport/mod.ts";
import { checkTlsOptions, endsOf, hostnameForWorkerd, WorkerdDriver } from "./driver.ts";
import type { WorkerdConnect } from "./runtime.ts";

/** The transport over the sockets of Workers. */
export function workerdTransport(): Transport {
  return transport;
}

const capabilities: Capabilities = {
  listen: false,
  unix: false,
  tls: true,
  tlsListen: false,
  startTls: true,
  localAddress: false,
  noDelay: false,
  tlsListenNoDelay: false,
  keepAlive: false,
  reusePort: false,
  backlog: false,
  reset: false,
  cancelConnect: false,
  transferable: false,
};

const transport: Transport = {
  name: "workerd",
  capabilities,
  host: {},
  async connect(target, options = {}) {
    checkConnectOptions("workerd", capabilities, target, options);
    checkTlsOptions(tlsOfTarget(target) ?? {});
    return await connect(target, options);
  },
  // deno-lint-ignore require-await -- a promise that rejects, like in every other transport
  async listen() {
    throw unsupported("listen", "the workerd transport cannot do it");
  },
};

async function connect(target: Target, options: ConnectOptions): Promise<Socket> {
  const address = addressOfTarget(target);
  const tls = tlsOfTarget(target);
  return await attemptSocket(address, options, async (stop) => {
    let plain: SocketDriver;
    let facts: ReturnType<typeof endsOf> & { targetName: string };
    try {
      // `starttls` for all, so that a failed handshake is not taken for a failed connect.
      const socket = (connectWorkerd as WorkerdConnect)(
        { hostname: hostnameForWorkerd(address.hostname), port: address.port },
        { allowHalfOpen: true, secureTransport: "starttls" },
      );
      socket.closed.catch(() => {});
      facts = { ...endsOf(await socket.opened, address), targetName: address.hostname };
      plain = new WorkerdDriver(socket, address.hostname);
    } catch (cause) {
      throw connectionError("connect", address, cause);
    }
    if (tls === undefined) return createSocket(plain, facts);
    const giveUp = () => plain.abort();
    stop.onStop(giveUp);
    try {
      return createSocket(await plain.startTls!(tls), facts);
    } catch (cause) {
      plain.abort();
      throw connectionError("connect", address, cause, { reason: "tls" });
    } finally {
      stop.onStop(undefined);
    }
  });
}
