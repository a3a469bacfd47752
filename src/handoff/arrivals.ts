import {
  type ConnectionEnd,
  createSocket,
  type OwnerLink,
  type ParkedConnection,
  type Socket,
} from "../transport/mod.ts";
import type { Absence } from "./absence.ts";
import { factsOf, type Frame, type OfferFrame } from "./frames.ts";
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

  /**
   * A copy has come; never rejects. With `decided` the sender cannot take it back any more, whatever it
   * hears.
   */
  async arrive(
    frame: OfferFrame,
    connection: ParkedConnection | undefined,
    decided: boolean,
  ): Promise<void> {
    const { id } = frame;
    const { link } = this.#terms;
    const why = this.#refusal(frame);
    if (why !== undefined || connection === undefined) {
      connection?.drop();
      const words = why ?? "the connection did not come along";
      return link.post({ kind: "refused", id, why: words } satisfies Frame);
    }
    const adopted: Frame = { kind: "adopted", id };
    const absence = frame.returns === undefined ? undefined : this.#terms.absence(frame.returns);
    absence?.comes();
    this.#pending.add(id);
    try {
      if (!decided) {
        // From then on the sender will not take it back; before that nobody may touch it.
        const arrives = await new Promise<boolean>((told) => link.post(adopted, told));
        // Otherwise the sender may never hear of it, and goes on with its own copy.
        if (!arrives || this.#withdrawn.has(id)) {
          absence?.stays();
          return connection.drop();
        }
      }
      await this.#own(frame, connection, absence);
    } catch (error) {
      connection.drop(); // It broke on the way.
      absence?.lost();
      if (frame.tellsEnd) link.post({ kind: "ended", id, how: "closed" } satisfies Frame);
      this.#terms.report(error);
    } finally {
      if (decided) this.#sayAdopted(id);
      this.#pending.delete(id);
      this.#withdrawn.delete(id);
      this.#terms.settled();
    }
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

  async #own(
    frame: OfferFrame,
    connection: ParkedConnection,
    absence: Absence | undefined,
  ): Promise<void> {
    const { id } = frame;
    const facts = factsOf(frame);
    const driver = await connection.resume(facts.unread !== undefined);
    const onEnd = frame.tellsEnd ? this.#tellerOf(id) : absence?.onEnd;
    const socket = createSocket(driver, { ...facts, onEnd });
    if (frame.tellsEnd === true) this.#followed.set(id, socket);
    else this.#remember(id, socket);
    try {
      this.#give(frame, socket, absence);
    } catch (error) {
      socket.abort(error);
      this.#terms.report(error);
    }
  }

  #give({ body, isLent, returns }: OfferFrame, socket: Socket, absence?: Absence): void {
    const { onSocket, onLease, returned, giveBack } = this.#terms;
    if (isLent) return onLease!(new LentSocket(socket, giveBack), body?.data);
    if (absence !== undefined) returned(returns!, socket);
    if (absence?.isLent !== true) onSocket!(socket, body?.data);
  }

  /** Tells the sender of the end. */
  #tellerOf(id: number): (how: ConnectionEnd) => void {
    const tell = (how: ConnectionEnd): void => {
      this.forget(id);
      this.#terms.link.post({ kind: "ended", id, how } satisfies Frame);
    };
    this.#offers.set(tell, id);
    return tell;
  }

  /** One message for all that came in one turn: there a message costs more than all else. */
  #sayAdopted(id: number): void {
    const { link } = this.#terms;
    if (this.#unsaid.push(id) > 1) return;
    const say = (): void => {
      const ids = this.#unsaid.splice(0);
      const frame: Frame = ids.length === 1
        ? { kind: "adopted", id }
        : { kind: "all adopted", ids };
      link.post(frame);
    };
    if (link.atTurnEnd === undefined) say();
    else link.atTurnEnd(say);
  }

  #refusal({ returns, isLent }: OfferFrame): string | undefined {
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
