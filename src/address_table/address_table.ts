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
import { type Candidate, Entry, PortHold } from "./entry.ts";
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
  /**
   * Gives numbers from 0 to below 1: where in the range the search for a port begins.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
}

/** Options of {@linkcode AddressTable.connect}. */
export type TableConnectOptions = Omit<ConnectOptions, "localAddress" | "localPort">;

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
    const { transport, source, ports, maxDescriptors = 65_536, random } = options;
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
    this.#ports = new PortTable(ports, random);
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
   * same address again. During a connect it waits for the outcome: a connection has its port.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR` or `ADDRESS_EXHAUSTED`.
   */
  async bind(descriptor: number): Promise<SocketAddress> {
    let entry = this.#entry(descriptor, "bind");
    while (entry.connecting !== undefined) {
      await entry.connecting;
      entry = this.#entry(descriptor, "bind");
    }
    if (entry.bound === undefined && !entry.connected) {
      const { hostname } = entry.candidate;
      const port = this.#ports.take(hostname);
      entry.bound = new PortHold(port, () => this.#ports.giveBack(hostname, port));
      entry.socket = undefined; // A connection that has ended says nothing any more.
    }
    return entry.address;
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
    const target = (typeof first === "number" ? second : first) as Target;
    const options = (typeof first === "number" ? third : second ?? {}) as TableConnectOptions;
    let entry: Entry;
    try {
      entry = typeof first === "number" ? this.#entry(first, "connect") : this.#create(target);
    } catch (error) {
      options.onReleased?.();
      throw error;
    }
    if (typeof first === "number") return await this.#connect(entry, target, options);
    try {
      const socket = await this.#connect(entry, target, options);
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
    return this.#entry(descriptor, "look up").address;
  }

  /**
   * Close the descriptor's socket, or end its connect, give address and port back and forget the
   * descriptor. Where the transport cannot cancel a connect, its port goes back later, when the
   * kernel lets go of it.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR`.
   */
  async close(descriptor: number): Promise<void> {
    const entry = this.#entry(descriptor, "close");
    this.#entries.delete(descriptor); // From now on the descriptor is unknown.
    entry.closed = true;
    entry.stop?.(unknownDescriptor(descriptor, "connect"));
    await entry.socket?.close();
    entry.forget();
    if (this.transport.capabilities.cancelConnect) {
      await entry.connecting;
      await entry.used?.gone;
    }
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
    const entry = new Entry(this.#nextDescriptor++, this.#pick(target));
    this.#entries.set(entry.descriptor, entry);
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
    const chosen = picked as Candidate;
    if (!fitting.includes(chosen)) throw badPick(this.#strategy, picked);
    // Rotation order: what was chosen goes to the end.
    this.#candidates.splice(this.#candidates.indexOf(chosen), 1);
    this.#candidates.push(chosen);
    return chosen;
  }

  async #connect(entry: Entry, target: Target, options: TableConnectOptions): Promise<Socket> {
    const { signal, onReleased } = options;
    if (entry.connecting !== undefined || entry.connected) {
      onReleased?.();
      const message = `Cannot connect descriptor ${entry.descriptor}: it is ` +
        (entry.connected ? "connected already" : "connecting already");
      throw new JackfieldError("ADDRESS_IN_USE", message, { operation: "connect" });
    }
    const stop = new AbortController();
    // Not AbortSignal.any: nothing may stay behind at a signal that lives long.
    const giveUp = () => stop.abort(signal!.reason);
    if (signal?.aborted) giveUp();
    else signal?.addEventListener("abort", giveUp, { once: true });
    const { promise, resolve: ended } = Promise.withResolvers<void>();
    entry.connecting = promise;
    entry.stop = (reason) => stop.abort(reason);
    entry.socket = undefined;
    try {
      entry.socket = await this.#connectFromSomePort(entry, target, {
        ...options,
        signal: stop.signal,
      });
      return entry.socket;
    } finally {
      signal?.removeEventListener("abort", giveUp);
      entry.connecting = undefined;
      entry.stop = undefined;
      ended();
    }
  }

  /** From the bound port, or from one that is free; another one when somebody else has it. */
  async #connectFromSomePort(
    entry: Entry,
    target: Target,
    options: TableConnectOptions,
  ): Promise<Socket> {
    const refused = new Set<number>();
    let failure: unknown;
    for (;;) {
      let hold: PortHold;
      try {
        hold = this.#hold(entry, target, refused);
      } catch (error) {
        options.onReleased?.();
        throw failure ?? error; // What the kernel said of the ports that were left.
      }
      entry.used = hold;
      // The caller is told once, about the attempt that was the last one.
      let [released, final] = [false, false];
      const onReleased = () => {
        released = true;
        hold.release();
        if (final) options.onReleased?.();
      };
      try {
        const socket = await this.transport.connect(target, {
          ...options,
          localAddress: entry.candidate.hostname,
          localPort: hold.port,
          onReleased,
        });
        const gone = () => hold.release();
        socket.closed.then(gone, gone);
        if (!entry.closed) return socket;
        await socket.close(); // Closed in the moment in which the connection stood.
        options.onReleased?.();
      } catch (error) {
        failure = error;
        refused.add(hold.port);
        if (entry.bound === undefined && refused.size < TRIES && isTaken(error)) continue;
        final = true;
        if (released) options.onReleased?.();
        throw error;
      }
      throw unknownDescriptor(entry.descriptor, "connect");
    }
  }

  #hold(entry: Entry, target: Target, refused: ReadonlySet<number>): PortHold {
    if (entry.bound !== undefined) return entry.bound.retain();
    const { hostname } = entry.candidate;
    const destination = formatAddress(addressOfTarget(target));
    const port = this.#ports.take(hostname, destination, refused);
    return new PortHold(port, () => this.#ports.giveBack(hostname, port, destination));
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.descriptor);
    entry.forget();
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
