import { roundRobin } from "../strategy/mod.ts";
import {
  assertPort,
  type Clock,
  type Listener,
  type Socket,
  type SocketAddress,
  systemClock,
  type Target,
  type Transport,
} from "../transport/mod.ts";
import { AddressNeed } from "./address_choice.ts";
import type { AddressSource } from "./address_source.ts";
import { AddressStock } from "./address_stock.ts";
import type { TableConnectOptions } from "./connecting.ts";
import { Connector } from "./connector.ts";
import { Descriptors } from "./descriptors.ts";
import { destinationNamed } from "./destination.ts";
import { restAfterFailure } from "./failure.ts";
import { normalIp } from "./ip.ts";
import { listenEntry, type TableListenOptions } from "./listening.ts";
import { Outstanding } from "./outstanding.ts";
import { PortHold } from "./port_hold.ts";
import { planPorts, type PortPlan } from "./port_range.ts";
import { PortTable } from "./port_table.ts";
import { Rests } from "./rests.ts";
import { descriptorInUse } from "./table_errors.ts";
import {
  type AddressTableOptions,
  type BindOptions,
  checkTableOptions,
  type CreateOptions,
  reporterOf,
} from "./table_options.ts";
import { addressStates, type AddressTableState } from "./table_state.ts";

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
  #exclusive: boolean;
  #source: AddressSource;
  #clock: Clock;
  #stock: AddressStock;
  #descriptors: Descriptors;
  #plan: PortPlan;
  #ports: PortTable;
  #rests: Rests;
  #connector: Connector;
  #closing: Promise<void> | undefined;

  /**
   * Checks the options; nothing is leased before somebody asks.
   *
   * @throws {JackfieldError} `UNSUPPORTED` for what the transport or its host lack.
   */
  constructor(options: AddressTableOptions) {
    checkTableOptions(options);
    const { transport, source, clock = systemClock, random, exclusive = false } = options;
    const report = reporterOf(options.onError);
    this.transport = transport;
    this.#source = source;
    this.#exclusive = exclusive;
    this.#clock = clock;
    this.#rests = new Rests(clock);
    this.#plan = planPorts(options.ports, transport.host);
    this.#ports = new PortTable(this.#plan, { random, clock, restMs: options.portRestMs });
    this.#stock = new AddressStock(
      {
        transport,
        source,
        clock,
        exclusive,
        assign: options.assign,
        drainMs: options.drainMs ?? 1000,
        report,
      },
      {
        strategy: options.strategy ?? roundRobin(),
        rests: this.#rests,
        maxAddresses: options.maxAddresses ?? (exclusive ? Infinity : 256),
        maxSocketsPerAddress: exclusive ? 1 : options.maxSocketsPerAddress ?? Infinity,
        reuseRestMs: options.reuseRestMs ?? 0,
      },
    );
    this.#descriptors = new Descriptors(this.#stock, options.maxDescriptors ?? 65_536, report);
    this.#connector = new Connector({
      transport,
      ports: this.#ports,
      descriptors: this.#descriptors,
      rests: this.#rests,
      restAfter: options.restAfter ?? restAfterFailure,
      keepsHandedOff: exclusive || options.assign !== undefined,
    });
  }

  /** How many descriptors are issued. */
  get size(): number {
    return this.#descriptors.size;
  }

  /** How many local ports are in use, over all addresses and destinations. */
  get ports(): number {
    return this.#ports.size;
  }

  /**
   * Associate a new descriptor with an address of the source, which is leased if nobody has it yet.
   *
   * @throws {JackfieldError} `ADDRESS_EXHAUSTED`, `ADDRESS_TABLE_CLOSED`, `ADDRESS_ASSIGN_FAILED` or
   * what the source says; or the signal's reason.
   */
  async create(options: CreateOptions = {}): Promise<number> {
    const need = new AddressNeed(options.target);
    return (await this.#descriptors.create(need, options.signal)).descriptor;
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
    let entry = this.#descriptors.use(descriptor, "bind");
    while (entry.pending !== undefined) {
      await entry.pending;
      entry = this.#descriptors.use(descriptor, "bind");
    }
    if (entry.bound === undefined && !entry.connected) {
      const { hostname } = entry.candidate;
      const taken = port === undefined
        ? this.#ports.take(hostname)
        : this.#ports.takePort(hostname, port);
      entry.bound = new PortHold(this.#ports, hostname, taken);
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
        ? await this.#connector.connect(
          this.#descriptors.useIdle(first, "connect"),
          target,
          options,
          outstanding,
        )
        : await this.#connector.connectAnew(target, options, outstanding);
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
    const entry = this.#descriptors.useIdle(descriptor, "listen with");
    return await listenEntry(this.transport, this.#ports, entry, options);
  }

  /**
   * The local address that the kernel really uses; before `connect` the bound one, with port 0 when
   * there is none.
   *
   * @throws {JackfieldError} `ADDRESS_UNKNOWN_DESCRIPTOR`.
   */
  addressOf(descriptor: number): SocketAddress {
    return this.#descriptors.find(descriptor, "look up").address;
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
    const entry = this.#descriptors.find(descriptor, "close");
    const cannotCancel = entry.stop !== undefined && !this.transport.capabilities.cancelConnect;
    await this.#descriptors.close(entry, cannotCancel);
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
    this.#rests.ask(literalOf(address), destinationNamed(target), forMs);
  }

  /** The same without end: until `lift`. */
  ban(address: string | SocketAddress, target?: string | Target): void {
    this.rest(address, target, Infinity);
  }

  /** End a rest or a ban, also one after a failure; `false` when there was none. */
  lift(address: string | SocketAddress, target?: string | Target): boolean {
    return this.#rests.lift(literalOf(address), destinationNamed(target));
  }

  /** Read the source's addresses again, such as those of the interfaces. */
  refresh(): void {
    this.#stock.refresh();
  }

  /** What is leased, which ports are in use, and what rests, as plain data. */
  state(): AddressTableState {
    const { from, to, source } = this.#plan;
    const { size: used, resting, reserved } = this.#ports;
    return {
      source: this.#source.name,
      leaseable: this.#source.size,
      exclusive: this.#exclusive,
      addresses: addressStates(this.#stock, this.#clock),
      ports: { from, to, source, reserved, used, resting },
      destinations: this.#ports.state(),
      rests: this.#rests.state(),
    };
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
    this.#descriptors.end();
    const closing = this.#descriptors.numbers.map((descriptor) => this.close(descriptor));
    const ends = await Promise.allSettled(closing);
    await this.#stock.settled();
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}

function literalOf(address: string | SocketAddress): string {
  return normalIp(typeof address === "string" ? address : address.hostname);
}
