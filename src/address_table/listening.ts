import {
  isJackfieldError,
  type Listener,
  type ListenOptions,
  type Socket,
  type SocketAddress,
  type Transport,
} from "../transport/mod.ts";
import type { Entry } from "./entry.ts";
import { guardWrites } from "./guarded_writes.ts";
import { PortHold } from "./port_hold.ts";
import type { PortTable } from "./port_table.ts";
import { unknownDescriptor } from "./table_errors.ts";

/** Options of `AddressTable.listen`. */
export type TableListenOptions = Omit<ListenOptions, "hostname" | "port" | "path">;

/** How many ports are tried when the kernel says that one is in use by somebody else. */
const TRIES = 16;

/** Listen on the entry's bound port, or on one that is free; nothing else may be on the way. */
export async function listenEntry(
  transport: Transport,
  ports: PortTable,
  entry: Entry,
  options: TableListenOptions,
): Promise<Listener> {
  const { promise, resolve: ended } = Promise.withResolvers<void>();
  entry.pending = promise;
  entry.socket = undefined; // A connection that has ended says nothing any more.
  try {
    const listener = new TableListener(
      await listenOnSomePort(transport, ports, entry, options),
      entry,
    );
    if (!entry.closed && entry.lost === undefined) return entry.listener = listener;
    await listener.close(); // Closed, or lost, in the moment in which it listened.
    throw entry.lost ?? unknownDescriptor(entry.descriptor, "listen with");
  } finally {
    entry.pending = undefined;
    ended();
  }
}

async function listenOnSomePort(
  transport: Transport,
  ports: PortTable,
  entry: Entry,
  options: TableListenOptions,
): Promise<Listener> {
  const { hostname } = entry.candidate;
  const chosen = entry.bound === undefined;
  for (let tries = 1;; tries++) {
    const hold = entry.bound ?? new PortHold(ports, hostname, ports.take(hostname));
    hold.retain(); // Not to be given to others while the kernel is asked, whoever closes meanwhile.
    try {
      const listener = await transport.listen({ ...options, hostname, port: hold.port });
      if (chosen && !entry.closed && entry.lost === undefined) entry.bound = hold;
      else if (chosen) hold.release();
      return listener;
    } catch (error) {
      const isTaken = isJackfieldError(error) && error.reason === "address-in-use";
      if (chosen) {
        if (isTaken) hold.rest();
        hold.release();
      }
      if (!chosen || !isTaken || tries === TRIES) throw error;
    } finally {
      hold.release();
    }
  }
}

/** A listener of the table: what it accepts belongs to its descriptor. */
class TableListener implements Listener {
  #inner: Listener;
  #entry: Entry;
  #accepted: Set<Socket>;

  constructor(inner: Listener, entry: Entry) {
    this.#inner = inner;
    this.#entry = entry;
    this.#accepted = entry.accepted ??= new Set();
  }

  get address(): SocketAddress {
    return this.#inner.address;
  }

  get addresses(): readonly SocketAddress[] {
    return this.#inner.addresses;
  }

  async accept(): Promise<Socket> {
    return this.#keep(await this.#inner.accept());
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Socket> {
    for await (const socket of this.#inner) yield this.#keep(socket);
  }

  close(): Promise<void> {
    if (this.#entry.listener === this) this.#entry.listener = undefined;
    return this.#inner.close();
  }

  ref(): void {
    this.#inner.ref();
  }

  unref(): void {
    this.#inner.unref();
  }

  [Symbol.dispose](): void {
    void this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #keep(socket: Socket): Socket {
    const gone = () => void this.#accepted.delete(socket);
    this.#accepted.add(socket);
    socket.closed.then(gone, gone);
    guardWrites(socket, this.#entry);
    if (this.#entry.lost !== undefined) socket.abort(this.#entry.lost);
    return socket;
  }
}
