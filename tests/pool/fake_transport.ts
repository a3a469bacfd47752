import {
  addressOfTarget,
  type ConnectOptions,
  type Host,
  type Listener,
  type Socket,
  type Target,
  type Transport,
} from "../../src/core.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { deferred, type FakeDriver, fakeSocket } from "../transport/fakes.ts";

/** What a connection of a {@linkcode FakeConnect} is like when it stands. */
export interface FakeFacts {
  /** The address behind a name. */
  readonly hostname?: string;
  /** Whether the peer has ended its half already. */
  readonly halfClosed?: boolean;
  /** Bytes that came at once. */
  readonly unread?: Uint8Array;
  /** Told by `close`, and what it waits for. */
  readonly closing?: () => Promise<void>;
}

/** A connect whose outcome the test decides. */
export class FakeConnect {
  /** Where the caller wants to go. */
  readonly target: Target;
  /** What the caller asked for. */
  readonly options: ConnectOptions;
  /** What the caller waits for. */
  readonly outcome: PromiseWithResolvers<Socket> = deferred<Socket>();
  /** The connection, when it stands. */
  made: { readonly socket: Socket; readonly driver: FakeDriver } | undefined;
  #held: (change: 1 | -1) => void;
  #port: number;

  /** `held` is told of the descriptor. */
  constructor(
    target: Target,
    options: ConnectOptions,
    port: number,
    held: (change: 1 | -1) => void,
  ) {
    this.target = target;
    this.options = options;
    this.#port = port;
    this.#held = held;
    held(1);
    options.signal?.addEventListener("abort", () => this.abandon(options.signal!.reason));
  }

  /** The connection stands. */
  open(facts: FakeFacts = {}): { socket: Socket; driver: FakeDriver } {
    const localAddress = {
      hostname: this.options.localAddress ?? "127.0.0.1",
      port: this.#port,
    };
    const named = addressOfTarget(this.target);
    const { hostname = named.hostname, halfClosed = false, unread, closing } = facts;
    const both = fakeSocket({
      localAddress,
      remoteAddress: { ...named, hostname },
      unread,
      ended: { read: halfClosed, write: false },
    });
    both.driver.closing = closing;
    let open = true;
    const gone = () => {
      if (open) this.#held(-1);
      open = false;
    };
    both.socket.closed.then(gone, gone);
    const abort = both.driver.abort.bind(both.driver);
    both.driver.abort = () => (gone(), abort()); // The descriptor goes back within the call.
    this.made = both;
    this.outcome.resolve(both.socket);
    return both;
  }

  /** The connect fails and holds nothing. */
  fail(error: unknown): void {
    this.outcome.reject(error);
    this.release();
  }

  /** The caller is refused; the descriptor is still held. */
  abandon(error: unknown): void {
    this.outcome.reject(error);
  }

  /** The descriptor is given back. */
  release(): void {
    this.#held(-1);
    this.options.onReleased?.();
  }
}

/** Options of {@linkcode FakeTransport}. */
export interface FakeTransportOptions {
  /** What components find in `transport.host`. */
  readonly host?: Host;
  /** What becomes of each connect; without it the test says so later. */
  readonly answer?: (connect: FakeConnect) => void;
}

/** A transport that connects when the test says so. */
export class FakeTransport implements Transport {
  readonly name = "fake";
  readonly capabilities: Transport["capabilities"] = {
    ...memoryTransport().capabilities,
    cancelConnect: false,
  };
  readonly host: Host;
  /** Every connect so far. */
  readonly connects: FakeConnect[] = [];
  /** What becomes of each connect from now on. */
  answer: ((connect: FakeConnect) => void) | undefined;
  /** How many descriptors are held now, and were at most. */
  held = 0;
  mostHeld = 0;

  constructor({ host = {}, answer }: FakeTransportOptions = {}) {
    this.host = host;
    this.answer = answer;
  }

  connect(target: Target, options: ConnectOptions = {}): Promise<Socket> {
    const port = this.connects.length + 1;
    const connect = new FakeConnect(target, options, port, (change) => {
      this.held += change;
      this.mostHeld = Math.max(this.mostHeld, this.held);
    });
    this.connects.push(connect);
    this.answer?.(connect);
    return connect.outcome.promise;
  }

  listen(): Promise<Listener> {
    return Promise.reject(new Error("nobody listens"));
  }
}
