import {
  connect as connectNet,
  createServer,
  type Server,
  type Socket as NetSocket,
} from "node:net";
import { createServer as createTlsServer } from "node:tls";
import {
  type AcceptGate,
  AcceptQueue,
  addressOfTarget,
  attemptSocket,
  bindHostname,
  type Capabilities,
  checkConnectOptions,
  checkListenOptions,
  connectionError,
  type ConnectOptions,
  createListener,
  createSocket,
  formatAddress,
  type Host,
  isHostName,
  type Listener,
  type ListenerCopy,
  type ListenerDriver,
  type ListenOptions,
  sameIp,
  type Socket,
  type SocketAddress,
  type Stop,
  type Target,
  tlsOfTarget,
  type Transport,
} from "../../transport/mod.ts";
import {
  bunListenerDescriptors,
  gateOfHandle,
  type ListenerDescriptors,
  stoppableHandle,
} from "./accept_gates.ts";
import { isExact } from "./exact_address.ts";
import { NetDriver, secure } from "./net_driver.ts";
import { systemNames } from "./system_names.ts";

/** How long a client may take for its TLS handshake, in milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 30_000;

/** Options of {@linkcode netTransport}. */
export interface NetTransportOptions {
  /** Stands in `Transport.name` and in errors. */
  readonly name: string;
  /** What `node:net` can do in this runtime. */
  readonly capabilities: Capabilities;
  /** What the runtime offers besides. */
  readonly host: Host;
}

/** A transport over `node:net`, which Deno, Bun and Node all have. */
export function netTransport({ name, capabilities, host }: NetTransportOptions): Transport {
  return {
    name,
    capabilities,
    host,
    async connect(target, options = {}) {
      checkConnectOptions(name, capabilities, target, options);
      return await connectOverNet(target, options);
    },
    async listen(options = {}) {
      checkListenOptions(name, capabilities, options);
      return await listenOverNet(options);
    },
  };
}

/** Throws when the runtime would have to ask the user for a permission to use an address. */
export type Allow = (hostname: string, port: number) => void;

