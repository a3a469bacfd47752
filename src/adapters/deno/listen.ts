import {
  AcceptQueue,
  bindHostname,
  type Capabilities,
  checkListenOptions,
  connectionError,
  createListener,
  createSocket,
  type Listener,
  type ListenerDriver,
  type ListenOptions,
  osCodeOf,
  type Socket,
  type SocketAddress,
  unsupported,
} from "../../transport/mod.ts";
import { HANDSHAKE_TIMEOUT_MS, listenOverNet } from "../shared/net_transport.ts";
import { removeSocketFile } from "../shared/socket_file.ts";
import { systemNames } from "../shared/system_names.ts";
import { addressOf, DenoDriver, endsOf } from "./driver.ts";
import { setListenerNoDelay } from "./listener_no_delay.ts";
import { needNet, needPath } from "./permissions.ts";
import {
  type DenoConn,
  denoGlobal,
  type DenoListener,
  type DenoTcpConn,
  type DenoTlsConn,
} from "./runtime.ts";

/** See {@linkcode Transport.listen}. */
export async function listenInDeno(
  capabilities: Capabilities,
  options: ListenOptions,
): Promise<Listener> {
  checkListenOptions("deno", capabilities, options);
  const { hostname = "127.0.0.1", port = 0, path, onError } = options;
  if (path === undefined) needNet("listen", hostname, port);
  else needPath("listen", path);
  // Deno.listen wants --unstable-net for `reusePort` and has no `backlog` for Unix sockets.
  const overNet = options.transferable || options.reusePort ||
    (path !== undefined && options.backlog !== undefined);
  if (overNet && options.tls !== undefined) {
    throw unsupported("tls with reusePort", "Deno cannot secure such a listener reliably");
  }
  if (path !== undefined && options.tls !== undefined) {
    throw unsupported("tls over a Unix socket", "Deno cannot listen so");
  }
  if (overNet) {
    return await listenOverNet(options, (host, p) => needNet("listen", host, p));
  }
  const drivers = path === undefined
    ? await bindHostname(systemNames, hostname, port, (host, p) => {
      needNet("listen", host, p);
      return bindTcp(options, host, p);
    })
    : [bindUnix(path)] as const;
  return createListener(drivers, { onError });
}

function bindTcp(options: ListenOptions, hostname: string, port: number): Promise<ListenerDriver> {
  const { backlog, noDelay = true, keepAlive, tls, maxPending } = options;
  const where = { hostname, port, ...(backlog === undefined ? {} : { tcpBacklog: backlog }) };
  try {
    if (tls !== undefined) {
      const { cert, key, alpnProtocols } = tls;
      const listener = denoGlobal().listenTls({
        ...where,
        cert,
        key,
        ...(alpnProtocols === undefined ? {} : { alpnProtocols: [...alpnProtocols] }),
      });
      const driver = new DenoTlsListenerDriver(listener, maxPending);
      if (noDelay && !setListenerNoDelay(driver.address) && options.noDelay === true) {
        driver.close();
        return Promise.reject(
          unsupported("noDelay on a TLS listener", "its descriptor is not found"),
        );
      }
      return Promise.resolve(driver);
    }
    const listener = denoGlobal().listen(where);
    return Promise.resolve(
      new DenoListenerDriver<DenoTcpConn>(listener, (conn) => {
        conn.setNoDelay(noDelay);
        if (keepAlive) conn.setKeepAlive(true);
      }),
    );
  } catch (cause) {
    // Deno has no name for a certificate that cannot be read.
    const reason = tls !== undefined && osCodeOf(cause) === undefined ? "tls" : undefined;
    return Promise.reject(connectionError("listen", { hostname, port }, cause, { reason }));
  }
}

function bindUnix(path: string): ListenerDriver {
  try {
    const listener = denoGlobal().listen({ transport: "unix", path });
    return new DenoListenerDriver(listener, () => {}, path);
  } catch (cause) {
    throw connectionError("listen", { hostname: "", port: 0, path }, cause);
  }
}

class DenoListenerDriver<C extends DenoConn> implements ListenerDriver {
  readonly address: SocketAddress;
  #listener: DenoListener<C>;
  #prepare: (conn: C) => void;
  #path: string | undefined;

  constructor(listener: DenoListener<C>, prepare: (conn: C) => void, path?: string) {
    this.#listener = listener;
    this.#prepare = prepare;
    this.#path = path;
    this.address = path === undefined ? addressOf(listener.addr) : { hostname: "", port: 0, path };
  }

  async accept(): Promise<Socket> {
    const conn = await this.#listener.accept();
    try {
      this.#prepare(conn);
      return createSocket(new DenoDriver(conn), endsOf(conn));
    } catch (error) {
      new DenoDriver(conn).abort();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#listener.close();
    if (this.#path !== undefined) await removeSocketFile(this.#path);
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }
}

/** How many clients may be in their TLS handshake at once; further ones wait in the backlog. */
const MAX_HANDSHAKES = 256;

/** Gives out connections whose handshake is done, so that a slow client holds up nobody. */
class DenoTlsListenerDriver implements ListenerDriver {
  readonly address: SocketAddress;
  #listener: DenoListener<DenoTlsConn>;
  #queue: AcceptQueue;
  #handshakes = new Map<DenoTlsConn, ReturnType<typeof setTimeout>>();
  #accepting = false;
  #waiting = 0;
  #maxHandshakes: number;

  constructor(listener: DenoListener<DenoTlsConn>, maxPending = MAX_HANDSHAKES) {
    this.#listener = listener;
    this.#maxHandshakes = Math.min(maxPending, MAX_HANDSHAKES);
    this.address = addressOf(listener.addr);
    this.#queue = new AcceptQueue(this.address);
  }

  async accept(): Promise<Socket> {
    this.#waiting++;
    void this.#fill();
    try {
      return await this.#queue.take();
    } finally {
      this.#waiting--;
    }
  }

  close(): void {
    this.#listener.close();
    this.#queue.close();
    for (const conn of this.#handshakes.keys()) new DenoDriver(conn).abort();
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }

  /** Accept as long as somebody waits and there is room for another handshake. */
  async #fill(): Promise<void> {
    if (this.#accepting) return;
    this.#accepting = true;
    try {
      while (this.#waiting > 0 && this.#handshakes.size < this.#maxHandshakes) {
        void this.#handshake(await this.#listener.accept());
      }
    } catch (error) {
      this.#queue.fail(error);
    } finally {
      this.#accepting = false;
    }
  }

  async #handshake(conn: DenoTlsConn): Promise<void> {
    const driver = new DenoDriver(conn);
    this.#handshakes.set(conn, setTimeout(() => driver.abort(), HANDSHAKE_TIMEOUT_MS));
    try {
      const { alpnProtocol } = await conn.handshake();
      const ends = endsOf(conn);
      this.#queue.push(createSocket(new DenoDriver(conn, alpnProtocol ?? undefined), ends));
    } catch (error) {
      driver.abort();
      this.#queue.fail(error);
    } finally {
      clearTimeout(this.#handshakes.get(conn));
      this.#handshakes.delete(conn);
      void this.#fill();
    }
  }
}
