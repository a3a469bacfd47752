import { assertPort, JackfieldError } from "../transport/mod.ts";

/** A range of ports, both ends included. */
export interface PortRange {
  /** The first port, 1 to 65535. */
  readonly from: number;
  /** The last port. */
  readonly to: number;
}

/** The range that Linux uses by default (ip(7), ip_local_port_range). */
export const DEFAULT_PORTS: PortRange = { from: 32_768, to: 60_999 };

/** Stands for every destination: a port that was bound before its destination was known. */
const ANYWHERE = "*";

interface Ports {
  /** Where the search goes on. */
  next: number;
  readonly used: Set<number>;
}

/**
 * Which local ports are in use, per local address and destination.
 *
 * A connection is told apart by both ends together (RFC 9293, section 3.4), so the same local port
 * can serve once for every destination.
 */
export class PortTable {
  #range: PortRange;
  #random: () => number;
  #ports = new Map<string, Ports>();

  /** `random` chooses where the search in the range begins. */
  constructor(range: PortRange = DEFAULT_PORTS, random: () => number = Math.random) {
    assertPort(range.from, "ports.from");
    assertPort(range.to, "ports.to");
    if (range.from < 1 || range.to < range.from) {
      throw new RangeError(
        `Cannot use ports "${range.from}-${range.to}": expected 1 to 65535, first to last`,
      );
    }
    this.#range = range;
    this.#random = random;
  }

  /**
   * Take a free port; without a destination one that is free for all of them.
   *
   * `refused` are ports that somebody else has: the search leaves them out, and begins elsewhere,
   * for who has one often has its neighbours too.
   *
   * @throws {JackfieldError} `ADDRESS_EXHAUSTED`.
   */
  take(
    address: string,
    destination: string = ANYWHERE,
    refused: ReadonlySet<number> = new Set(),
  ): number {
    const { from, to } = this.#range;
    const key = keyOf(address, destination);
    const ports = this.#ports.get(key) ?? { next: this.#anyPort(), used: new Set<number>() };
    if (refused.size > 0) ports.next = this.#anyPort();
    const count = to - from + 1;
    for (let tries = 0; tries < count; tries++) {
      const port = ports.next;
      ports.next = port === to ? from : port + 1;
      if (refused.has(port) || !this.#isFree(address, destination, port)) continue;
      ports.used.add(port);
      this.#ports.set(key, ports);
      return port;
    }
    const where = destination === ANYWHERE ? "" : ` to ${destination}`;
    throw new JackfieldError(
      "ADDRESS_EXHAUSTED",
      `Cannot bind ${address}${where}: all ${count} ports from ${from} to ${to} are in use`,
      { operation: "bind", localAddress: address, limit: count },
    );
  }

  /** Give a port back. */
  giveBack(address: string, port: number, destination: string = ANYWHERE): void {
    const key = keyOf(address, destination);
    const ports = this.#ports.get(key);
    ports?.used.delete(port);
    if (ports?.used.size === 0) this.#ports.delete(key);
  }

  /** How many ports are in use, over all addresses and destinations. */
  get size(): number {
    let size = 0;
    for (const { used } of this.#ports.values()) size += used.size;
    return size;
  }

  #isFree(address: string, destination: string, port: number): boolean {
    if (this.#ports.get(keyOf(address, destination))?.used.has(port)) return false;
    if (destination !== ANYWHERE) {
      return !this.#ports.get(keyOf(address, ANYWHERE))?.used.has(port);
    }
    for (const [key, { used }] of this.#ports) {
      if (key.startsWith(`${address} `) && used.has(port)) return false;
    }
    return true;
  }

  #anyPort(): number {
    const { from, to } = this.#range;
    return from + Math.floor(this.#random() * (to - from + 1));
  }
}

function keyOf(address: string, destination: string): string {
  return `${address} ${destination}`;
}
