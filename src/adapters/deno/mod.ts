/**
 * Sockets of Deno, over `Deno.connect` and `Deno.listen`.
 *
 * `node:net` takes their place where Deno's own calls have no such option: for a local address, for
 * `reusePort`, and for a socket that is to be handed to a process later. `node:tls` does not take
 * part: in Deno 2.9.6 it loses the end of a stream that arrives while reading is paused.
 *
 * So TLS from a local address is `UNSUPPORTED`. For `noDelay` on a TLS listener Deno has no call: it
 * is set where the native part is loaded (`sendfileEngine()` or `openDescriptors()` of `./native`),
 * and elsewhere the system's default holds and an explicit `noDelay: true` is `UNSUPPORTED`.
 *
 * @example
 * ```ts
 * import { denoTransport } from "@jackfield/jackfield/deno";
 *
 * const transport = denoTransport();
 * if (transport.name !== "deno") throw new Error("unexpected");
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
  type Socket,
  type Target,
  tlsOfTarget,
  type Transport,
  unsupported,
} from "../../transport/mod.ts";
import { connectOverNet } from "../shared/net_transport.ts";
import { hostWith } from "../shared/system_host.ts";
import { DenoDriver, endsOf } from "./driver.ts";
import { denoFiles } from "./files.ts";
import { listenInDeno } from "./listen.ts";
import { canSetListenerNoDelay } from "./listener_no_delay.ts";
import { needLocal, needNet, needPath } from "./permissions.ts";
import { type DenoConn, denoGlobal, type DenoTcpConn } from "./runtime.ts";

export { type DenoAddr, type DenoConn, isDeno } from "./runtime.ts";

/** The transport over Deno's own sockets. */
export function denoTransport(): Transport {
  return transport;
}

/** Make a {@linkcode Socket} of a `Deno.Conn` that nobody else uses any more. */
export function fromConn(conn: DenoConn): Socket {
  return createSocket(new DenoDriver(conn), endsOf(conn));
}

const capabilities: Capabilities = {
  listen: true,
  unix: true,
  tls: true,
  tlsListen: true,
  startTls: true,
  localAddress: true,
  noDelay: true,
  get tlsListenNoDelay() {
    return canSetListenerNoDelay();
  },
  keepAlive: true,
  reusePort: true,
  backlog: true,
  reset: false,
  cancelConnect: true,
  transferable: true,
};

const transport: Transport = {
  name: "deno",
  capabilities,
  host: hostWith(denoFiles),
  async connect(target, options = {}) {
    checkConnectOptions("deno", capabilities, target, options);
    const overNet = options.localAddress !== undefined || options.transferable === true;
    try {
      checkInDeno(target, overNet);
      if (options.localAddress !== undefined) {
        needLocal(options.localAddress, options.localPort ?? 0);
      }
    } catch (error) {
      options.onReleased?.();
      throw error;
    }
    return await (overNet
      ? connectOverNet(target, options, (hostname, port) => needNet("connect", hostname, port))
      : connect(target, options));
  },
  listen: (options = {}) => listenInDeno(capabilities, options),
};

/** Refuse what Deno cannot do, and what it would have to ask the user for. */
function checkInDeno(target: Target, overNet: boolean): void {
  const { hostname, port, path } = addressOfTarget(target);
  if (tlsOfTarget(target) !== undefined && (overNet || path !== undefined)) {
    const feature = overNet ? "tls with localAddress" : "tls over a Unix socket";
    throw unsupported(feature, "Deno cannot secure such a connection reliably");
  }
  if (path === undefined) needNet("connect", hostname, port);
  else needPath("connect", path);
}

function connect(target: Target, options: ConnectOptions): Promise<Socket> {
  const { noDelay = true, keepAlive } = options;
  const address = addressOfTarget(target);
  const tls = tlsOfTarget(target);
  return attemptSocket(address, options, async (stop) => {
    let conn: DenoConn;
    try {
      conn = address.path === undefined
        ? await denoGlobal().connect({ ...address, signal: stop.signal })
        : await denoGlobal().connect({ transport: "unix", path: address.path });
    } catch (cause) {
      throw connectionError("connect", address, cause);
    }
    const plain = new DenoDriver(conn);
    stop.onStop(() => plain.abort());
    try {
      if (address.path === undefined) {
        (conn as DenoTcpConn).setNoDelay(noDelay);
        if (keepAlive) (conn as DenoTcpConn).setKeepAlive(true);
      }
      const facts = { ...endsOf(conn), targetName: address.hostname };
      return createSocket(tls === undefined ? plain : await plain.startTls(tls), facts);
    } catch (cause) {
      plain.abort();
      throw connectionError("connect", address, cause, { reason: "tls" });
    } finally {
      stop.onStop(undefined);
    }
  });
}
