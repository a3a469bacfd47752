import type {
  ConnectionCarrier,
  Descriptors,
  OwnerLink,
  ParkedConnection,
  Passage,
} from "../transport/mod.ts";
import {
  type Frame,
  goesAlone,
  type OfferFrame,
  type TravellingToken,
  withToken,
} from "./frames.ts";
import { Ledger } from "./ledger.ts";

/** How many sockets of one end may be on their way. */
export const MAX_IN_FLIGHT = 1024;

/** Sends duplicates of connections to another thread, and takes up those that come from there. */
export class TokenCarrier implements ConnectionCarrier {
  /** The way to the ledger, which the other end keeps: it has to outlive who offers. */
  ready: Promise<void> | undefined;
  #link: OwnerLink;
  #descriptors: Descriptors;
  #own: Ledger | undefined;
  /** What is offered in this turn. */
  #offers: OfferFrame[] = [];
  #others: Ledger = new Ledger(MAX_IN_FLIGHT);
  #learnt: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  /** Gives the other end a ledger. */
  constructor(link: OwnerLink, descriptors: Descriptors) {
    this.#link = link;
    this.#descriptors = descriptors;
    this.ready = this.#learnt.promise;
    link.post(["ledger", this.#others.shared] satisfies Frame);
  }

  refusal(connection: unknown): string | undefined {
    return this.#descriptors.refusal(connection);
  }

  send(message: unknown, parked: ParkedConnection): Passage {
    const ledger = this.#own!;
    const token = this.#descriptors.duplicate(parked.connection);
    const entry = ledger.offer(token);
    const withdraw = (): boolean => {
      if (!ledger.withdraw(entry)) return false;
      this.#descriptors.discard(token);
      return true;
    };
    try {
      this.#post(withToken(message as OfferFrame, { token, entry }));
    } catch (error) {
      withdraw();
      throw error;
    }
    return { withdraw: () => withdraw() ? "returned" : "taken" };
  }

  /** Take a duplicate up; `undefined` when it was withdrawn. */
  take({ token, entry }: TravellingToken): ParkedConnection | undefined {
    return this.#others.take(entry) ? this.#descriptors.adopt(token) : undefined;
  }

  /** The other end has given this one a ledger. */
  learn(shared: SharedArrayBuffer): void {
    this.#own = new Ledger(shared);
    this.ready = undefined;
    this.#learnt.resolve();
  }

  /** One message for all that is offered in one turn: there a message costs more than all else. */
  #post(offer: OfferFrame): void {
    const link = this.#link;
    if (goesAlone(offer) || link.atTurnEnd === undefined) return link.post(offer);
    if (this.#offers.push(offer) > 1) return;
    link.atTurnEnd(() => link.post(["offers", this.#offers.splice(0)] satisfies Frame));
  }

  /** The other end has died. */
  sweep(): void {
    this.#others.sweep((token) => this.#descriptors.discard(token));
  }
}