/** Open a connection with `node:net`; the options have been checked. */
export function connectOverNet(
  target: Target,
  options: ConnectOptions,
  allow?: Allow,
): Promise<Socket> {
  const { localAddress } = options;
  const address = addressOfTarget(target);
  const tls = tlsOfTarget(target);
  return attemptSocket(address, options, async (stop) => {
    let hostname = address.hostname;
    if (localAddress !== undefined && isHostName(hostname)) {
      hostname = await nameInFamilyOf(localAddress, hostname);
      allow?.(hostname, address.port);
      stop.throwIfStopped();
    }
    const socket = await openNet({ ...address, hostname }, options, stop);
    const facts = { ...endsOf(socket, { remoteAddress: address }), targetName: address.hostname };
    try {
      assertLocalAddress(address, facts.localAddress, options);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    if (tls === undefined) return createSocket(new NetDriver(socket), facts);
    stop.onStop(() => socket.destroy());
    try {
      return createSocket(new NetDriver(await secure(socket, tls)), facts);
    } catch (cause) {
      socket.destroy();
      throw connectionError("connect", address, cause, { reason: "tls" });
    } finally {
      stop.onStop(undefined);
    }
  });
}

function openNet(
  address: SocketAddress,
  options: ConnectOptions,
  stop: Stop,
): Promise<NetSocket> {
  const { noDelay = true, keepAlive = false, localAddress, localPort } = options;
  return new Promise((resolve, reject) => {
    const socket = connectNet({
      ...(address.path === undefined
        ? {
          host: address.hostname,
          port: address.port,
          noDelay,
          keepAlive,
          localAddress,
          localPort,
        }
        : { path: address.path }),
      allowHalfOpen: true,
    });
    const fail = (cause?: Error) => {
      stop.onStop(undefined);
      socket.destroy();
      reject(
        connectionError("connect", address, firstOf(cause) ?? new Error("closed"), {
          localAddress,
        }),
      );
    };
    const closed = () => fail();
    socket.once("error", fail);
    socket.once("close", closed);
    socket.once("connect", () => {
      stop.onStop(undefined);
      socket.off("error", fail);
      socket.off("close", closed);
      socket.pause(); // Nothing is lost before a driver listens.
      resolve(socket);
    });
    stop.onStop(() => socket.destroy());
  });
}

/** Several addresses were tried: the first failure says most. */
function firstOf(error: Error | undefined): unknown {
  const errors = (error as Partial<AggregateError> | undefined)?.errors;
  return errors?.[0] ?? error;
}

/**
 * Refuse a connection that does not come from the address and port that were asked for.
 *
 * @throws {JackfieldError} `CONNECT_FAILED` with reason `local-address-ignored`.
 */
export function assertLocalAddress(
  address: SocketAddress,
  used: SocketAddress,
  { localAddress, localPort = 0 }: ConnectOptions,
): void {
  if (localAddress === undefined) return;
  if (sameIp(used.hostname, localAddress) && (localPort === 0 || used.port === localPort)) return;
  const cause = new Error(`the runtime used ${formatAddress(used)}, not port ${localPort}`);
  const reason = "local-address-ignored";
  throw connectionError("connect", address, cause, { localAddress, reason });
}

/** The first address of a name in the family of the address to connect from. */
export async function nameInFamilyOf(localAddress: string, hostname: string): Promise<string> {
  const family = localAddress.includes(":") ? 6 : 4;
  const found = await systemNames.lookup(hostname);
  const match = found.find((address) => address.family === family);
  if (match !== undefined) return match.hostname;
  const cause = new Error(`${hostname} has no IPv${family} address`);
  throw connectionError("connect", { hostname, port: 0 }, cause, { localAddress, reason: "name" });
}

/** Listen with `node:net`; the options have been checked. */
export async function listenOverNet(options: ListenOptions, allow?: Allow): Promise<Listener> {
  const { hostname = "127.0.0.1", port = 0, path, onError, maxPending } = options;
  const descriptors = inBun && maxPending !== undefined
    ? await bunListenerDescriptors()
    : undefined;
  const drivers = path === undefined
    ? await bindHostname(systemNames, hostname, port, (host, p) => {
      allow?.(host, p);
      return bindNet(options, host, p, descriptors);
    })
    : [await bindNet(options, "", 0)] as const;
  return createListener(drivers, { onError });
}

const inDeno = "Deno" in globalThis;
const inBun = "Bun" in globalThis;

function bindNet(
  options: ListenOptions,
  hostname: string,
  port: number,
  descriptors?: ListenerDescriptors,
): Promise<ListenerDriver> {
  const { path, reusePort, noDelay = true, keepAlive = false, tls, maxPending } = options;
  // Deno accepts in one turn of its loop all that waits in the kernel.
  const { backlog = inDeno ? maxPending : undefined } = options;
  const wanted: SocketAddress = path === undefined
    ? { hostname, port }
    : { hostname: "", port: 0, path };
  // A client that leaves during its TLS handshake must not stay half-open: see `#accepted`.
  const clear = tls === undefined;
  const common = { allowHalfOpen: clear, pauseOnConnect: clear, noDelay, keepAlive };
  const make = () =>
    tls === undefined ? createServer(common) : createTlsServer({
      ...common,
      cert: tls.cert,
      key: tls.key,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ...(tls.alpnProtocols === undefined ? {} : { ALPNProtocols: [...tls.alpnProtocols] }),
    });
  let server: Server;
  try {
    server = make();
  } catch (cause) { // The certificate or its key cannot be used.
    return Promise.reject(connectionError("listen", wanted, cause, { reason: "tls" }));
  }
  const stops = maxPending !== undefined && path === undefined;
  const handle = stops && !reusePort ? stoppableHandle(hostname, port) : undefined;
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error) => reject(connectionError("listen", wanted, cause));
    server.once("error", refuse);
    const listening = () => {
      server.off("error", refuse);
      resolve(new NetListenerDriver(server, options, stops ? { make, descriptors } : {}));
    };
    if (handle !== undefined) return void server.listen(handle, backlog, listening);
    server.listen({
      ...(path === undefined ? { host: hostname, port } : { path }),
      ...(backlog === undefined ? {} : { backlog }),
      ...(reusePort ? { reusePort } : {}),
    }, listening);
  });
}

