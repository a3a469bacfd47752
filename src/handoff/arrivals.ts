import {
  createSocket,
  type OwnerLink,
  type ParkedConnection,
  type Socket,
} from "../transport/mod.ts";
import { factsOf, type Frame, type OfferFrame } from "./frames.ts";

/** How many sockets are remembered, for a sender that gives up just when its socket is adopted. */
const MAX_REMEMBERED = 64;

/** What arrivals need of their channel. */
export interface ArrivalTerms {
  /** Where they come from. */
  readonly link: OwnerLink;
  /** Owns a socket from then on. */
  readonly onSocket: ((socket: Socket, data: unknown) => void) | undefined;
  /** Whether no more are wanted. */
  isClosing(): boolean;
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
    const { onSocket, link } = this.#terms;
    const why = this.#refusal(connection);
    if (why !== undefined || connection === undefined || onSocket === undefined) {
      connection?.drop();
      return link.post({ kind: "refused", id, why: why ?? "" } satisfies Frame);
    }
    const adopted: Frame = { kind: "adopted", id };
    this.#pending.add(id);
    try {
      if (!decided) {
        // From then on the sender will not take it back; before that nobody may touch it.
        const arrives = await new Promise<boolean>((told) => link.post(adopted, told));
        // Otherwise the sender may never hear of it, and goes on with its own copy.
        if (!arrives || this.#withdrawn.has(id)) return connection.drop();
      }
      await this.#own(frame, connection, onSocket);
    } catch (error) {
      connection.drop(); // It broke on the way.
      this.#terms.report(error);
    } finally {
      if (decided) link.post(adopted);
      this.#pending.delete(id);
      this.#withdrawn.delete(id);
      this.#terms.settled();
    }
  }

  /** The sender has aborted it. */
  withdraw(id: number): void {
    if (this.#pending.has(id)) this.#withdrawn.add(id);
    this.#adopted.get(id)?.deref()?.abort();
    this.#adopted.delete(id);
  }

  async #own(
    frame: OfferFrame,
    connection: ParkedConnection,
    onSocket: (socket: Socket, data: unknown) => void,
  ): Promise<void> {
    const facts = factsOf(frame);
    const driver = await connection.resume(facts.unread !== undefined);
    const socket = createSocket(driver, facts);
    this.#remember(frame.id, socket);
    try {
      onSocket(socket, frame.body?.data);
    } catch (error) {
      socket.abort(error);
      this.#terms.report(error);
    }
  }

  #refusal(connection: ParkedConnection | undefined): string | undefined {
    if (this.#terms.isClosing()) return "it is closing";
    if (this.#terms.onSocket === undefined) return "it takes no sockets";
    return connection === undefined ? "the connection did not come along" : undefined;
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
