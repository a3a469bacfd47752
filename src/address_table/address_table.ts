import { badPick, type Picker, roundRobin, startStrategy, type Strategy } from "../strategy/mod.ts";
import {
  addressOfTarget,
  type ConnectOptions,
  formatAddress,
  ipVersion,
  isHostName,
  JackfieldError,
  type Socket,
  type SocketAddress,
  type Target,
  type Transport,
  unsupported,
} from "../transport/mod.ts";
import type { AddressSource } from "./host_addresses.ts";
import { type PortRange, PortTable } from "./port_table.ts";

/** What a strategy sees of an address that it may choose. */
export interface AddressCandidate {
  /** The IP literal. */
  readonly hostname: string;
  /** How many descriptors have it now. */
  readonly descriptors: number;
}

/** What a strategy is told about who asks. */
export interface AddressRequest {
  /** Where the socket will lead to, if that is known already. */
  readonly target: Target | undefined;
}

/** Options of {@linkcode AddressTable}. */
export interface AddressTableOptions {
  /** Where the sockets come from. */
  readonly transport: Transport;
  /** Where the addresses come from. */
  readonly source: AddressSource;
  /**
   * Chooses the address of a new descriptor.
   *
   * @default {roundRobin()}
   */
  readonly strategy?: Strategy<AddressCandidate, AddressRequest>;
  /**
   * The local ports that may be used.
   *
   * @default {32768 to 60999}
   */
  readonly ports?: PortRange;
  /**
   * The most descriptors at once.
   *
   * @default {65_536}
   */
  readonly maxDescriptors?: number;
}

/** Options of {@linkcode AddressTable.connect}. */
export type TableConnectOptions = Omit<ConnectOptions, "localAddress" | "localPort">;

interface Candidate {
  readonly hostname: string;
  descriptors: number;
}

interface Entry {
  readonly descriptor: number;
  readonly candidate: Candidate;
  /** Bound before its destination was known: this port and no other. */
  boundPort: number | undefined;
  /** What the port table holds for it. */
  taken: { port: number; destination: string | undefined } | undefined;
  /** Aborted by `close`. */
  readonly stop: AbortController;
  connecting: boolean;
  socket: Socket | undefined;
  /** Everything was given back. */
  forgotten: boolean;
}

/** How many ports are tried when the kernel says that one is in use by somebody else. */
const TRIES = 16;

/**
 * Gives every socket a local address and port of its own, under a descriptor that the table issues.
 *
 * The five operations are re-entrant: each may be called at any time, at the same time as any other.
 *
 * @example
 * ```ts
 * import { AddressTable, hostAddresses } from "@jackfield/jackfield/core";
 * import { memoryTransport } from "@jackfield/jackfield/testing";
 *
 * const transport = memoryTransport();
 * const listener = await transport.listen({ port: 7000 });
 * const addresses = new AddressTable({ transport, source: hostAddresses(["127.0.0.2"]) });
 * const descriptor = await addresses.create();
 * await addresses.connect(descriptor, listener.address);
 * if (addresses.addressOf(descriptor).hostname !== "127.0.0.2") throw new Error("unexpected");
 * await addresses.close(descriptor);
 * await listener.close();
 * ```
 */
export class AddressTable implements AsyncDisposable {
  /** Where the sockets come from. */
  readonly transport: Transport;
  #candidates: Candidate[];
  #strategy: Strategy<AddressCandidate, AddressRequest>;
  #picker: Picker<AddressCandidate, AddressRequest>;
  #ports: PortTable;
  #maxDescriptors: number;
  #entries = new Map<number, Entry>();
  #nextDescriptor = 1;
  #closed = false;

  /** Checks the options; nothing is bound before somebody asks. */
  constructor(options: AddressTableOptions) {
    const { transport, source, ports, maxDescriptors = 65_536 } = options;
    if (!transport.capabilities.localAddress) {
      throw unsupported("AddressTable", `the ${transport.name} transport has no localAddress`);
    }
    if (!(maxDescriptors >= 1)) {
      throw new RangeError(`Cannot use maxDescriptors "${maxDescriptors}": expected at least 1`);
    }
    this.transport = transport;
    this.#candidates = source.addresses.map((hostname) => ({ hostname, descriptors: 0 }));
    this.#strategy = options.strategy ?? roundRobin();
    this.#picker = startStrategy(this.#strategy);
    this.#ports = new PortTable(ports);
    this.#maxDescriptors = maxDescriptors;
  }

  /** How many descriptors are issued. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many local ports are in use, over all addresses and destinations. */
  get ports(): number {
    return this.#ports.size;
  }

