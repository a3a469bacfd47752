import {
  assertTimeout,
  type Clock,
  type ConnectionCarrier,
  type Descriptors,
  detachSocket,
  type JackfieldError,
  type OwnerEnd,
  type OwnerLink,
  type ParkedConnection,
  type Socket,
  type SocketDriver,
  systemClock,
  unsupported,
} from "../transport/mod.ts";
import { Arrivals } from "./arrivals.ts";
import { Departure } from "./departure.ts";
import type { Frame, OfferFrame } from "./frames.ts";
import { closedError, endedError } from "./handoff_errors.ts";
import { Places } from "./places.ts";
import { MAX_IN_FLIGHT, TokenCarrier } from "./token_carrier.ts";

/** What was going on when something failed that nobody waits for. */
export type HandoffStage = "receive" | "return" | "message";

/** Options of {@linkcode HandoffChannel}. */
export interface HandoffChannelOptions {
  /** Owns a socket that the other end has sent. Without it every socket is refused. */
  readonly onSocket?: (socket: Socket, data: unknown) => void;
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

/** Options of {@linkcode HandoffChannel.send}. */
export interface SendOptions {
  /** Bytes that were read and not used; the next owner reads them first. */
  readonly unread?: Uint8Array;
  /**
   * Milliseconds for pending writes, a place in flight and the answer together; `Infinity` for no
   * limit.
   *
   * @default {10_000}
   */
  readonly timeoutMs?: number;
  /** Gives up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Takes the connection back, as a new socket, when it could not be moved. It is called before the
   * promise rejects. Without it the connection is aborted then.
   */
  readonly onReturn?: (socket: Socket, error: unknown) => void;
}

const DEFAULT_TIMEOUT_MS = 10_000;
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
  readonly #carrier: ConnectionCarrier | undefined;
  readonly #tokens: TokenCarrier | undefined;
  readonly #clock: Clock;
  readonly #places: Places;
  readonly #arrivals: Arrivals;
  readonly #departures = new Map<number, Departure>();
  readonly #onMessage: HandoffChannelOptions["onMessage"];
  readonly #onError: HandoffChannelOptions["onError"];
  #lastId = 0;
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
    this.#carrier = link.carrier ?? this.#tokens;
    this.#clock = clock;
    this.#places = new Places(maxInFlight);
    this.#onMessage = options.onMessage;
    this.#onError = options.onError;
    this.#arrivals = new Arrivals({
      link,
      onSocket: options.onSocket,
      isClosing: () => this.#closing !== undefined,
      report: (error) => this.#report(error, "receive"),
      settled: () => this.#settle(),
    });
    link.receive({
      message: (message, connection) => this.#receive(message as Frame, connection),
    });
    void link.ended.then((end) => this.#linkEnded(end));
  }

  /** How many sockets were sent from here and are not moved yet. */
  get inFlight(): number {
    return this.#departures.size;
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
    const { unread, timeoutMs = DEFAULT_TIMEOUT_MS, signal, onReturn } = options;
    assertTimeout(timeoutMs);
    signal?.throwIfAborted();
    const refusal = this.#refusal(socket);
    if (refusal !== undefined) throw refusal;
    const carrier = this.#carrier;
    if (carrier === undefined) {
      throw unsupported(
        `handoff to a ${this.#link.kind}`,
        "connections do not travel over this link without descriptors",
      );
    }
    const check = (driver: SocketDriver): void => checkDriver(driver, carrier, this.#link.kind);
    const detached = detachSocket(socket, { whileWriting: true, check });
    const id = ++this.#lastId;
    const departure = new Departure(
      id,
      {
        link: this.#link,
        carrier,
        clock: this.#clock,
        places: this.#places,
        report: (error) => this.#report(error, "return"),
      },
      detached,
      { data, unread, timeoutMs, signal, onReturn },
    );
    this.#departures.set(id, departure);
    try {
      await departure.run();
    } finally {
      this.#departures.delete(id);
      this.#settle();
    }
  }

  /**
   * Send a message to the other end's `onMessage`. After the end of the link nothing happens.
   *
   * It throws the runtime's error for what cannot be cloned.
   */
  post(message: unknown): void {
    this.#link.post({ kind: "message", message } satisfies Frame);
  }

  /**
   * Refuse sockets from now on, in both directions; resolves when none is on its way any more. The
   * link, and messages over it, stay as they are. Every call gives the same promise.
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
    switch (frame.kind) {
      case "message":
        return this.#tell(frame.message);
      case "ledger":
        return this.#tokens?.learn(frame.shared);
      case "offer":
        return this.#offered(frame, connection);
      case "adopted":
        return this.#departures.get(frame.id)?.adopted();
      case "refused":
        return this.#departures.get(frame.id)?.refused(frame.why);
      case "withdrawn":
        return this.#arrivals.withdraw(frame.id);
    }
  }

  #offered(frame: OfferFrame, connection: ParkedConnection | undefined): void {
    const { travelling } = frame;
    let taken = connection;
    if (travelling !== undefined) {
      try {
        taken = this.#tokens?.take(travelling);
      } catch (error) {
        this.#report(error, "receive");
      }
    }
    void this.#arrivals.arrive(frame, taken, travelling !== undefined);
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
    for (const departure of this.#departures.values()) departure.linkEnded(end);
    this.#tokens?.sweep();
    this.#settle();
  }

  #settle(): void {
    if (this.#departures.size === 0 && this.#arrivals.count === 0) this.#closing?.resolve();
  }

  #report(error: unknown, stage: HandoffStage): void {
    try {
      this.#onError?.(error, { stage });
    } catch {
      // The callback that is told of failures has nobody to tell of its own.
    }
  }
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
      "the connection cannot leave its driver: it has TLS, or was not made to be `transferable`",
    );
  }
  const why = carrier.refusal(driver.connection);
  if (why !== undefined) throw unsupported(feature, why);
}
