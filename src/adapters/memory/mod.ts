/**
 * Sockets in memory: no kernel, no permissions, no real time.
 *
 * Each {@linkcode memoryTransport} is a network of its own. Every host name in it leads to the same
 * host, on which any address may be listened on and connected from. Names that start with
 * `unreachable` have no route, and names that start with `silent` never answer.
 *
 * @module
 */
import {
  AcceptQueue,
  addressOfTarget,
  attempt,
  type Capabilities,
  checkConnectOptions,
  checkListenOptions,
  type Clock,
  connectionError,
  type ConnectOptions,
  createListener,
  createSocket,
  DEFAULT_CONNECT_TIMEOUT_MS,
  delay,
  formatAddress,
  type Host,
  type ListenerDriver,
  type ListenOptions,
  type Socket,
  type SocketAddress,
  systemClock,
  type Target,
  type Transport,
} from "../../transport/mod.ts";
import { MemoryDriver } from "./driver.ts";
import type { MemoryFaults } from "./faults.ts";
import { Pipe } from "./pipe.ts";

export {
  type MemoryFault,
  type MemoryFaults,
  seededFaults,
  type SeededFaultsOptions,
  seededRandom,
} from "./faults.ts";

/** Options of {@linkcode memoryTransport}. */
export interface MemoryTransportOptions {
  /** Times delays and limits. @default {systemClock} */
  readonly clock?: Clock;
  /** What goes wrong. */
  readonly faults?: MemoryFaults;
  /** How many bytes one direction of a connection holds. @default {65_536} */
  readonly pipeBytes?: number;
  /** What components find in `transport.host`. @default {{}} */
  readonly host?: Host;
}

/** A network in memory, and the transport that leads into it. */
export interface MemoryTransport extends Transport {
  /** How many ends of connections are held now: what descriptors are to a kernel. */
  readonly openEnds: number;
}

const capabilities: Capabilities = {
  listen: true,
  unix: true,
  tls: false,
  tlsListen: false,
  startTls: false,
  localAddress: true,
  noDelay: true,
  tlsListenNoDelay: false,
  keepAlive: true,
  reusePort: false,
  backlog: true,
  reset: true,
  cancelConnect: true,
  transferable: false,
};

/** A new, empty network. */
export function memoryTransport(options: MemoryTransportOptions = {}): MemoryTransport {
  return new MemoryNetwork(options);
}

class MemoryNetwork implements MemoryTransport {
  readonly name = "memory";
  readonly capabilities = capabilities;
  readonly host: Host;
  openEnds = 0;
  #clock: Clock;
  #faults: MemoryFaults | undefined;
  #pipeBytes: number;
  #listeners = new Map<string, MemoryListenerDriver>();
  #tuples = new Set<string>();
  #nextPort = 32_768;

  constructor(
    { clock = systemClock, faults, pipeBytes = 65_536, host = {} }: MemoryTransportOptions,
  ) {
    if (!(pipeBytes >= 1)) {
      throw new RangeError(`Cannot use pipeBytes "${pipeBytes}": expected at least 1`);
    }
    this.#clock = clock;
    this.#faults = faults;
    this.#pipeBytes = pipeBytes;
    this.host = host;
  }

  async connect(target: Target, options: ConnectOptions = {}): Promise<Socket> {
    checkConnectOptions(this.name, capabilities, target, options);
    const { signal, timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS, onReleased } = options;
    const address = addressOfTarget(target);
    return await attempt({
      clock: this.#clock,
      address,
      signal,
      timeoutMs,
      released: onReleased,
      undo: (socket) => socket.abort(),
      start: (stop) => this.#open(address, options, stop),
    });
  }