  /**
   * Associate a new descriptor with an address of the source.
   *
   * @throws {JackfieldError} `ADDRESS_EXHAUSTED` or `ADDRESS_TABLE_CLOSED`.
   */
  // deno-lint-ignore require-await -- sources that have to ask somebody will take their time
  async create(): Promise<number> {
    return this.#create(undefined).descriptor;
  }

  /**
   * Give the descriptor a local port that is free for every destination. Binding twice gives the
   * same address again.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR` or `ADDRESS_EXHAUSTED`.
   */
  // deno-lint-ignore require-await -- see create
  async bind(descriptor: number): Promise<SocketAddress> {
    const entry = this.#entry(descriptor, "bind");
    if (entry.boundPort === undefined && entry.taken === undefined && !entry.connecting) {
      const port = this.#ports.take(entry.candidate.hostname);
      entry.taken = { port, destination: undefined };
      entry.boundPort = port;
    }
    return this.#addressOf(entry);
  }

  /** Create, bind and connect in one; closing the socket gives everything back. */
  connect(target: Target, options?: TableConnectOptions): Promise<Socket>;
  /**
   * Connect from the descriptor's address: from its bound port, or else from a port that is free for
   * this destination.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR`, `ADDRESS_IN_USE` when the descriptor is
   * connected or connecting already, `ADDRESS_EXHAUSTED`, or what the transport's `connect` throws.
   */
  connect(descriptor: number, target: Target, options?: TableConnectOptions): Promise<Socket>;
  async connect(
    first: number | Target,
    second?: Target | TableConnectOptions,
    third: TableConnectOptions = {},
  ): Promise<Socket> {
    if (typeof first === "number") {
      return await this.#connect(this.#entry(first, "connect"), second as Target, third);
    }
    const options = (second ?? {}) as TableConnectOptions;
    let entry: Entry;
    try {
      entry = this.#create(first);
    } catch (error) {
      options.onReleased?.();
      throw error;
    }
    try {
      const socket = await this.#connect(entry, first, options);
      const gone = () => this.#forget(entry);
      socket.closed.then(gone, gone);
      return socket;
    } catch (error) {
      this.#forget(entry);
      throw error;
    }
  }

  /**
   * The local address that the kernel really uses; before `connect` the bound one, with port 0 when
   * there is none.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR`.
   */
  addressOf(descriptor: number): SocketAddress {
    return this.#addressOf(this.#entry(descriptor, "look up"));
  }

  /**
   * Close the descriptor's socket, or end its connect, give address and port back and forget the
   * descriptor.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR`.
   */
  async close(descriptor: number): Promise<void> {
    const entry = this.#entry(descriptor, "close");
    this.#entries.delete(descriptor); // From now on the descriptor is unknown.
    entry.stop.abort(unknownDescriptor(descriptor, "connect"));
    await entry.socket?.close();
    this.#forget(entry);
  }

