import {
  type ConnectionCarrier,
  createSocket,
  type DetachedSocket,
  type OwnerEnd,
  type OwnerLink,
  type ParkedConnection,
  type Passage,
  type Socket,
  type SocketDriver,
  socketError,
} from "../transport/mod.ts";
import type { Deadlines } from "./deadlines.ts";
import { type Frame, type OfferTerms, packOffer } from "./frames.ts";
import { endedError, refusedError, timeoutError } from "./handoff_errors.ts";
import type { Places } from "./places.ts";
import { joinUnread } from "./unread.ts";

/** What all departures of a channel share. */
export interface DepartureTerms {
  /** Where to. */
  readonly link: OwnerLink;
  /** Makes the copies. */
  readonly carrier: ConnectionCarrier;
  /** Times the deadlines. */
  readonly deadlines: Deadlines;
  /** How many may be in flight. */
  readonly places: Places;
  /** Told of a callback that threw. */
  report(error: unknown): void;
}

/** What was asked for with one socket. */
export interface DepartureOrder {
  /** Goes along. */
  readonly data: unknown;
  /** What the program read and did not use. */
  readonly unread: Uint8Array | undefined;
  /** For everything until it is adopted. */
  readonly timeoutMs: number;
  /** Gives up. */
  readonly signal: AbortSignal | undefined;
  /** Takes it back. */
  readonly onReturn: ((socket: Socket, error: unknown) => void) | undefined;
  /** What holds for the time after it. */
  readonly terms: OfferTerms;
}

/** One socket on its way to the other end; the steps are those of the drawing in `mod.ts`. */
export class Departure {
  readonly #id: number;
  readonly #terms: DepartureTerms;
  readonly #order: DepartureOrder;
  readonly #detached: DetachedSocket;
  /** What it is about now, for the error of the deadline. */
  #step = "sending what was written";
  #stopped: { readonly reason: unknown } | undefined;
  #isBroken = false;
  /** Ends the wait that is on. */
  #reject: ((reason: unknown) => void) | undefined;
  /** Ends the wait for the answer. */
  #tell: (() => void) | undefined;
  #answer: "adopted" | "refused" | undefined;
  /** Set when the other end has ended. */
  #end: OwnerEnd | undefined;

  /** The connection is out of its socket already. */
  constructor(id: number, terms: DepartureTerms, detached: DetachedSocket, order: DepartureOrder) {
    this.#id = id;
    this.#terms = terms;
    this.#detached = detached;
    this.#order = order;
  }

