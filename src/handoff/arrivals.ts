import {
  type ConnectionEnd,
  createSocket,
  type OwnerLink,
  type ParkedConnection,
  type Socket,
} from "../transport/mod.ts";
import type { Absence } from "./absence.ts";
import type { Frame, Offer } from "./frames.ts";
import { LentSocket } from "./lent_socket.ts";

/** How many sockets are remembered, for a sender that gives up just when its socket is adopted. */
const MAX_REMEMBERED = 64;

/** What arrivals need of their channel. */
export interface ArrivalTerms {
  /** Where they come from. */
  readonly link: OwnerLink;
  /** Owns a socket from then on. */
  readonly onSocket: ((socket: Socket, data: unknown) => void) | undefined;
  /** Is lent one. */
  readonly onLease: ((lease: LentSocket, data: unknown) => void) | undefined;
  /** Whether no more are wanted. */
  isClosing(): boolean;
  /** What this end has offered by this id, and the other end is to tell of. */
  absence(id: number): Absence | undefined;
  /** That is here again. */
  returned(id: number, socket: Socket): void;
  /** Send a socket back that was lent. */
  giveBack(socket: Socket): Promise<void>;
  /** Told of what nobody else hears of. */
  report(error: unknown): void;
  /** Told when the last one has arrived. */
  settled(): void;
}

/** Sockets that come from the other end; the steps are those of the drawing in `mod.ts`. */
export class Arrivals {
  #terms: ArrivalTerms;
  /** Those that nobody owns here yet, and those that the sender has aborted among them. */
  #pending = new Set<number>();
  #withdrawn = new Set<number>();
  #adopted = new Map<number, WeakRef<Socket>>();
  /** Those of whose end the sender is to be told, and by what each is told. */
  #followed = new Map<number, Socket>();
  /** Those that are adopted, of which the sender has not been told. */
  #unsaid: number[] = [];
  #offers = new WeakMap<(how: ConnectionEnd) => void, number>();

  /** For one channel. */
  constructor(terms: ArrivalTerms) {
    this.#terms = terms;
  }

  /** How many are on their way to the program. */
  get count(): number {
    return this.#pending.size;
  }

  /** A copy has come. */
  arrive(offer: Offer, connection: ParkedConnection | undefined): void {
    const { id, terms: { returns }, travelling } = offer;
    const { link } = this.#terms;
    const why = this.#refusal(offer);
    if (why !== undefined || connection === undefined) {
      connection?.drop();
      const words = why ?? "the connection did not come along";
      return link.post(["refused", id, words] satisfies Frame);
    }
    const absence = returns === undefined ? undefined : this.#terms.absence(returns);
    absence?.comes();
    this.#pending.add(id);
    // What travels as a token cannot be taken back by the sender any more, whatever it hears.
    if (travelling !== undefined) return void this.#own(offer, connection, absence);
    // From then on the sender will not take it back; before that nobody may touch it.
    link.post(["adopted", id] satisfies Frame, (arrives) => {
      if (arrives && !this.#withdrawn.has(id)) return void this.#own(offer, connection, absence);
      // The sender may never hear of it, and goes on with its own copy.
      absence?.stays();
      connection.drop();
      this.#over(id);
    });
  }

  /** The sender has aborted it. */
  withdraw(id: number): void {
    if (this.#pending.has(id)) this.#withdrawn.add(id);
    (this.#followed.get(id) ?? this.#adopted.get(id)?.deref())?.abort();
    this.#adopted.delete(id);
  }

  /** By which offer a connection has come of which the sender is to be told. */
  offerOf(onEnd: (how: ConnectionEnd) => void): number | undefined {
    return this.#offers.get(onEnd);
  }

  /** The sender has it again, or knows of its end. */
  forget(id: number): void {
    this.#followed.delete(id);
  }

  /** Never rejects. */
  async #own(
    offer: Offer,
    connection: ParkedConnection,
    absence: Absence | undefined,
  ): Promise<void> {
    const { id, facts, terms: { tellsEnd } } = offer;
    try {
      const resumed = connection.resume(facts.unread !== undefined);
      const driver = resumed instanceof Promise ? await resumed : resumed;
      const onEnd = tellsEnd ? this.#tellerOf(id) : absence?.onEnd;
      const socket = createSocket(driver, { ...facts, onEnd });
      if (tellsEnd) this.#followed.set(id, socket);
      else this.#remember(id, socket);
      this.#give(offer, socket, absence);
    } catch (error) {
      connection.drop(); // It broke on the way.
      absence?.lost();
      if (tellsEnd) this.#terms.link.post(["ended", id, "closed"] satisfies Frame);
      this.#terms.report(error);
    } finally {
      if (offer.travelling !== undefined) this.#sayAdopted(id);
      this.#over(id);
    }
  }

  #over(id: number): void {
    this.#pending.delete(id);
    this.#withdrawn.delete(id);
    this.#terms.settled();
  }

  #give({ data, terms: { isLent, returns } }: Offer, socket: Socket, absence?: Absence): void {
    const { onSocket, onLease, returned, giveBack } = this.#terms;
    try {
      if (isLent) return onLease!(new LentSocket(socket, giveBack), data);
      if (absence !== undefined) returned(returns!, socket);
      if (absence?.isLent !== true) onSocket!(socket, data);
    } catch (error) {
      socket.abort(error);
      this.#terms.report(error);
    }
  }

  /** Tells the sender of the end. */
  #tellerOf(id: number): (how: ConnectionEnd) => void {
    const tell = (how: ConnectionEnd): void => {
      this.forget(id);
      this.#terms.link.post(["ended", id, how] satisfies Frame);
    };
    this.#offers.set(tell, id);
    return tell;
  }

  /** One message for all that came in one turn: there a message costs more than all else. */
  #sayAdopted(id: number): void {
    const { link } = this.#terms;
    if (this.#unsaid.push(id) > 1) return;
    const say = (): void => link.post(["adopted", ...this.#unsaid.splice(0)] satisfies Frame);
    if (link.atTurnEnd === undefined) say();
    else link.atTurnEnd(say);
  }

  #refusal({ terms: { returns, isLent } }: Offer): string | undefined {
    const { onSocket, onLease, isClosing, absence } = this.#terms;
    const away = returns === undefined ? undefined : absence(returns);
    if (returns !== undefined && away === undefined) return "nobody waits for it";
    if (away?.isLent) return undefined;
    if (isClosing()) return "it is closing";
    if (isLent) return onLease === undefined ? "it takes no leases" : undefined;
    return onSocket === undefined ? "it takes no sockets" : undefined;
  }

  #remember(id: number, socket: Socket): void {
    this.#adopted.set(id, new WeakRef(socket));
    if (this.#adopted.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#adopted.keys()) {
      this.#adopted.delete(oldest);
      return;
    }
  }
}
