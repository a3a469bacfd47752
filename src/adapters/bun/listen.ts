import {
  type AcceptGate,
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
  type Socket,
  type SocketAddress,
} from "../../transport/mod.ts";
import { bunListenerDescriptors, type ListenerDescriptors } from "../shared/accept_gates.ts";
import { isExact } from "../shared/exact_address.ts";
import { HANDSHAKE_TIMEOUT_MS, listenOverNet } from "../shared/net_transport.ts";
import { removeSocketFile } from "../shared/socket_file.ts";
import { systemNames } from "../shared/system_names.ts";
import { alpnList, BunDriver, bunHandlers } from "./driver.ts";
import {
  bunGlobal,
  type BunHandlers,
  type BunListener,
  type BunSocket,
  type BunSocketOptions,
} from "./runtime.ts";

/** See {@linkcode Transport.listen}. */
export async function listenInBun(
  capabilities: Capabilities,
  options: ListenOptions,
): Promise<Listener> {
  checkListenOptions("bun", capabilities, options);
  const { hostname = "127.0.0.1", port = 0, path, onError } = options;
  if (options.transferable || options.backlog !== undefined) return await listenOverNet(options);
  // To stop, a listener of Bun is closed; for a Unix socket that would remove its path.
  const stops = options.maxPending !== undefined && path === undefined;
  const descriptors = stops ? await bunListenerDescriptors() : undefined;
  const drivers = path === undefined
    ? await bindHostname(
      systemNames,
      hostname,
      port,
      (host, p) => bind(options, host, p, descriptors),
    )
    : [await bind(options, "", 0)] as const;
  return createListener(drivers, { onError });
}

function bind(
  options: ListenOptions,
  hostname: string,
  port: number,
  descriptors?: ListenerDescriptors,
): Promise<ListenerDriver> {
  try {
    return Promise.resolve(new BunListenerDriver(options, hostname, port, descriptors));
  } catch (cause) {
    const { path } = options;
    const wanted = path === undefined ? { hostname, port } : { hostname: "", port: 0, path };
    return Promise.reject(connectionError("listen", wanted, cause));
  }
}

/** Where to listen; a descriptor that listens already is an option that Bun does not document. */
type ListenPlace =
  | Pick<BunSocketOptions, "hostname" | "port" | "unix" | "reusePort">
  | { readonly fd: number };

class BunListenerDriver implements ListenerDriver {
  readonly address: SocketAddress;
  #options: ListenOptions;
  #listener: BunListener;
  #queue: AcceptQueue;
  /** TLS handshakes on the way, each with its time limit. */
  #handshakes = new Map<BunSocket, ReturnType<typeof setTimeout>>();
  #descriptors: ListenerDescriptors | undefined;
  /** While nothing is accepted: keeps what waits in the kernel. */
  #duplicate: number | undefined;
  #isReferenced = true;

