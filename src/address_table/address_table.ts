import {
  assertPort,
  type Listener,
  type Socket,
  type SocketAddress,
  type Target,
  type Transport,
} from "../transport/mod.ts";
import { AddressNeed } from "./address_choice.ts";
import type { TableConnectOptions } from "./connecting.ts";
import { destinationNamed } from "./destination.ts";
import { normalIp } from "./ip.ts";
import { listenEntry, type TableListenOptions } from "./listening.ts";
import { Outstanding } from "./outstanding.ts";
import { publishState } from "./published_state.ts";
import { PortHold } from "./port_hold.ts";
import { descriptorInUse } from "./table_errors.ts";
import type { AddressTableOptions, BindOptions, CreateOptions } from "./table_options.ts";
import { assembleTable, type TableParts } from "./table_parts.ts";
import { type AddressTableState, tableState } from "./table_state.ts";

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
  #parts: TableParts;
  #closing: Promise<void> | undefined;
  /** Where others may ask for the state. */
  #published: Listener[] = [];

  /**
   * Checks the options; nothing is leased before somebody asks.
   *
   * @throws {JackfieldError} `UNSUPPORTED` for what the transport or its host lack.
   */
  constructor(options: AddressTableOptions) {
    this.#parts = assembleTable(options);
    this.transport = options.transport;
  }

  /** How many descriptors are issued. */
  get size(): number {
    return this.#parts.descriptors.size;
  }

  /** How many local ports are in use, over all addresses and destinations. */
  get ports(): number {
    return this.#parts.ports.size;
  }

  /**
   * Associate a new descriptor with an address of the source, which is leased if nobody has it yet.
   *
   * @throws {JackfieldError} `ADDRESS_EXHAUSTED`, `ADDRESS_TABLE_CLOSED`, `ADDRESS_ASSIGN_FAILED` or
   * what the source says; or the signal's reason.
   */
  async create(options: CreateOptions = {}): Promise<number> {
    const need = new AddressNeed(options.target);
    return (await this.#parts.descriptors.create(need, options.signal)).descriptor;
  }

  /**
   * Give the descriptor a local port that is free for every destination. Binding twice gives the
   * same address again. During a connect it waits for the outcome: a connection has its port.
   *
   * The port is the table's from now on; the kernel is asked when the descriptor connects or listens.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR`, `ADDRESS_EXHAUSTED`, `ADDRESS_LEASE_LOST`,
   * or `ADDRESS_IN_USE` when another port than this was asked for, or the port is not free.
   */
  async bind(descriptor: number, { port }: BindOptions = {}): Promise<SocketAddress> {
    if (port !== undefined) assertPort(port);
    if (port === 0) throw new RangeError('Cannot bind port "0": expected 1 to 65535');
    let entry = this.#parts.descriptors.use(descriptor, "bind");
    while (entry.pending !== undefined) {
      await entry.pending;
      entry = this.#parts.descriptors.use(descriptor, "bind");
    }
    if (entry.bound === undefined && !entry.connected) {
      const { hostname } = entry.candidate;
      const taken = port === undefined
        ? this.#parts.ports.take(hostname)
        : this.#parts.ports.takePort(hostname, port);
      entry.bound = new PortHold(this.#parts.ports, hostname, taken);
      entry.socket = undefined; // A connection that has ended says nothing any more.
    }
    if (port === undefined || port === entry.address.port) return entry.address;
    throw descriptorInUse(descriptor, "bind", `bound to port ${entry.address.port}`);
  }

  /** Create, bind and connect in one; closing the socket gives everything back. */
  connect(target: Target, options?: TableConnectOptions): Promise<Socket>;
  /**
   * Connect from the descriptor's address: from its bound port, or else from a port that is free for
   * this destination.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR`, `ADDRESS_IN_USE` when the descriptor is
   * connected, connecting or listening already, `ADDRESS_EXHAUSTED`, `ADDRESS_LEASE_LOST`, or what
   * the transport's `connect` throws.
   */
  connect(descriptor: number, target: Target, options?: TableConnectOptions): Promise<Socket>;
  async connect(
    first: number | Target,
    second?: Target | TableConnectOptions,
    third: TableConnectOptions = {},
  ): Promise<Socket> {
    const target = (typeof first === "number" ? second : first) as Target;
    const options = (typeof first === "number" ? third : second ?? {}) as TableConnectOptions;
    const outstanding = new Outstanding(options.onReleased);
    try {
      return typeof first === "number"
        ? await this.#parts.connector.connect(
          this.#parts.descriptors.useIdle(first, "connect"),
          target,
          options,
          outstanding,
        )
        : await this.#parts.connector.connectAnew(target, options, outstanding);
    } catch (error) {
      outstanding.fail();
      throw error;
    }
  }

  /**
   * Listen on the descriptor's bound port, or else on one that is free for every destination. The
   * listener and what it accepts belong to the descriptor: `close` closes them, too.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR`, `ADDRESS_IN_USE` when the descriptor is
   * connected, connecting or listening already, `ADDRESS_EXHAUSTED`, `ADDRESS_LEASE_LOST`, or what
   * the transport's `listen` throws.
   */
  async listen(descriptor: number, options: TableListenOptions = {}): Promise<Listener> {
    const entry = this.#parts.descriptors.useIdle(descriptor, "listen with");
    return await listenEntry(this.transport, this.#parts.ports, entry, options);
  }

  /**
   * The local address that the kernel really uses; before `connect` the bound one, with port 0 when
   * there is none.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR`.
   */
  addressOf(descriptor: number): SocketAddress {
    return this.#parts.descriptors.find(descriptor, "look up").address;
  }

  /**
   * Close the descriptor's socket or listener, or end its connect, give address and port back and
   * forget the descriptor. Where the transport cannot cancel a connect, its port goes back later,
   * when the kernel lets go of it.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR`, or what went wrong when the address was
   * given back: the descriptor is forgotten all the same.
   */
  async close(descriptor: number): Promise<void> {
    const entry = this.#parts.descriptors.find(descriptor, "close");
    const cannotCancel = entry.stop !== undefined && !this.transport.capabilities.cancelConnect;
    await this.#parts.descriptors.close(entry, cannotCancel);
  }

  /**
   * Let an address rest for a target: `HOST:PORT`, a target, or `undefined` for every one. Meanwhile
   * no new descriptor gets the address for that target; what is connected stays.
   *
   * @throws {TypeError} When the address is no IP literal.
   */
  rest(
    address: string | SocketAddress,
    target: string | Target | undefined,
    forMs: number,
  ): void {
    if (!(forMs > 0)) {
      throw new RangeError(`Cannot use forMs "${forMs}": expected more than 0 milliseconds`);
    }
    this.#parts.rests.ask(literalOf(address), destinationNamed(target), forMs);
  }

  /** The same without end: until `lift`. */
  ban(address: string | SocketAddress, target?: string | Target): void {
    this.rest(address, target, Infinity);
  }

  /** End a rest or a ban, also one after a failure; `false` when there was none. */
  lift(address: string | SocketAddress, target?: string | Target): boolean {
    return this.#parts.rests.lift(literalOf(address), destinationNamed(target));
  }

  /** Read the source's addresses again, such as those of the interfaces. */
  refresh(): void {
    this.#parts.stock.refresh();
  }

  /** What is leased, which ports are in use, and what rests, as plain data. */
  state(): AddressTableState {
    return tableState(this.#parts);
  }

  /**
   * Show {@linkcode state} to every program of this host that asks, as `jackfield addresses` does,
   * until `closeAll`. Linux only. Any user of the host may ask.
   *
   * @param label Names the table to who asks: letters, digits, `_`, `.` and `-`.
   * @throws {JackfieldError} `UNSUPPORTED` where there are no abstract Unix sockets.
   */
  async publish(label: string): Promise<void> {
    const listener = await publishState(this.transport, label, () => this.state());
    if (this.#closing === undefined) this.#published.push(listener);
    else await listener.close();
  }

  /**
   * Close every descriptor and issue no more; every call gives the same promise.
   *
   * @throws The first failure to give an address back, when everything has been tried.
   */
  closeAll(): Promise<void> {
    return this.#closing ??= this.#closeAll();
  }

  /** The same as {@linkcode closeAll}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.closeAll();
  }

  async #closeAll(): Promise<void> {
    await Promise.all(this.#published.map((listener) => listener.close()));
    this.#parts.descriptors.end();
    const closing = this.#parts.descriptors.numbers.map((descriptor) => this.close(descriptor));
    const ends = await Promise.allSettled(closing);
    await this.#parts.stock.settled();
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}

function literalOf(address: string | SocketAddress): string {
  return normalIp(typeof address === "string" ? address : address.hostname);
}
