import {
  followConnection,
  isJackfieldError,
  type Socket,
  type Target,
  type Transport,
} from "../transport/mod.ts";
import { AddressNeed } from "./address_choice.ts";
import { connectEntry, type Connecting, type TableConnectOptions } from "./connecting.ts";
import type { Descriptors } from "./descriptors.ts";
import { destinationOf, EVERYWHERE } from "./destination.ts";
import { Entry } from "./entry.ts";
import { isMissing, type RestRule } from "./failure.ts";
import type { Outstanding } from "./outstanding.ts";
import type { PortTable } from "./port_table.ts";
import type { Rests } from "./rests.ts";

/** What connections of a table are made with. */
export interface ConnectorOptions {
  /** Where the sockets come from. */
  readonly transport: Transport;
  /** Which ports are free. */
  readonly ports: PortTable;
  /** Who has which address. */
  readonly descriptors: Descriptors;
  /** Which addresses rest. */
  readonly rests: Rests;
  /** How long one rests after a failure. */
  readonly restAfter: RestRule;
  /**
   * Whether an address stays leased after its connection has left for where nobody tells of its end:
   * whoever has it now would lose it with the address.
   */
  readonly keepsHandedOff: boolean;
}

/** How many addresses are tried when failures speak of the address. */
const TRIES = 4;

/** Connects, lets addresses rest that fail, and goes on to the next one where it may. */
export class Connector {
  #options: ConnectorOptions;

  /** For one table. */
  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Connect a descriptor that has its address. */
  async connect(
    entry: Entry,
    target: Target,
    options: TableConnectOptions,
    outstanding: Outstanding,
  ): Promise<Socket> {
    const destination = destinationOf(target);
    const connecting = { ...this.#options, entry, target, destination, options, outstanding };
    try {
      return await this.#try(connecting);
    } catch (error) {
      this.#judge(connecting, error);
      throw error;
    }
  }

  /** Connect from any address, under a descriptor that goes when the socket closes. */
  async connectAnew(
    target: Target,
    options: TableConnectOptions,
    outstanding: Outstanding,
  ): Promise<Socket> {
    const { descriptors, keepsHandedOff } = this.#options;
    const destination = destinationOf(target); // A target that is none is refused before all else.
    const need = new AddressNeed(target);
    let failure: { readonly error: unknown } | undefined;
    for (let tries = 1;;) {
      let entry: Entry;
      try {
        const created = descriptors.create(need, options.signal);
        entry = created instanceof Entry ? created : await created;
      } catch (error) {
        throw failure === undefined ? error : failure.error;
      }
      const connecting = { ...this.#options, entry, target, destination, options, outstanding };
      try {
        const socket = await this.#try(connecting);
        followConnection(socket, (how) => {
          if (how === "closed" || !keepsHandedOff) descriptors.drop(entry);
        });
        return socket;
      } catch (error) {
        const isFull = isJackfieldError(error, "ADDRESS_EXHAUSTED"); // Another one may have ports.
        const mayGoOn = isFull || (this.#judge(connecting, error) && tries++ < TRIES);
        descriptors.drop(entry);
        if (!mayGoOn) throw error;
        if (!isFull || failure === undefined) failure = { error };
        need.tried.add(entry.candidate.hostname);
        need.acceptsFailed = false;
      }
    }
  }

  async #try(connecting: Connecting): Promise<Socket> {
    const socket = await connectEntry(connecting);
    const { entry, destination } = connecting;
    this.#options.rests.succeed(entry.candidate.hostname, destination);
    return socket;
  }

  /** Let the address rest if the failure speaks of it; whether another one may do better. */
  #judge({ entry, destination, options }: Connecting, error: unknown): boolean {
    if (entry.closed || entry.lost !== undefined || options.signal?.aborted) return false;
    const { rests, restAfter } = this.#options;
    const { hostname } = entry.candidate;
    // An address that is missing is missing for every target.
    const where = isMissing(error) ? EVERYWHERE : destination;
    const failures = rests.failures(hostname, where);
    const forMs = restAfter({ error, localAddress: hostname, target: destination, failures });
    if (!(forMs > 0)) return false;
    rests.fail(hostname, where, forMs);
    return true;
  }
}