  constructor(
    options: ListenOptions,
    hostname: string,
    port: number,
    descriptors: ListenerDescriptors | undefined,
  ) {
    const { path, reusePort } = options;
    this.#options = options;
    this.#descriptors = descriptors;
    this.#listener = this.#listen({
      hostname,
      port,
      ...(path === undefined ? {} : { unix: path }),
      ...(reusePort ? { reusePort } : {}),
    });
    this.address = path === undefined
      ? { hostname, port: this.#listener.port! }
      : { hostname: "", port: 0, path };
    const gate: AcceptGate | undefined = descriptors &&
      { stop: () => this.#keep(descriptors), start: () => this.#listenAgain() };
    this.#queue = new AcceptQueue(this.address, options.maxPending, { gate });
  }

  #listen(where: ListenPlace): BunListener {
    const { tls } = this.#options;
    const options: ListenPlace & Pick<BunSocketOptions, "allowHalfOpen" | "tls" | "socket"> = {
      ...where,
      allowHalfOpen: true,
      ...(tls === undefined ? {} : {
        tls: {
          cert: tls.cert,
          key: tls.key,
          ...(tls.alpnProtocols === undefined
            ? {}
            : { ALPNProtocols: alpnList(tls.alpnProtocols) }),
        },
      }),
      socket: tls === undefined ? this.#plain() : this.#secured(),
    };
    return bunGlobal().listen(options as BunSocketOptions);
  }

  /** Close the listener, within the call that brings a connection, and keep what waits behind it. */
  #keep(descriptors: ListenerDescriptors): void {
    const duplicate = descriptors.duplicate(this.#listener);
    if (duplicate < 0) return; // None is left: what comes is queued here.
    this.#duplicate = duplicate;
    this.#listener.stop(false);
  }

  #listenAgain(): void {
    if (this.#duplicate === undefined) return;
    this.#listener = this.#listen({ fd: this.#duplicate });
    this.#duplicate = undefined;
    if (!this.#isReferenced) this.#listener.unref();
  }

  accept(): Promise<Socket> {
    return this.#queue.take();
  }

  async close(): Promise<void> {
    if (this.#duplicate === undefined) this.#listener.stop(false);
    else this.#descriptors!.discard(this.#duplicate);
    this.#duplicate = undefined;
    this.#queue.close();
    for (const socket of this.#handshakes.keys()) socket.terminate();
    if (this.address.path !== undefined) await removeSocketFile(this.address.path);
  }

  ref(): void {
    this.#isReferenced = true;
    this.#listener.ref();
  }

  unref(): void {
    this.#isReferenced = false;
    this.#listener.unref();
  }

  #plain(): BunHandlers {
    return { ...bunHandlers, open: (socket) => this.#accepted(socket, new BunDriver(false)) };
  }

  #secured(): BunHandlers {
    return {
      ...bunHandlers,
      open: (socket) => {
        const driver = new BunDriver(true);
        driver.attach(socket);
        socket.data = driver;
        this.#queue.expect();
        this.#handshakes.set(
          socket,
          setTimeout(() => {
            this.#queue.fail(new Error(`no TLS handshake in ${HANDSHAKE_TIMEOUT_MS} ms`));
            socket.terminate();
          }, HANDSHAKE_TIMEOUT_MS),
        );
      },
      // With `success` an error only speaks of the client's certificate, which nobody asked for.
      handshake: (socket, success, error) => {
        if (!this.#endHandshake(socket)) return;
        if (success) return this.#accepted(socket, socket.data as BunDriver);
        this.#queue.fail(error ?? new Error("TLS handshake failed"));
        socket.terminate();
      },
      close: (socket, error) => {
        if (this.#endHandshake(socket)) {
          this.#queue.fail(error ?? new Error("connection closed during the TLS handshake"));
        }
        bunHandlers.close!(socket, error);
      },
    };
  }

  #endHandshake(socket: BunSocket): boolean {
    clearTimeout(this.#handshakes.get(socket));
    const was = this.#handshakes.delete(socket);
    if (was) this.#queue.ready();
    return was;
  }

  #accepted(socket: BunSocket, driver: BunDriver): void {
    driver.attach(socket);
    socket.data = driver;
    const { path, noDelay = true, keepAlive } = this.#options;
    if (path === undefined) {
      if (!noDelay) socket.setNoDelay(false); // Bun itself sets TCP_NODELAY on every socket.
      if (keepAlive) socket.setKeepAlive(true);
    }
    if (path === undefined && socket.remoteAddress === undefined) {
      this.#queue.fail(Object.assign(new Error("client is gone"), { code: "ECONNABORTED" }));
      socket.terminate();
      return;
    }
    const ends = path === undefined
      ? endsOf(socket, { localAddress: this.address })
      : { localAddress: this.address, remoteAddress: { hostname: "", port: 0, path: "" } };
    this.#queue.push(createSocket(driver, ends));
  }
}

/**
 * Both ends of a connection as the kernel has them. Bun asks it in each of its four getters: an end
 * that is known is taken as it is.
 */
export function endsOf(
  socket: BunSocket,
  known: { readonly localAddress?: SocketAddress; readonly remoteAddress?: SocketAddress },
): { localAddress: SocketAddress; remoteAddress: SocketAddress } {
  const { localAddress, remoteAddress } = known;
  if (remoteAddress?.path !== undefined) {
    return { localAddress: { hostname: "", port: 0, path: "" }, remoteAddress };
  }
  return {
    localAddress: localAddress !== undefined && isExact(localAddress.hostname)
      ? localAddress
      : { hostname: socket.localAddress, port: socket.localPort },
    remoteAddress: remoteAddress !== undefined && isExact(remoteAddress.hostname)
      ? { hostname: remoteAddress.hostname, port: remoteAddress.port }
      : { hostname: socket.remoteAddress, port: socket.remotePort },
  };
}
