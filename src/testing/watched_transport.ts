import type { ConnectOptions, Socket, Target, Transport } from "../transport/mod.ts";
import { Rules } from "./rules.ts";

/** Options of {@linkcode watchedTransport}. */
export interface WatchedTransportOptions {
  /**
   * How many sockets may be held at any instant, asked before each connect: `maxSize` of a pool.
   *
   * @default {() => Infinity}
   */
  readonly maxSockets?: () => number;
}

/** A transport whose sockets are counted. */
export interface WatchedTransport extends Transport {
  /** How many are held now: those that are open, connects on the way, and given up ones that linger. */
  readonly held: number;
  /** How many were held at most. */
  readonly most: number;
  /** Whether this socket was connected here, and is not over. */
  has(socket: Socket): boolean;
  /**
   * Throws when too many were held at some instant.
   *
   * @throws {Error} Then.
   */
  check(): void;
  /**
   * The same at the end, when nothing may be left.
   *
   * @throws {Error} Also when a socket is held.
   */
  checkEnd(): void;
}

/**
 * The same transport, with an eye on what is connected through it: never more than allowed at any
 * instant, and nothing left in the end.
 *
 * @example
 * ```ts
 * import { SocketPool } from "@jackfield/jackfield/core";
 * import { memoryTransport, watchedTransport } from "@jackfield/jackfield/testing";
 *
 * const network = memoryTransport();
 * const listener = await network.listen();
 * const transport = watchedTransport(network, { maxSockets: () => 2 });
 * const pool = new SocketPool({ transport, target: listener.address, maxSize: 2 });
 * const leases = await Promise.all([pool.acquire(), pool.acquire()]);
 * transport.check();
 * for (const lease of leases) lease.release();
 * await pool.close();
 * transport.checkEnd();
 * await listener.close();
 * ```
 */
export function watchedTransport(
  transport: Transport,
  options: WatchedTransportOptions = {},
): WatchedTransport {
  return new CountingTransport(transport, options.maxSockets ?? (() => Infinity));
}

class CountingTransport implements WatchedTransport {
  readonly name: string;
  readonly capabilities: Transport["capabilities"];
  readonly host: Transport["host"];
  readonly listen: Transport["listen"];
  most = 0;
  #transport: Transport;
  #maxSockets: () => number;
  #rules = new Rules("Sockets");
  #connecting = 0;
  #open = new Set<Socket>();

  constructor(transport: Transport, maxSockets: () => number) {
    this.#transport = transport;
    this.#maxSockets = maxSockets;
    this.name = transport.name;
    this.capabilities = transport.capabilities;
    this.host = transport.host;
    this.listen = (options) => transport.listen(options);
  }

  get held(): number {
    // An end that was closed tells so a little later.
    for (const socket of this.#open) if (isOver(socket)) this.#open.delete(socket);
    return this.#connecting + this.#open.size;
  }

  async connect(target: Target, options: ConnectOptions = {}): Promise<Socket> {
    const held = this.held + 1;
    const maxSockets = this.#maxSockets();
    if (held > maxSockets) this.#rules.broke(`${held} are held, and ${maxSockets} may be`);
    this.most = Math.max(this.most, held);
    this.#connecting++;
    const onReleased = () => {
      this.#connecting--;
      options.onReleased?.();
    };
    const socket = await this.#transport.connect(target, { ...options, onReleased });
    this.#connecting--;
    this.#open.add(socket);
    return socket;
  }

  has(socket: Socket): boolean {
    return this.#open.has(socket) && !isOver(socket);
  }

  check(): void {
    this.#rules.check();
  }

  checkEnd(): void {
    if (this.held > 0) this.#rules.broke(`${this.held} are left`);
    this.#rules.check();
  }
}

function isOver({ state }: Socket): boolean {
  return state === "closed" || state === "gone";
}
