import {
  type Clock,
  type Descriptors,
  type JackfieldError,
  type OwnerEnd,
  type OwnerLink,
  type ParkedConnection,
  type Socket,
  systemClock,
} from "../transport/mod.ts";
import { Arrivals } from "./arrivals.ts";
import { Departures } from "./departures.ts";
import { type Frame, type OfferFrame, unpackOffer } from "./frames.ts";
import { closedError, endedError } from "./handoff_errors.ts";
import type { LentSocket } from "./lent_socket.ts";
import type { Loan } from "./loan.ts";
import type { LendOptions, SendOptions } from "./send_options.ts";
import { MAX_IN_FLIGHT, TokenCarrier } from "./token_carrier.ts";

/** What was going on when something failed that nobody waits for. */
export type HandoffStage = "receive" | "return" | "message";

/** Options of {@linkcode HandoffChannel}. */
export interface HandoffChannelOptions {
  /** Owns a socket that the other end has sent. Without it every socket is refused. */
  readonly onSocket?: (socket: Socket, data: unknown) => void;
  /** Is lent a socket by the other end. Without it every one is refused. */
  readonly onLease?: (lease: LentSocket, data: unknown) => void;
  /** Told of messages of the other end. */
  readonly onMessage?: (message: unknown) => void;
  /** Told of failures that nobody waits for, and of callbacks that threw. */
  readonly onError?: (error: unknown, context: { readonly stage: HandoffStage }) => void;
  /** Duplicates connections for another thread, see `Host.descriptors`; processes need none. */
  readonly descriptors?: Descriptors;
  /**
   * How many sockets may be on their way at once, at most 1024; further ones wait for a place.
   *
   * @default {64}
   */
  readonly maxInFlight?: number;
  /** Times the deadlines. @default {systemClock} */
  readonly clock?: Clock;
}

const DEFAULT_IN_FLIGHT = 64;

/**
 * Moves sockets between this thread and another owner, both ways, with messages among them.
 *
 * Each end of a link has one. What the other end sends is received from the moment of construction.
 *
 * @example A child process that answers on sockets that were accepted here
 * ```ts
 * import { HandoffChannel, type Transport } from "@jackfield/jackfield/core";
 *
 * async function serve(transport: Transport): Promise<void> {
 *   const child = transport.host.processes!.start("a_script_of_mine");
 *   const channel = new HandoffChannel(child);
 *   const listener = await transport.listen({ transferable: true });
 *   for await (const socket of listener) {
 *     await channel.send(socket, { greeting: "hello" });
 *   }
 * }
 * if (serve.length !== 1) throw new Error("unexpected");
 * ```
 */
export class HandoffChannel {
  readonly #link: OwnerLink;
  readonly #tokens: TokenCarrier | undefined;
  readonly #arrivals: Arrivals;
  readonly #departures: Departures;
  readonly #onMessage: HandoffChannelOptions["onMessage"];
  readonly #onError: HandoffChannelOptions["onError"];
  #end: OwnerEnd | undefined;
  #closing: PromiseWithResolvers<void> | undefined;

