/**
 * Sockets in memory: no kernel, no permissions, no real time.
 *
 * Each {@linkcode memoryTransport} is a network of its own. There is no name service: a host name is a
 * place of its own, reached under the same name that was listened on. Any address may be listened on
 * and connected from. Names that start with `unreachable` have no route, and names that start with
 * `silent` never answer.
 *
 * @module
 */
import {
  addressOfTarget,
  attemptSocket,
  type Capabilities,
  checkConnectOptions,
  checkListenOptions,
  type Clock,
  connectionError,
  type ConnectOptions,
  createListener,
  createSocket,
  delay,
  formatAddress,
  type Host,
  type ListenOptions,
  type Socket,
  type SocketAddress,
  systemClock,
  type Target,
  type Transport,
  withoutBrackets,
} from "../../transport/mod.ts";
import { MemoryDriver, resetError } from "./driver.ts";
import { faultFor, type MemoryFault, type MemoryFaults } from "./faults.ts";
import { MemoryListenerDriver } from "./listener_driver.ts";
import { Pipe } from "./pipe.ts";

export {
  type RecordedFaults,
  recordedFaults,
  type ScriptedFault,
  scriptedFaults,
} from "./fault_script.ts";
export {
  type MemoryFault,
  type MemoryFaults,
  type MemoryOperation,
  seededFaults,
  type SeededFaultsOptions,
} from "./faults.ts";
export { seededRandom } from "./seeded_random.ts";

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

/** The ports that are given to those who ask for none: those of Linux and a few more (ip(7)). */
const FIRST_PORT = 32_768;
const LAST_PORT = 65_535;

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
  #nextPort = FIRST_PORT;

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
    const address = addressOfTarget(target);
    return await attemptSocket(
      address,
      options,
      (stop) => this.#open(address, options, stop.signal),
      this.#clock,
    );
  }

  // deno-lint-ignore require-await -- a promise that rejects, like in every other transport
  async listen(options: ListenOptions = {}): Promise<ReturnType<typeof createListener>> {
    checkListenOptions(this.name, capabilities, options);
    const { hostname = "127.0.0.1", port = 0, path, onError, maxPending } = options;
    const wanted: SocketAddress = path === undefined
      ? this.#placeFor(withoutBrackets(hostname), port)
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
    const fault = faultFor(this.#faults, "connect");
    if (fault?.kind === "delay") await delay(this.#clock, fault.delayMs, stop);
    if (fault?.kind === "fail") throw refuse("ECONNREFUSED");
    if (fault?.kind === "hang") await never(stop);
    if (address.hostname.startsWith("unreachable")) throw refuse("ENETUNREACH");
    if (address.hostname.startsWith("silent")) await never(stop);
    await Promise.resolve(); // A connection never stands within the call.
    stop.throwIfAborted();
    const listener = this.#listeners.get(formatAddress(address));
    if (listener === undefined) throw refuse("ECONNREFUSED");
    const from = this.#originFor(address, localAddress, localPort);
    if (from === undefined) throw refuse(localPort === undefined ? "EADDRNOTAVAIL" : "EADDRINUSE");
    const tuple = tupleOf(from, address);
    this.#tuples.add(tuple);
    const welcome = faultFor(this.#faults, "accept");
    const [near, far] = this.#pair(fault, welcome, () => this.#tuples.delete(tuple));
    const listening = listener.address;
    const accepted = createSocket(far, {
      localAddress: listening,
      remoteAddress: from,
      clock: this.#clock,
    });
    listener.push(accepted, welcome, this.#clock);
    return createSocket(near, {
      localAddress: from,
      remoteAddress: address,
      targetName: address.hostname,
      clock: this.#clock,
    });
  }

  /** Two ends, and what goes wrong with what each of them receives. */
  #pair(
    nearFault: MemoryFault | undefined,
    farFault: MemoryFault | undefined,
    over: () => void,
  ): [MemoryDriver, MemoryDriver] {
    const there = new Pipe(this.#pipeBytes);
    const back = new Pipe(this.#pipeBytes);
    cut(back, nearFault, there);
    cut(there, farFault, back);
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

  /** Where to listen; with every port taken it is one that is, and listening there fails. */
  #placeFor(hostname: string, port: number): SocketAddress {
    if (port !== 0) return { hostname, port };
    const taken = (port: number) => this.#listeners.has(formatAddress({ hostname, port }));
    return { hostname, port: this.#freePort(taken) ?? FIRST_PORT };
  }

  /** Where to connect from; `undefined` when that, or every port of it, is taken. */
  #originFor(
    to: SocketAddress,
    localAddress: string | undefined,
    localPort: number | undefined,
  ): SocketAddress | undefined {
    if (to.path !== undefined) return { hostname: "", port: 0, path: "" };
    const hostname = localAddress ?? (to.hostname.includes(":") ? "::1" : "127.0.0.1");
    const taken = (port: number) => this.#tuples.has(tupleOf({ hostname, port }, to));
    if (localPort !== undefined && taken(localPort)) return undefined;
    const port = localPort ?? this.#freePort(taken);
    return port === undefined ? undefined : { hostname, port };
  }

  /** Goes around, so that a port rests as long as possible after its use. */
  #freePort(taken: (port: number) => boolean): number | undefined {
    for (let tries = FIRST_PORT; tries <= LAST_PORT; tries++) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_PORT ? FIRST_PORT : port + 1;
      if (!taken(port)) return port;
    }
    return undefined;
  }
}

/** What tells one connection over TCP from another. */
function tupleOf(from: SocketAddress, to: SocketAddress): string {
  return `${formatAddress(from)} ${formatAddress(to)}`;
}

/** Let a connection end in one direction, or altogether, when that one has carried enough. */
function cut(pipe: Pipe, fault: MemoryFault | undefined, other: Pipe): void {
  if (fault?.kind === "end") pipe.cutAfter(fault.afterBytes, () => pipe.end());
  if (fault?.kind !== "reset") return;
  pipe.cutAfter(fault.afterBytes, () => {
    for (const each of [pipe, other]) each.break(resetError());
  });
}

function never(stop: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    stop.addEventListener("abort", () => reject(stop.reason), { once: true });
  });
}