/** A server that another process has sent a copy of. */
export interface ArrivedServer {
  readonly server: Server;
  readonly options: ListenerCopy["options"];
}

/** A listener of copies. They accept from their arrival on, so that this is to be called at once. */
export function adoptServers(arrived: readonly ArrivedServer[]): Listener {
  const [first, ...others] = arrived.map(({ server, options: { noDelay, keepAlive } }) => {
    server.prependListener("connection", (socket: NetSocket) => {
      socket.setNoDelay(noDelay); // The server itself has no options here.
      if (keepAlive) socket.setKeepAlive(true);
    });
    const common = { allowHalfOpen: true, pauseOnConnect: true, noDelay, keepAlive };
    return new NetListenerDriver(server, {}, { make: () => createServer(common) });
  });
  return createListener([first!, ...others]);
}

/** What a listener is made of again after it has stopped. */
interface Remake {
  /** A server that does not listen yet. */
  readonly make?: () => Server;
  /** How Bun duplicates; Deno can by itself. */
  descriptors?: ListenerDescriptors | undefined;
}

class NetListenerDriver implements ListenerDriver {
  readonly address: SocketAddress;
  readonly copy: (() => Promise<ListenerCopy>) | undefined;
  #server: Server;
  #options: ListenOptions;
  #queue: AcceptQueue;
  #remake: Remake;
  #gate: AcceptGate | undefined;
  #maxPending: number | undefined;
  /** While nothing is accepted: keeps what waits in the kernel. */
  #duplicate: number | undefined;
  #isReferenced = true;

  constructor(server: Server, options: ListenOptions, remake: Remake = {}) {
    this.#server = server;
    this.#options = options;
    this.#remake = remake;
    // Closing a copy would remove the path of a Unix socket; a TLS session cannot leave its process.
    if (options.path === undefined && options.tls === undefined) {
      this.copy = () => this.#copy(options);
    }
    const bound = server.address();
    this.address = bound === null || typeof bound === "string"
      ? { hostname: "", port: 0, path: options.path! }
      : { hostname: bound.address, port: bound.port };
    this.#maxPending = options.maxPending;
    this.#gate = this.#makeGate();
    this.#queue = new AcceptQueue(this.address, options.maxPending, { gate: this.#gate });
    this.#attend(server);
  }

  accept(): Promise<Socket> {
    return this.#queue.take();
  }