  /** Checks the options and begins to receive. */
  constructor(link: OwnerLink, options: HandoffChannelOptions = {}) {
    const { descriptors, maxInFlight = DEFAULT_IN_FLIGHT, clock = systemClock } = options;
    if (!Number.isInteger(maxInFlight) || maxInFlight < 1 || maxInFlight > MAX_IN_FLIGHT) {
      const message = `Cannot use maxInFlight "${maxInFlight}": expected 1 to ${MAX_IN_FLIGHT}`;
      throw new RangeError(message);
    }
    this.#link = link;
    this.#tokens = link.carrier === undefined && descriptors !== undefined
      ? new TokenCarrier(link, descriptors)
      : undefined;
    this.#onMessage = options.onMessage;
    this.#onError = options.onError;
    const settled = (): void => this.#settle();
    this.#arrivals = new Arrivals({
      link,
      onSocket: options.onSocket,
      onLease: options.onLease,
      isClosing: () => this.#closing !== undefined,
      absence: (id) => this.#departures.absence(id),
      returned: (id, socket) => this.#departures.returned(id, socket),
      giveBack: async (socket) => await this.#departures.send(socket, undefined, {}),
      report: (error) => this.#report(error, "receive"),
      settled,
    });
    this.#departures = new Departures({
      link,
      carrier: link.carrier ?? this.#tokens,
      clock,
      maxInFlight,
      offerOf: (onEnd) => this.#arrivals.offerOf(onEnd),
      broughtBack: (offer) => this.#arrivals.forget(offer),
      report: (error) => this.#report(error, "return"),
      settled,
    });
    link.receive({
      message: (message, connection) => this.#receive(message as Frame, connection),
    });
    void link.ended.then((end) => this.#linkEnded(end));
  }

  /** How many sockets were sent from here and are not moved yet. */
  get inFlight(): number {
    return this.#departures.count;
  }

  /** Resolves when the other end has ended, with how. */
  get ended(): Promise<OwnerEnd> {
    return this.#link.ended;
  }

  /**
   * Move a socket to the other end, with any structured data; resolves when that end owns it.
   *
   * The socket that is given is `gone` from the call on. Writes that are pending are waited for. If it
   * cannot be moved, it comes back to `onReturn` or is aborted. Only when the call is refused from the
   * beginning (`SOCKET_BUSY`, `SOCKET_CLOSED`, `SOCKET_GONE`, `UNSUPPORTED`, or `HANDOFF_CLOSED` of
   * a channel that was closed before) does the socket stay as it is.
   *
   * @throws {JackfieldError} `HANDOFF_CLOSED` when this channel is closed or the other end has ended,
   * `HANDOFF_REFUSED`, `HANDOFF_TIMEOUT`, `SOCKET_BUSY` while a read is pending, `SOCKET_CLOSED`,
   * `SOCKET_GONE`, `SOCKET_RESET`, `SOCKET_FAILED`, `UNSUPPORTED`; or the signal's reason; or the
   * runtime's error for data that cannot be cloned.
   */
  async send(socket: Socket, data?: unknown, options: SendOptions = {}): Promise<void> {
    const refusal = this.#refusal(socket);
    if (refusal !== undefined) throw refusal;
    await this.#departures.send(socket, data, options);
  }

  /**
   * Lend a socket to the other end, whose `onLease` is given a lease on it, with any structured data.
   *
   * The socket that is given is `gone` from the call on, unless the call throws. The connection comes
   * back when it is given back, and ends with the other end. What {@linkcode send} does when something
   * goes wrong holds here too, but that a connection that could not be moved always comes back.
   *
   * @throws {JackfieldError} What `send` rejects with when it is refused from the beginning.
   */
  lend(socket: Socket, data?: unknown, options: LendOptions = {}): Loan {
    const refusal = this.#refusal(socket);
    if (refusal !== undefined) throw refusal;
    return this.#departures.lend(socket, data, options);
  }

  /**
   * Send a message to the other end's `onMessage`. After the end of the link nothing happens.
   *
   * It throws the runtime's error for what cannot be cloned. What stands in `transfer` is moved to a
   * thread instead of being copied.
   */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void {
    this.#link.post(["message", message] satisfies Frame, undefined, transfer);
  }

  /**
   * Refuse sockets from now on, in both directions, but for those that were lent and come back;
   * resolves when none is on its way any more. The link, and messages over it, stay as they are. Every
   * call gives the same promise.
   */
  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers();
    this.#settle();
    return this.#closing.promise;
  }

  #refusal(socket: Socket): JackfieldError | undefined {
    if (this.#end !== undefined) return endedError(this.#end, socket.remoteAddress);
    return this.#closing === undefined ? undefined : closedError(socket.remoteAddress);
  }

  #receive(frame: Frame, connection: ParkedConnection | undefined): void {
    switch (frame[0]) {
      case "message":
        return this.#tell(frame[1]);
      case "ledger":
        return this.#tokens?.learn(frame[1]);
      case "offer":
        return this.#offered(frame, connection);
      case "offers":
        return frame[1].forEach((offer) => this.#offered(offer, undefined));
      case "adopted":
        for (let at = 1; at < frame.length; at++) this.#departures.adopted(frame[at] as number);
        return;
      case "refused":
        return this.#departures.refused(frame[1], frame[2]);
      case "ended":
        return this.#departures.ended(frame[1], frame[2]);
      case "withdrawn":
        return this.#arrivals.withdraw(frame[1]);
    }
  }

  #offered(frame: OfferFrame, connection: ParkedConnection | undefined): void {
    const offer = unpackOffer(frame);
    const { travelling, terms: { returns } } = offer;
    if (returns !== undefined) this.#departures.adopted(returns); // Or it would not come back.
    let taken = connection;
    if (travelling !== undefined) {
      try {
        taken = this.#tokens?.take(travelling);
      } catch (error) {
        this.#report(error, "receive");
      }
    }
    this.#arrivals.arrive(offer, taken);
  }

  #tell(message: unknown): void {
    try {
      this.#onMessage?.(message);
    } catch (error) {
      this.#report(error, "message");
    }
  }

  #linkEnded(end: OwnerEnd): void {
    this.#end = end;
    this.#departures.linkEnded(end);
    this.#tokens?.sweep();
    this.#settle();
  }

  #settle(): void {
    if (this.#departures.count === 0 && this.#arrivals.count === 0) this.#closing?.resolve();
  }

  #report(error: unknown, stage: HandoffStage): void {
    try {
      this.#onError?.(error, { stage });
    } catch {
      // The callback that is told of failures has nobody to tell of its own.
    }
  }
}
