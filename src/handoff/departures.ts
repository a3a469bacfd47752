import {
  assertTimeout,
  type Clock,
  type ConnectionCarrier,
  type ConnectionEnd,
  detachSocket,
  type OwnerEnd,
  type OwnerLink,
  type Socket,
  type SocketDriver,
  unsupported,
} from "../transport/mod.ts";
import { Absence } from "./absence.ts";
import { Deadlines } from "./deadlines.ts";
import { Departure, type DepartureTerms } from "./departure.ts";
import type { Frame } from "./frames.ts";
import { recalledError } from "./handoff_errors.ts";
import type { Loan } from "./loan.ts";
import { Places } from "./places.ts";
import type { SendOptions } from "./send_options.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** What departures need of their channel. */
export interface DeparturesTerms {
  /** Where to. */
  readonly link: OwnerLink;
  /** Makes the copies; `undefined` where none can be made. */
  readonly carrier: ConnectionCarrier | undefined;
  /** Times the deadlines. */
  readonly clock: Clock;
  /** How many may be on their way at once. */
  readonly maxInFlight: number;
  /** By which offer of the other end a connection has come that tells its end to this one. */
  offerOf(onEnd: (how: ConnectionEnd) => void): number | undefined;
  /** What has come by this offer is with the other end again. */
  broughtBack(offer: number): void;
  /** Told of a callback that threw. */
  report(error: unknown): void;
  /** Told when one departure less is on. */
  settled(): void;
}

/** What is on its way to the other end, and what is to be heard of from there. */
export class Departures {
  readonly #terms: DeparturesTerms;
  readonly #shared: DepartureTerms | undefined;
  readonly #pending = new Map<number, Departure>();
  readonly #absent = new Map<number, Absence>();
  #lastId = 0;

  /** For one channel. */
  constructor(terms: DeparturesTerms) {
    const { link, carrier, clock, maxInFlight, report } = terms;
    this.#terms = terms;
    if (carrier === undefined) return;
    const deadlines = new Deadlines(clock);
    this.#shared = { link, carrier, deadlines, places: new Places(maxInFlight), report };
  }

  /** How many are not moved yet. */
  get count(): number {
    return this.#pending.size;
  }

  /** See `HandoffChannel.send`; throws when it is refused from the beginning. */
  send(socket: Socket, data: unknown, options: SendOptions): Promise<void> {
    return this.#begin(socket, data, options, false).moved;
  }

  /** See `HandoffChannel.lend`. */
  lend(socket: Socket, data: unknown, options: SendOptions): Loan {
    const { id, absence, departure, moved } = this.#begin(socket, data, options, true);
    moved.catch(() => {}); // `back` says the same, in its way.
    return {
      taken: moved,
      back: absence!.back,
      recall: () => {
        absence!.recall();
        if (this.#pending.has(id)) departure.stop(recalledError(socket.remoteAddress));
        else if (this.#absent.has(id)) this.#withdraw(id);
      },
    };
  }

  /** The other end owns it. */
  adopted(id: number): void {
    this.#pending.get(id)?.adopted();
  }

  /** The other end has dropped its copy. */
  refused(id: number, why: string): void {
    this.#pending.get(id)?.refused(why);
  }

  /** The other end says that a connection has ended. */
  ended(id: number, how: ConnectionEnd): void {
    this.#absent.get(id)?.over(how);
  }

  /** What the other end is to tell of under this id. */
  absence(id: number): Absence | undefined {
    return this.#absent.get(id);
  }

  /** It is here again. */
  returned(id: number, socket: Socket): void {
    this.#absent.get(id)!.returned(socket);
    this.#absent.delete(id);
  }

  /** The other end has ended; its last message has been received. */
  linkEnded(end: OwnerEnd): void {
    for (const departure of this.#pending.values()) departure.linkEnded(end);
    for (const absence of this.#absent.values()) absence.over();
  }

  #begin(socket: Socket, data: unknown, options: SendOptions, isLent: boolean): Begun {
    const { unread, timeoutMs = DEFAULT_TIMEOUT_MS, signal, onReturn } = options;
    assertTimeout(timeoutMs);
    signal?.throwIfAborted();
    const { link } = this.#terms;
    const shared = this.#shared;
    if (shared === undefined) {
      throw unsupported(
        `handoff to a ${link.kind}`,
        "connections do not travel over this link without descriptors",
      );
    }
    const check = (driver: SocketDriver): void => checkDriver(driver, shared.carrier, link.kind);
    const detached = detachSocket(socket, { whileWriting: true, follow: true, check });
    const { onEnd } = detached;
    const returns = isLent || onEnd === undefined ? undefined : this.#terms.offerOf(onEnd);
    const absence = isLent || onEnd !== undefined ? new Absence(onEnd, isLent) : undefined;
    const id = ++this.#lastId;
    const departure = new Departure(id, shared, detached, {
      data,
      unread,
      timeoutMs,
      signal,
      // What comes back to where it was before is no business of this side any more.
      terms: { isLent, tellsEnd: absence !== undefined && returns === undefined, returns },
      onReturn: isLent ? (back) => absence!.returned(back) : onReturn && ((back, error) => {
        absence?.returned(back);
        onReturn(back, error);
      }),
    });
    this.#pending.set(id, departure);
    if (absence !== undefined) this.#watch(id, absence);
    return { id, departure, absence, moved: this.#run(id, departure, absence, returns) };
  }

  async #run(
    id: number,
    departure: Departure,
    absence: Absence | undefined,
    returns: number | undefined,
  ): Promise<void> {
    try {
      await departure.run();
      if (returns === undefined) {
        absence?.moved();
        if (absence?.isRecalled) this.#withdraw(id); // It was too late to stop it.
        return;
      }
      this.#absent.delete(id); // Its end is no business of this side any more.
      this.#terms.broughtBack(returns);
    } catch (error) {
      absence?.lost();
      throw error;
    } finally {
      this.#pending.delete(id);
      this.#terms.settled();
    }
  }

  #withdraw(id: number): void {
    this.#terms.link.post(["withdrawn", id] satisfies Frame);
  }

  #watch(id: number, absence: Absence): void {
    this.#absent.set(id, absence);
    void absence.back.then(() => this.#absent.delete(id));
  }
}

interface Begun {
  readonly id: number;
  readonly departure: Departure;
  readonly absence: Absence | undefined;
  readonly moved: Promise<void>;
}

/** Refuse a connection that cannot travel, before anything is changed. */
function checkDriver(
  driver: SocketDriver,
  carrier: ConnectionCarrier,
  kind: OwnerLink["kind"],
): void {
  const feature = `handoff to a ${kind}`;
  if (driver.park === undefined || driver.connection === undefined) {
    throw unsupported(
      feature,
      "the connection cannot leave its driver: with TLS none can, nor can a Deno.Conn; make it with " +
        "`transferable: true` in `connect` or `listen`, or accept it with node:net and `fromSocket`",
    );
  }
  const why = carrier.refusal(driver.connection);
  if (why !== undefined) throw unsupported(feature, why);
}