  close(): Promise<void> {
    this.#queue.close();
    this.#listenAgain(); // What is kept for it is closed with it.
    return new Promise((resolve) => {
      // `close` waits for accepted connections too, which belong to others: stop listening is all.
      this.#server.close();
      if (this.#server.listening) this.#server.once("close", resolve);
      else resolve();
    });
  }

  ref(): void {
    this.#isReferenced = true;
    this.#server.ref();
  }

  unref(): void {
    this.#isReferenced = false;
    this.#server.unref();
  }

  async bound(maxPending: number): Promise<void> {
    if (inBun) this.#remake.descriptors ??= await bunListenerDescriptors();
    this.#gate ??= this.#makeGate();
    this.#maxPending = maxPending;
    this.#queue.bound(maxPending, this.#gate);
  }

  get canPause(): boolean {
    return this.#gate !== undefined;
  }

  async pause(): Promise<readonly Socket[]> {
    this.#queue.pause();
    // The runtime may have accepted more in this turn of its loop.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    return this.#queue.takeWaiting();
  }

  resume(): void {
    this.#queue.resume();
  }

  #attend(server: Server): void {
    const secured = this.#options.tls !== undefined;
    if (secured) server.on("connection", () => this.#queue.expect());
    server.on(secured ? "secureConnection" : "connection", (socket: NetSocket) => {
      if (secured) this.#queue.ready();
      this.#accepted(socket, this.#options);
    });
    if (secured) {
      server.on("tlsClientError", (error) => {
        this.#queue.ready();
        this.#queue.fail(error);
      });
    }
    server.on("error", (error) => this.#queue.fail(error));
  }

  /** How accepting stops and starts; `undefined` where it cannot. */
  #makeGate(): AcceptGate | undefined {
    const { make, descriptors } = this.#remake;
    if (!inDeno && !inBun) {
      const handle = handleOf(this.#server);
      return handle && gateOfHandle(handle);
    }
    if (make === undefined || (inBun && descriptors === undefined)) return undefined;
    return { stop: () => this.#keep(), start: () => this.#listenAgain() };
  }

  /** Close the listener and keep a duplicate of its descriptor, and with it what waits there. */
  #keep(): void {
    const server = this.#server;
    const handle = handleOf(server)!;
    const duplicate = inDeno ? handle.fdForIpc!() : this.#remake.descriptors!.duplicate(handle);
    if (duplicate < 0) return; // None is left: what comes is queued here.
    this.#duplicate = duplicate;
    // Deno has accepted more in this turn, and would drop it; Bun accepts no more from here on.
    if (inDeno) setImmediate(() => server.close());
    else server.close();
  }

  #listenAgain(): void {
    if (this.#duplicate === undefined) return;
    const server = this.#remake.make!();
    this.#attend(server);
    const backlog = this.#maxPending;
    server.listen({ fd: this.#duplicate, ...(inDeno && backlog !== undefined ? { backlog } : {}) });
    if (!this.#isReferenced) server.unref();
    this.#duplicate = undefined;
    this.#server = server;
  }

  async #copy(options: ListenOptions): Promise<ListenerCopy> {
    const { noDelay = true, keepAlive = false } = options;
    this.#queue.start(); // What is closed cannot travel.
    const server = await copyOf(this.#server, (socket) => this.#accepted(socket, options));
    return {
      handle: server,
      options: { noDelay, keepAlive },
      drop: () => server === this.#server ? undefined : void server.close(),
    };
  }

  #accepted(socket: NetSocket, options: ListenOptions): void {
    // A client that has reset already has no address any more.
    if (socket.destroyed || (options.path === undefined && socket.remoteAddress === undefined)) {
      socket.destroy();
      return this.#queue.fail(Object.assign(new Error("client is gone"), { code: "ECONNABORTED" }));
    }
    socket.allowHalfOpen = true;
    const ends = options.path === undefined
      ? endsOf(socket, { localAddress: this.address })
      : { localAddress: this.address, remoteAddress: { hostname: "", port: 0, path: "" } };
    this.#queue.push(createSocket(new NetDriver(socket), ends));
  }
}

/** The runtime's own object behind a server; Deno's duplicates its descriptor. */
function handleOf(server: Server): { fdForIpc?(): number } | undefined {
  return (server as unknown as { _handle?: { fdForIpc?(): number } })._handle;
}

/**
 * What can be sent in the place of a server. Bun and Node send the server itself, and it goes on. Deno
 * 2.9.6 gives up what it sends, so that it gets a second server on a duplicate of the descriptor.
 */
function copyOf(server: Server, accepted: (socket: NetSocket) => void): Promise<Server> {
  const fd = handleOf(server)?.fdForIpc?.();
  if (fd === undefined) return Promise.resolve(server);
  const copy = createServer({ allowHalfOpen: true, pauseOnConnect: true }, accepted);
  return new Promise((resolve, reject) => {
    copy.once("error", reject);
    copy.listen({ fd }, () => {
      copy.off("error", reject);
      resolve(copy);
    });
  });
}

/** Both ends of a connection as the kernel has them; an end that is known is taken as it is. */
export function endsOf(
  socket: NetSocket,
  known: { readonly localAddress?: SocketAddress; readonly remoteAddress?: SocketAddress } = {},
): { localAddress: SocketAddress; remoteAddress: SocketAddress } {
  const { localAddress, remoteAddress } = known;
  if (remoteAddress?.path !== undefined) {
    return { localAddress: { hostname: "", port: 0, path: "" }, remoteAddress };
  }
  return {
    localAddress: localAddress !== undefined && isExact(localAddress.hostname)
      ? localAddress
      : { hostname: socket.localAddress ?? "", port: socket.localPort ?? 0 },
    remoteAddress: remoteAddress !== undefined && isExact(remoteAddress.hostname)
      ? { hostname: remoteAddress.hostname, port: remoteAddress.port }
      : {
        hostname: socket.remoteAddress ?? remoteAddress?.hostname ?? "",
        port: socket.remotePort ?? remoteAddress?.port ?? 0,
      },
  };
}