  /** Resolves when the other end owns it; rejects when it never will. */
  async run(): Promise<void> {
    const { timeoutMs, signal } = this.#order;
    const cancel = this.#terms.deadlines.add(timeoutMs, () => {
      this.stop(timeoutError(timeoutMs, this.#step, this.#detached.remoteAddress));
    });
    const giveUp = () => this.stop(signal!.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      await this.#move();
    } finally {
      cancel();
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /** The other end owns it. */
  adopted(): void {
    this.#answer ??= "adopted";
    this.#tell?.();
  }

  /** The other end has dropped its copy. */
  refused(why: string): void {
    this.#answer ??= "refused";
    if (this.#stopped !== undefined) this.#tell?.();
    this.stop(refusedError(why, this.#detached.remoteAddress));
  }

  /** The other end has ended; its last message has been received. */
  linkEnded(end: OwnerEnd): void {
    this.#end = end;
    if (this.#stopped !== undefined) this.#tell?.();
    this.stop(endedError(end, this.#detached.remoteAddress));
  }

  /** Give it up. */
  stop(reason: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = { reason };
    this.#reject?.(reason);
  }

  async #move(): Promise<void> {
    const { driver, writing } = this.#detached;
    let placed = false;
    try {
      if (writing !== undefined) {
        await this.#until((done) => void writing.then(done, (cause) => this.#break(cause)));
      }
      if (this.#stopped !== undefined) throw this.#stopped.reason;
      this.#step = "waiting for a place";
      // Most often nothing has to be waited for: a wait costs more than the check.
      if (!this.#terms.places.tryTake()) await this.#waitForPlace();
      placed = true;
      const { ready } = this.#terms.carrier;
      if (ready !== undefined) {
        this.#step = "the start of the other end";
        await this.#until((done) => void ready.then(done));
      }
    } catch (error) {
      if (placed) this.#terms.places.pass();
      if (this.#isBroken) {
        driver.abort(); // Bytes are missing: nobody can go on with it.
        throw error;
      }
      const { unread } = this.#detached;
      this.#giveBack(driver, joinUnread(this.#order.unread, unread), error);
      throw error;
    }
    try {
      await this.#offer(driver);
    } finally {
      this.#terms.places.pass();
    }
  }

  async #waitForPlace(): Promise<void> {
    let leave = () => {};
    try {
      await this.#until((done) => leave = this.#terms.places.wait(done));
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #offer(driver: SocketDriver): Promise<void> {
    this.#step = "the answer of the other end";
    const { remoteAddress } = this.#detached;
    let parked: ParkedConnection;
    try {
      const stands = driver.park!();
      parked = stands instanceof Promise ? await stands : stands;
    } catch (cause) {
      driver.abort();
      throw socketError("hand off", remoteAddress, cause);
    }
    let passage: Passage | undefined;
    let failure: unknown;
    try {
      if (this.#stopped !== undefined) throw this.#stopped.reason;
      const { data, terms } = this.#order;
      const facts = { ...this.#detached, unread: this.#unreadOf(parked) };
      passage = this.#terms.carrier.send(packOffer(this.#id, facts, data, terms), parked);
      await this.#until((done) => this.#tell = done);
      return parked.drop();
    } catch (error) {
      failure = error;
    }
    let state = passage === undefined ? "returned" : passage.withdraw();
    // What was taken is answered, so that there is nothing to guess.
    if (state === "taken") await this.#verdict();
    if (this.#answer === "adopted") return parked.drop();
    if (this.#answer === "refused") state = "returned";
    switch (state) {
      case "returned":
        return await this.#return(parked, failure);
      case "taken":
        parked.drop();
        throw endedError(this.#end!, remoteAddress, true);
      case "unknown":
        await this.#abort(parked);
        throw failure;
    }
  }

  /** Resolves with the answer, or with the end of the link. */
  #verdict(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#answer === undefined && this.#end === undefined) this.#tell = resolve;
      else resolve();
    });
  }

  /** Everything that was read and not used. */
  #unreadOf(parked: ParkedConnection): Uint8Array | undefined {
    return joinUnread(this.#order.unread, this.#detached.unread, parked.unread);
  }

  async #return(parked: ParkedConnection, error: unknown): Promise<never> {
    if (this.#order.onReturn === undefined) {
      await this.#abort(parked);
      throw error;
    }
    const unread = this.#unreadOf(parked);
    let driver: SocketDriver;
    try {
      driver = await parked.resume(unread !== undefined);
    } catch {
      parked.drop(); // It has broken meanwhile: there is nothing to give back.
      throw error;
    }
    this.#giveBack(driver, unread, error);
    throw error;
  }

  /** Make a socket of it again, for who asked for that. */
  #giveBack(driver: SocketDriver, unread: Uint8Array | undefined, error: unknown): void {
    const { onReturn } = this.#order;
    if (onReturn === undefined) return driver.abort();
    const { driver: _driver, ...facts } = this.#detached;
    const socket = createSocket(driver, { ...facts, unread });
    try {
      onReturn(socket, error);
    } catch (failure) {
      socket.abort();
      this.#terms.report(failure);
    }
  }

  /** Cut the connection, whoever else may have a copy of it. */
  async #abort(parked: ParkedConnection): Promise<void> {
    try {
      const driver = await parked.resume(true);
      // A reset goes out with the last copy only, and the end of the stream at once.
      if (this.#detached.ended?.write !== true) await driver.closeWrite();
      driver.abort();
    } catch {
      parked.drop(); // It has broken meanwhile.
    }
    this.#terms.link.post(["withdrawn", this.#id] satisfies Frame);
  }

  /** Wait until something calls `done`, or until it is stopped. */
  #until(start: (done: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== undefined) return reject(this.#stopped.reason);
      this.#reject = reject;
      start(resolve);
    });
  }

  #break(cause: unknown): void {
    if (this.#stopped === undefined) this.#isBroken = true;
    this.stop(cause);
  }
}