  /** Close every descriptor and issue no more. */
  async closeAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#entries.keys()].map((descriptor) => this.close(descriptor)));
  }

  /** The same as {@linkcode closeAll}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.closeAll();
  }

  #create(target: Target | undefined): Entry {
    if (this.#closed) {
      const message = "Cannot create descriptor: address table is closed";
      throw new JackfieldError("ADDRESS_TABLE_CLOSED", message, { operation: "create" });
    }
    if (this.#entries.size >= this.#maxDescriptors) {
      const message = `Cannot create descriptor: ${this.#maxDescriptors} are in use`;
      const limit = this.#maxDescriptors;
      throw new JackfieldError("ADDRESS_EXHAUSTED", message, { operation: "create", limit });
    }
    const candidate = this.#pick(target);
    candidate.descriptors++;
    const descriptor = this.#nextDescriptor++;
    const entry: Entry = {
      descriptor,
      candidate,
      boundPort: undefined,
      taken: undefined,
      stop: new AbortController(),
      connecting: false,
      socket: undefined,
      forgotten: false,
    };
    this.#entries.set(descriptor, entry);
    return entry;
  }

  #pick(target: Target | undefined): Candidate {
    const fitting = this.#candidates.filter((candidate) => fits(candidate.hostname, target));
    const picked = this.#picker.pick(fitting, { target });
    if (picked === undefined) {
      const to = target === undefined ? "" : ` to ${formatAddress(addressOfTarget(target))}`;
      const message = `Cannot create descriptor${to}: no address fits`;
      throw new JackfieldError("ADDRESS_EXHAUSTED", message, { operation: "create" });
    }
    const at = this.#candidates.indexOf(picked as Candidate);
    if (at === -1) throw badPick(this.#strategy, picked);
    // Rotation order: what was chosen goes to the end.
    const [chosen] = this.#candidates.splice(at, 1) as [Candidate];
    this.#candidates.push(chosen);
    return chosen;
  }

  async #connect(entry: Entry, target: Target, options: TableConnectOptions): Promise<Socket> {
    if (entry.connecting || entry.socket !== undefined) {
      const message = `Cannot connect descriptor ${entry.descriptor}: it is ` +
        (entry.connecting ? "connecting already" : "connected already");
      throw new JackfieldError("ADDRESS_IN_USE", message, { operation: "connect" });
    }
    entry.connecting = true;
    const signals = [entry.stop.signal, ...(options.signal === undefined ? [] : [options.signal])];
    const signal = signals.length === 1 ? signals[0]! : AbortSignal.any(signals);
    try {
      for (let tries = 1;; tries++) {
        const last = entry.boundPort !== undefined || tries === TRIES;
        const socket = await this.#connectOnce(entry, target, { ...options, signal }, last);
        if (socket !== undefined) return socket;
      }
    } finally {
      entry.connecting = false;
    }
  }

  /** `undefined` when somebody else has the port, and another one may be tried. */
  async #connectOnce(
    entry: Entry,
    target: Target,
    options: TableConnectOptions,
    last: boolean,
  ): Promise<Socket | undefined> {
    // The caller is told once, about the attempt that was the last one.
    let released = false;
    let final = false;
    const release = () => {
      released = true;
      if (final) options.onReleased?.();
    };
    try {
      const localPort = this.#take(entry, target, release);
      const { hostname: localAddress } = entry.candidate;
      const socket = await this.transport.connect(target, {
        ...options,
        localAddress,
        localPort,
        onReleased: release,
      });
      return await this.#connected(entry, socket);
    } catch (error) {
      this.#giveBack(entry);
      if (!last && isTaken(error)) return undefined;
      final = true;
      if (released) options.onReleased?.();
      throw error;
    }
  }

  async #connected(entry: Entry, socket: Socket): Promise<Socket> {
    if (entry.stop.signal.aborted) {
      await socket.close();
      throw entry.stop.signal.reason;
    }
    entry.socket = socket;
    const gone = () => this.#giveBack(entry);
    socket.closed.then(gone, gone);
    return socket;
  }

  /** The bound port, or a free one for this destination. */
  #take(entry: Entry, target: Target, released: () => void): number {
    if (entry.boundPort !== undefined) return entry.boundPort;
    const destination = formatAddress(addressOfTarget(target));
    try {
      const port = this.#ports.take(entry.candidate.hostname, destination);
      entry.taken = { port, destination };
      return port;
    } catch (error) {
      released();
      throw error;
    }
  }

  /** Give the port of an ended connection back; a bound one stays until the descriptor is closed. */
  #giveBack(entry: Entry): void {
    if (entry.taken === undefined || entry.boundPort !== undefined) return;
    this.#ports.giveBack(entry.candidate.hostname, entry.taken.port, entry.taken.destination);
    entry.taken = undefined;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.descriptor);
    if (entry.forgotten) return;
    entry.forgotten = true;
    entry.boundPort = undefined;
    this.#giveBack(entry);
    entry.candidate.descriptors--;
  }

  #addressOf({ socket, candidate, taken }: Entry): SocketAddress {
    return socket?.localAddress ?? { hostname: candidate.hostname, port: taken?.port ?? 0 };
  }

  #entry(descriptor: number, operation: string): Entry {
    const entry = this.#entries.get(descriptor);
    if (entry === undefined) throw unknownDescriptor(descriptor, operation);
    return entry;
  }
}

function unknownDescriptor(descriptor: number, operation: string): JackfieldError {
  return new JackfieldError(
    "ADDRESS_UNKNOWN_DESCRIPTOR",
    `Cannot ${operation} descriptor ${descriptor}: it was closed or never issued`,
    { operation },
  );
}

/** Whether an address can lead to a target: both must be of one family. */
function fits(hostname: string, target: Target | undefined): boolean {
  if (target === undefined) return true;
  if ("path" in target) return false;
  const { hostname: wanted } = addressOfTarget(target);
  return isHostName(wanted) || ipVersion(wanted) === ipVersion(hostname);
}

/** Whether somebody else has the port, so that another one may do. */
function isTaken(error: unknown): boolean {
  return error instanceof JackfieldError &&
    (error.reason === "address-in-use" || error.reason === "address-not-available");
}