  // deno-lint-ignore require-await -- a promise that rejects, like in every other transport
  async listen(options: ListenOptions = {}): Promise<ReturnType<typeof createListener>> {
    checkListenOptions(this.name, capabilities, options);
    const { hostname = "127.0.0.1", port = 0, path, onError, maxPending } = options;
    const wanted: SocketAddress = path === undefined
      ? { hostname, port: port === 0 ? this.#freePort(hostname) : port }
      : { hostname: "", port: 0, path };
    const key = formatAddress(wanted);
    if (this.#listeners.has(key)) {
      const cause = Object.assign(new Error("address in use"), { code: "EADDRINUSE" });
      throw connectionError("listen", wanted, cause);
    }
    const driver = new MemoryListenerDriver(wanted, maxPending, () => this.#listeners.delete(key));
    this.#listeners.set(key, driver);
    return createListener([driver], { onError, clock: this.#clock });
  }

  async #open(
    address: SocketAddress,
    options: ConnectOptions,
    stop: AbortSignal,
  ): Promise<Socket> {
    const { localAddress, localPort } = options;
    const refuse = (code: string) => {
      const cause = Object.assign(new Error(code), { code });
      return connectionError("connect", address, cause, { localAddress });
    };
    const fault = this.#faults?.("connect");
    if (fault?.kind === "delay") await delay(this.#clock, fault.delayMs, stop);
    if (fault?.kind === "fail") throw refuse("ECONNREFUSED");
    if (address.hostname.startsWith("unreachable")) throw refuse("ENETUNREACH");
    if (address.hostname.startsWith("silent")) await never(stop);
    await Promise.resolve(); // A connection never stands within the call.
    stop.throwIfAborted();
    const listener = this.#listeners.get(formatAddress(address));
    if (listener === undefined) throw refuse("ECONNREFUSED");
    const from: SocketAddress = address.path !== undefined ? { hostname: "", port: 0, path: "" } : {
      hostname: localAddress ?? (address.hostname.includes(":") ? "::1" : "127.0.0.1"),
      port: localPort ?? this.#nextPort++,
    };
    const tuple = `${formatAddress(from)} ${formatAddress(address)}`;
    if (address.path === undefined && this.#tuples.has(tuple)) throw refuse("EADDRINUSE");
    this.#tuples.add(tuple);
    const [near, far] = this.#pair(() => this.#tuples.delete(tuple));
    const listening = listener.address;
    listener.push(createSocket(far, {
      localAddress: listening,
      remoteAddress: from,
      clock: this.#clock,
    }));
    return createSocket(near, {
      localAddress: from,
      remoteAddress: address,
      targetName: address.hostname,
      clock: this.#clock,
    });
  }

  #pair(over: () => void): [MemoryDriver, MemoryDriver] {
    const there = new Pipe(this.#pipeBytes);
    const back = new Pipe(this.#pipeBytes);
    this.openEnds += 2;
    let ends = 2;
    const released = () => {
      this.openEnds--;
      if (--ends === 0) over();
    };
    const common = { clock: this.#clock, faults: this.#faults, released };
    return [
      new MemoryDriver({ ...common, incoming: back, outgoing: there }),
      new MemoryDriver({ ...common, incoming: there, outgoing: back }),
    ];
  }

  #freePort(hostname: string): number {
    while (this.#listeners.has(formatAddress({ hostname, port: this.#nextPort }))) this.#nextPort++;
    return this.#nextPort++;
  }
}

class MemoryListenerDriver implements ListenerDriver {
  readonly address: SocketAddress;
  #queue: AcceptQueue;
  #closed: () => void;

  constructor(address: SocketAddress, maxPending: number | undefined, closed: () => void) {
    this.address = address;
    this.#queue = new AcceptQueue(address, maxPending);
    this.#closed = closed;
  }

  push(socket: Socket): void {
    this.#queue.push(socket);
  }

  accept(): Promise<Socket> {
    return this.#queue.take();
  }

  close(): void {
    this.#closed();
    this.#queue.close();
  }

  ref(): void {}

  unref(): void {}
}

function never(stop: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    stop.addEventListener("abort", () => reject(stop.reason), { once: true });
  });
}
