import { type Clock, JackfieldError, systemClock } from "../transport/mod.ts";
import { AddressPorts, ANYWHERE } from "./address_ports.ts";
import { assertPortRange, DEFAULT_PORTS, type PortPlan, type PortRange } from "./port_range.ts";
import { RestingPorts } from "./resting_ports.ts";

export { ANYWHERE };

/** Options of {@linkcode PortTable}. */
export interface PortTableOptions {
  /** Chooses where the search in the range begins. @default {Math.random} */
  readonly random?: () => number;
  /** Times the rests. @default {systemClock} */
  readonly clock?: Clock;
  /** How long a tuple that the kernel refused is left alone. @default {60_000} */
  readonly restMs?: number;
}

/** How many ports are in use between a local address and a destination. */
export interface DestinationPorts {
  /** The local address. */
  readonly localAddress: string;
  /** `HOST:PORT`, or `*` for ports that are free for no destination. */
  readonly destination: string;
  /** How many are in use. */
  readonly used: number;
  /** How many rest because the kernel refused them. */
  readonly resting: number;
}

/**
 * Which local ports are in use, per local address and destination.
 *
 * A connection is told apart by both ends together (RFC 9293, section 3.4), so the same local port
 * can serve once for every destination. A port costs one bit where an address has many to one
 * destination; an address and destination without ports cost nothing.
 */
export class PortTable {
  #plan: PortRange & Partial<PortPlan>;
  #width: number;
  #reserved: Uint32Array | undefined;
  #available: number;
  #random: () => number;
  #addresses = new Map<string, AddressPorts>();
  #resting: RestingPorts;
  #size = 0;

  /** For these ports; reserved ones are left alone. */
  constructor(
    plan: PortRange & Partial<PortPlan> = DEFAULT_PORTS,
    { random = Math.random, clock = systemClock, restMs = 60_000 }: PortTableOptions = {},
  ) {
    assertPortRange(plan);
    this.#plan = plan;
    this.#width = plan.to - plan.from + 1;
    this.#available = this.#width;
    this.#random = random;
    this.#resting = new RestingPorts(clock, restMs, (one) => {
      this.#free(one.address, one.place, one.destination);
    });
    for (const part of plan.reserved ?? []) this.#reserve(part);
  }

  /** How many ports are in use, over all addresses and destinations. */
  get size(): number {
    return this.#size;
  }

  /** How many tuples rest because the kernel refused them. */
  get resting(): number {
    return this.#resting.size;
  }

  /** How many ports the system keeps for others. */
  get reserved(): number {
    return this.#width - this.#available;
  }

  /**
   * Take a free port; without a destination one that is free for all of them.
   *
   * @throws {JackfieldError} `ADDRESS_EXHAUSTED`.
   */
  take(address: string, destination: string = ANYWHERE): number {
    this.#resting.wake();
    const ports = this.#addresses.get(address) ?? new AddressPorts(this.#width, this.#reserved);
    const place = ports.find(destination, this.#anyPlace);
    if (place === undefined) throw this.#exhausted(address, destination);
    ports.add(place, destination, this.#anyPlace);
    this.#addresses.set(address, ports);
    this.#size++;
    return this.#plan.from + place;
  }

  /**
   * Take this port for every destination; it may lie outside of the range.
   *
   * @throws {JackfieldError} `ADDRESS_IN_USE` when the table has given it to somebody.
   */
  takePort(address: string, port: number): number {
    this.#resting.wake();
    const ports = this.#addresses.get(address) ?? new AddressPorts(this.#width, this.#reserved);
    const place = port - this.#plan.from;
    if (!ports.isFree(place)) {
      throw new JackfieldError(
        "ADDRESS_IN_USE",
        `Cannot bind ${address}: port ${port} is in use`,
        { operation: "bind", localAddress: address },
      );
    }
    ports.add(place, ANYWHERE, this.#anyPlace);
    this.#addresses.set(address, ports);
    this.#size++;
    return port;
  }

  /** Give a port back. */
  giveBack(address: string, port: number, destination: string = ANYWHERE): void {
    if (this.#free(address, port - this.#plan.from, destination)) this.#size--;
  }

  /**
   * Give a port back that is in use by somebody else, as the kernel said: it rests for a while, and
   * the next search begins elsewhere, for who has one often has its neighbours too.
   */
  rest(address: string, port: number, destination: string = ANYWHERE): void {
    const ports = this.#addresses.get(address);
    const place = port - this.#plan.from;
    if (!ports?.has(place, destination)) return;
    this.#size--;
    ports.searchFrom(destination, this.#anyPlace());
    this.#resting.add({ address, destination, place });
  }

  /** What is in use and what rests, as plain data. */
  state(): readonly DestinationPorts[] {
    this.#resting.wake();
    const resting = this.#resting.counts();
    return [...this.#addresses].flatMap(([localAddress, ports]) =>
      ports.sizes().map(([destination, size]) => {
        const rest = resting.get(`${localAddress} ${destination}`) ?? 0;
        return { localAddress, destination, used: size - rest, resting: rest };
      })
    );
  }

  #free(address: string, place: number, destination: string): boolean {
    const ports = this.#addresses.get(address);
    if (ports === undefined || !ports.delete(place, destination)) return false;
    if (ports.isEmpty) this.#addresses.delete(address);
    return true;
  }

  #exhausted(address: string, destination: string): JackfieldError {
    const where = destination === ANYWHERE ? "" : ` to ${destination}`;
    const { from, to } = this.#plan;
    const resting = this.#resting.size === 0 ? "" : " or rest";
    return new JackfieldError(
      "ADDRESS_EXHAUSTED",
      `Cannot bind ${address}${where}: all ${this.#available} ports from ${from} to ${to} are in ` +
        `use${resting}`,
      { operation: "bind", localAddress: address, limit: this.#available },
    );
  }

  #reserve({ from, to }: PortRange): void {
    const reserved = this.#reserved ??= new Uint32Array(this.#width + 31 >>> 5);
    const first = Math.max(0, from - this.#plan.from);
    const last = Math.min(this.#width - 1, to - this.#plan.from);
    for (let place = first; place <= last; place++) {
      const bit = 1 << (place & 31);
      if ((reserved[place >>> 5]! & bit) === 0) this.#available--;
      reserved[place >>> 5]! |= bit;
    }
  }

  #anyPlace = (): number => Math.floor(this.#random() * this.#width);
}
