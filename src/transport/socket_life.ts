import { systemClock } from "./clock.ts";
import {
  type JackfieldError,
  socketError,
  type SocketStateCode,
  socketStateError,
} from "./errors.ts";
import type { SocketDriver } from "./socket_driver.ts";
import { type ConnectionEnd, NO_DRIVER, type SocketFacts } from "./socket_facts.ts";
import { moveSocket, type SocketEvent, type SocketState } from "./socket_state.ts";
import { Turns } from "./turns.ts";

/** How long `close` waits for pending writes. */
const DRAIN_MS = 30_000;

/**
 * What both halves of a socket share: the driver, the state, and how it all ends.
 *
 * Only this file lets a driver go. Whoever acts on the connection looks at `refusal` first.
 */
export class SocketLife {
  /** What the socket was made with. */
  readonly facts: SocketFacts;
  /** The runtime's side; `NO_DRIVER` when the socket is over. */
  driver: SocketDriver;
  /** The order of the writes; `close` takes the turn after them. */
  readonly writes: Turns = new Turns();
  /** Whether the end of the stream was read. */
  readEnded: boolean;
  /** Whether writes are refused from now on. */
  writeEnded: boolean;
  /**
   * Set by close, abort and detach: makes what every later call rejects with. Most sockets are closed
   * and never asked again, and an error with its stack costs more than the rest of a close.
   */
  refusal: (() => unknown) | undefined;
  /** Told when the connection has ended; see {@linkcode SocketFacts.onEnd}. */
  onEnd: ((how: ConnectionEnd) => void) | undefined;
  /** Set when writing broke; reading may go on, for an answer may already be here. */
  writeFailure: unknown;
  #state: SocketState = "connecting";
  #closing: Promise<void> | undefined;
  /** Made when somebody asks: most sockets are closed without that. */
  #closed: PromiseWithResolvers<void> | undefined;
  #outcome: { readonly failure?: unknown } | undefined;

  /** A connection that stands. */
  constructor(driver: SocketDriver, facts: SocketFacts) {
    this.driver = driver;
    this.facts = facts;
    this.readEnded = facts.ended?.read ?? false;
    this.writeEnded = facts.ended?.write ?? false;
    this.onEnd = facts.onEnd;
    this.#move("opened");
    if (this.readEnded || this.writeEnded) this.#move("halved");
    if (facts.writing !== undefined) {
      void this.writes.take();
      facts.writing.catch((cause) => this.failWrite(cause)).then(() => this.writes.pass());
    }
  }

  /** See {@linkcode Socket.state}. */
  get state(): SocketState {
    return this.#state;
  }

  /** Whether nothing can happen to it any more. */
  get isOver(): boolean {
    return this.#state === "closed" || this.#state === "gone";
  }

  /** See {@linkcode Socket.closed}. */
  get closed(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers<void>();
      this.#closed.promise.catch(() => {}); // Nobody has to look at it.
      if (this.#outcome !== undefined) this.#end(this.#outcome);
    }
    return this.#closed.promise;
  }

  /** An error of this socket. */
  error(code: SocketStateCode, operation: string, why: string): JackfieldError {
    return socketStateError(code, operation, this.facts.remoteAddress, why);
  }

