import {
  type ConnectionEnd,
  type ConnectOptions,
  followConnection,
  type Socket,
  type Target,
  type Transport,
} from "../transport/mod.ts";
import type { Entry } from "./entry.ts";
import { isAmbiguous, speaksOfPort } from "./failure.ts";
import { guardWrites } from "./guarded_writes.ts";
import type { Outstanding } from "./outstanding.ts";
import { PortHold } from "./port_hold.ts";
import type { PortTable } from "./port_table.ts";
import { unknownDescriptor } from "./table_errors.ts";

/** Options of `AddressTable.connect`. */
export type TableConnectOptions = Omit<ConnectOptions, "localAddress" | "localPort">;

/** How many ports are tried when the kernel says that one is in use by somebody else. */
const TRIES = 16;

/** How many, when the kernel may as well mean the address. */
const AMBIGUOUS_TRIES = 3;

/** What a connect from an address of the table needs. */
export interface Connecting {
  /** Where the socket comes from. */
  readonly transport: Transport;
  /** Which ports are free. */
  readonly ports: PortTable;
  /** Who has the address. */
  readonly entry: Entry;
  /** Where to. */
  readonly target: Target;
  /** The same as tuples are counted by. */
  readonly destination: string;
  /** The caller's; `onReleased` is told through `outstanding`. */
  readonly options: TableConnectOptions;
  /** What the attempts hold. */
  readonly outstanding: Outstanding;
}

/** Connect from the entry's bound port, or from one that is free; nothing else may be on the way. */
export async function connectEntry(connecting: Connecting): Promise<Socket> {
  const { entry, options: { signal } } = connecting;
  const stop = new AbortController();
  // Not AbortSignal.any: nothing may stay behind at a signal that lives long.
  const giveUp = () => stop.abort(signal!.reason);
  if (signal?.aborted) giveUp();
  else signal?.addEventListener("abort", giveUp, { once: true });
  const { promise, resolve: ended } = Promise.withResolvers<void>();
  entry.pending = promise;
  entry.stop = (reason) => stop.abort(reason);
  entry.socket = undefined; // A connection that has ended says nothing any more.
  try {
    return entry.socket = await connectFromSomePort(connecting, stop.signal);
  } finally {
    signal?.removeEventListener("abort", giveUp);
    entry.pending = undefined;
    entry.stop = undefined;
    ended();
  }
}

/** Try ports until one of them is nobody else's. */
async function connectFromSomePort(connecting: Connecting, signal: AbortSignal): Promise<Socket> {
  const { entry } = connecting;
  let failure: unknown;
  for (let tries = 1;; tries++) {
    let hold: PortHold;
    try {
      hold = takeHold(connecting);
    } catch (error) {
      throw failure ?? error; // What the kernel said of the ports that were left.
    }
    entry.used = hold;
    const attempt = new PortAttempt(hold, connecting.outstanding.begin());
    let socket: Socket;
    try {
      socket = await connecting.transport.connect(connecting.target, {
        ...connecting.options,
        signal,
        localAddress: entry.candidate.hostname,
        localPort: hold.port,
        onReleased: attempt.released,
      });
    } catch (error) {
      failure = error;
      const mayBeTaken = entry.bound === undefined && speaksOfPort(error);
      attempt.failed(mayBeTaken);
      if (mayBeTaken && tries < (isAmbiguous(error) ? AMBIGUOUS_TRIES : TRIES)) continue;
      throw error;
    }
    entry.leave = () => attempt.over("left");
    followConnection(socket, (how) => attempt.over(how));
    if (!entry.closed && entry.lost === undefined) {
      guardWrites(socket, entry);
      return socket;
    }
    // Closed, or lost, in the moment in which the connection stood.
    if (entry.lost !== undefined) socket.abort(entry.lost);
    else await socket.close();
    attempt.dropped();
    throw entry.lost ?? unknownDescriptor(entry.descriptor, "connect");
  }
}

function takeHold({ entry, destination, ports }: Connecting): PortHold {
  if (entry.bound !== undefined) return entry.bound.retain();
  const { hostname } = entry.candidate;
  return new PortHold(ports, hostname, ports.take(hostname, destination), destination);
}

/** One connect of the transport, and the port that it holds until the kernel lets go of it. */
class PortAttempt {
  #hold: PortHold;
  #done: () => void;
  #isReleased = false;
  #hasFailed = false;
  #isOver = false;

  constructor(hold: PortHold, done: () => void) {
    this.#hold = hold;
    this.#done = done;
  }

  /** The transport holds nothing any more; it may say so before or after the connect has failed. */
  released = (): void => {
    this.#isReleased = true;
    if (this.#hasFailed) this.#letGo();
  };

  /** The connect gave no socket; a port that others have rests. */
  failed(mayBeTaken: boolean): void {
    this.#hasFailed = true;
    if (mayBeTaken) this.#hold.rest();
    if (this.#isReleased) this.#letGo();
  }

  /** The connection has ended. One that goes on where nobody tells of its end leaves a port that rests. */
  over(how: ConnectionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (how === "left") this.#hold.rest();
    this.#hold.release();
  }

  /** The connection stood, and the caller does not get it. */
  dropped(): void {
    this.#done();
  }

  #letGo(): void {
    this.#hold.release();
    this.#done();
  }
}
