import type { ConnectOptions, Listener, Socket, Target, Transport } from "../../src/core.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { deferred, type FakeDriver, fakeSocket } from "../transport/fakes.ts";

/** A connect whose outcome the test decides. */
export class FakeConnect {
  /** What the caller asked for. */
  readonly options: ConnectOptions;
  /** What the caller waits for. */
  readonly outcome: PromiseWithResolvers<Socket> = deferred<Socket>();
  #held: (change: 1 | -1) => void;
  #port: number;

  /** `held` is told of the descriptor. */
  constructor(options: ConnectOptions, port: number, held: (change: 1 | -1) => void) {
    this.options = options;
    this.#port = port;
    this.#held = held;
    held(1);
    options.signal?.addEventListener("abort", () => this.abandon(options.signal!.reason));
  }

  /** The connection stands. */
  open(): { socket: Socket; driver: FakeDriver } {
    const localAddress = { hostname: "127.0.0.1", port: this.#port };
    const both = fakeSocket({ localAddress });
    let open = true;
    const gone = () => {
      if (open) this.#held(-1);
      open = false;
    };
    both.socket.closed.then(gone, gone);
    const abort = both.driver.abort.bind(both.driver);
    both.driver.abort = () => (gone(), abort()); // The descriptor goes back within the call.
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

/** A transport that connects when the test says so. */
export class FakeTransport implements Transport {
  readonly name = "fake";
  readonly capabilities: Transport["capabilities"] = {
    ...memoryTransport().capabilities,
    cancelConnect: false,
  };
  readonly host = {};
  /** Every connect so far. */
  readonly connects: FakeConnect[] = [];
  /** How many descriptors are held now, and were at most. */
  held = 0;
  mostHeld = 0;

  connect(_target: Target, options: ConnectOptions = {}): Promise<Socket> {
    const connect = new FakeConnect(options, this.connects.length + 1, (change) => {
      this.held += change;
      this.mostHeld = Math.max(this.mostHeld, this.held);
    });
    this.connects.push(connect);
    return connect.outcome.promise;
  }

  listen(): Promise<Listener> {
    return Promise.reject(new Error("nobody listens"));
  }
}