  /** One direction has ended; with both the socket closes. */
  endHalf(half: "read" | "write"): void {
    if (half === "read") this.readEnded = true;
    if (this.#state === "open") this.#move("halved");
    else if (this.#state === "half-closed" && this.readEnded && this.writeEnded) {
      void this.close();
    }
  }

  /** Resolves when the writes that were called so far have ended; rejects when writing broke. */
  written(): Promise<void> {
    const turn = this.writes.take() ?? Promise.resolve();
    const written = turn.then(() => {
      if (this.writeFailure !== undefined) throw this.writeFailure;
    });
    written.catch(() => {}); // Whoever called the write is told as well.
    return written;
  }

  /** See {@linkcode Socket.close}. */
  close(): Promise<void> {
    return this.#closing ??= this.#drainAndClose();
  }

  /** See {@linkcode Socket.abort}. */
  abort(reason: unknown): void {
    if (this.isOver) return;
    this.refusal = () => reason;
    this.#break(reason);
  }

  /** Reading broke it; gives what the caller is told. */
  failRead(cause: unknown): unknown {
    if (this.refusal !== undefined) return this.refusal();
    const failure = socketError("read", this.facts.remoteAddress, cause);
    this.refusal = () => failure;
    this.#break(failure);
    return failure;
  }

  /** Writing broke; gives what the caller is told. */
  failWrite(cause: unknown): unknown {
    if (this.#state === "closed" && this.refusal !== undefined) return this.refusal();
    const failure = this.writeFailure ??= socketError("write", this.facts.remoteAddress, cause);
    this.writeEnded = true;
    this.endHalf("write");
    return failure;
  }

  /** The runtime says, unasked, that the connection has ended; gives whether that is news. */
  gone(cause: unknown): boolean {
    // While closing, `close` says how it ended; after a handoff somebody else listens.
    if (this.isOver || this.#state === "closing") return false;
    this.#move("closed");
    if (cause === undefined) {
      this.writeEnded = true;
      this.#end({});
    } else {
      const failure = socketError("use", this.facts.remoteAddress, cause);
      this.writeFailure ??= failure;
      this.#end({ failure });
    }
    return true;
  }

  /** Somebody else has the driver from now on, and `onEnd` if he follows the connection. */
  handOver(follow: boolean): void {
    if (!follow) this.#tellEnd("left");
    this.onEnd = undefined;
    this.refusal = () => this.error("SOCKET_GONE", "use", "it was handed to another owner");
    this.#move("handed");
    this.#end({});
  }

  #move(event: SocketEvent): void {
    this.#state = moveSocket(this.#state, event);
  }

  async #drainAndClose(): Promise<void> {
    if (this.isOver) return;
    this.#move("closing");
    this.refusal = () => this.error("SOCKET_CLOSED", "use", "it is closed");
    let cancel: (() => void) | undefined; // Without a wait no timer is made.
    try {
      const turn = this.writes.take(); // After the writes that came first.
      if (turn !== undefined) {
        cancel = this.#limitDrain();
        await turn;
      }
      this.writes.pass();
      const closing = this.isOver ? undefined : this.driver.close();
      if (closing !== undefined) {
        cancel ??= this.#limitDrain();
        await closing;
      }
    } catch {
      this.driver.abort(); // Nothing more can be done for the peer; the descriptor must go back.
    } finally {
      cancel?.();
    }
    if (this.isOver) return; // Aborted meanwhile.
    this.#move("closed");
    this.#end({});
    this.#dropDriver();
  }

  /** A peer that takes nothing more must not keep the descriptor. */
  #limitDrain(): () => void {
    const why = `it did not drain within ${DRAIN_MS} ms`;
    return (this.facts.clock ?? systemClock).schedule(DRAIN_MS, () => {
      this.abort(this.error("SOCKET_ABORTED", "close", why));
    });
  }

  /** The end of everything: the descriptor goes back now. */
  #break(reason: unknown): void {
    if (this.isOver) return;
    this.#move("closed");
    this.writeFailure ??= reason;
    this.driver.abort();
    this.#end({ failure: reason });
    this.#dropDriver();
  }

  /** What `closed` says; with a failure it rejects. */
  #end(outcome: { readonly failure?: unknown }): void {
    this.#outcome = outcome;
    this.#tellEnd("closed");
    if ("failure" in outcome) this.#closed?.reject(outcome.failure);
    else this.#closed?.resolve();
  }

  #tellEnd(how: ConnectionEnd): void {
    const { onEnd } = this;
    this.onEnd = undefined;
    if (onEnd !== undefined) queueMicrotask(() => onEnd(how)); // When all is as it will be.
  }

  /**
   * A closed socket keeps nothing of the runtime's: somebody may hold on to it, and in Node a young
   * collection under a load of short connections took 7 ms instead of 0.3 with all that behind them.
   */
  #dropDriver(): void {
    const { alpnProtocol } = this.driver;
    this.driver = alpnProtocol === undefined ? NO_DRIVER : { ...NO_DRIVER, alpnProtocol };
  }
}
