import {
  AcceptQueue,
  createListener,
  isJackfieldError,
  type Listener,
  type ListenerDriver,
  type ListenOptions,
  type Socket,
  type Transport,
} from "../../transport/mod.ts";
import { BundleEngine } from "./bundle_engine.ts";
import { BundleRegister } from "./bundle_register.ts";
import { MOST_SOCKETS } from "./dialer.ts";
import { Gate } from "./gate.ts";
import { receiveHello } from "./handshake.ts";
import { encodeWelcome, type Hello, type Outcome } from "./hello.ts";
import { acceptingSize, type StripedSocket, stripedSocket } from "./striped_socket.ts";
import { handshakeError } from "./striped_errors.ts";
import {
  need,
  type StripedOptions,
  type StripedSettings,
  stripedSettings,
} from "./striped_options.ts";

/** Options of {@linkcode listenStriped}. */
export interface ListenStripedOptions
  extends StripedOptions, Omit<ListenOptions, "onError" | "maxPending" | "transferable"> {
  /** Where the sockets come from. */
  readonly transport: Transport;
  /**
   * How many bundles may stand at a time; further ones are refused.
   *
   * @default {256}
   */
  readonly maxBundles?: number;
  /**
   * How many of them may wait for `accept`; further ones are reset and reported to `onError`.
   *
   * @default {64}
   */
  readonly maxPending?: number;
  /**
   * How many sockets one bundle may have.
   *
   * @default {64}
   */
  readonly maxSockets?: number;
  /**
   * How many connections may be in their handshake; further ones wait.
   *
   * @default {128}
   */
  readonly maxHandshakes?: number;
}

/** Where striped sockets come from. */
export interface StripedListener extends Listener {
  /** The next one. Its other sockets join by themselves. See {@linkcode Listener.accept}. */
  accept(): Promise<StripedSocket>;
  /** One after the other. */
  [Symbol.asyncIterator](): AsyncIterator<StripedSocket>;
}

/**
 * Listen for {@linkcode connectStriped}.
 *
 * A connection whose first bytes are not a hello of this wire format, or that names a bundle without
 * having its key, is closed without a word; `onError` is told why. `close` ends the listening: bundles
 * that were accepted go on with the sockets that they have, and none comes back.
 *
 * @throws {JackfieldError} What the transport's `listen` throws.
 *
 * @example
 * ```ts
 * import { connectStriped, listenStriped } from "@jackfield/jackfield/core";
 * import { memoryTransport } from "@jackfield/jackfield/testing";
 *
 * const transport = memoryTransport();
 * const listener = await listenStriped({ transport, maxBundles: 8 });
 * const near = await connectStriped(listener.address, { transport });
 * const far = await listener.accept();
 * near.abort();
 * await far.read(new Uint8Array(1)).then(() => {
 *   throw new Error("unexpected");
 * }, (error) => {
 *   if (error.code !== "SOCKET_RESET") throw error;
 * });
 * await listener.close();
 * ```
 */
export async function listenStriped(options: ListenStripedOptions): Promise<StripedListener> {
  const { transport, maxBundles = 256, maxPending = 64, maxHandshakes = 128 } = options;
  const { maxSockets = MOST_SOCKETS } = options;
  const settings = stripedSettings(options);
  need({ maxBundles }, "maxBundles", 1, Number.MAX_SAFE_INTEGER);
  need({ maxPending }, "maxPending", 1, Number.MAX_SAFE_INTEGER);
  need({ maxHandshakes }, "maxHandshakes", 1, Number.MAX_SAFE_INTEGER);
  need({ maxSockets }, "maxSockets", 1, MOST_SOCKETS);
  const { hostname, port, path, backlog, reusePort, noDelay, keepAlive, tls, onError } = options;
  const words = { hostname, port, path, backlog, reusePort, noDelay, keepAlive, tls, onError };
  const given = Object.fromEntries(Object.entries(words).filter(([, word]) => word !== undefined));
  const listener = await transport.listen(given);
  const driver = new StripedListenerDriver(listener, {
    ...settings,
    maxBundles,
    maxPending,
    maxHandshakes,
    maxSockets,
  });
  return createListener([driver], { onError, clock: settings.clock }) as StripedListener;
}

interface Limits {
  readonly maxBundles: number;
  readonly maxPending: number;
  readonly maxHandshakes: number;
  readonly maxSockets: number;
}

/** Takes connections from a listener, and makes bundles of them. */
class StripedListenerDriver implements ListenerDriver {
  readonly address: Listener["address"];
  #listener: Listener;
  #settings: StripedSettings & Limits;
  #register: BundleRegister;
  #queue: AcceptQueue;
  #gate: Gate;
  /** In their handshake. */
  #strangers = new Set<Socket>();
  #isClosed = false;

  constructor(listener: Listener, settings: StripedSettings & Limits) {
    this.address = listener.address;
    this.#listener = listener;
    this.#settings = settings;
    this.#register = new BundleRegister(settings.clock);
    this.#queue = new AcceptQueue(listener.address, settings.maxPending);
    this.#gate = new Gate(settings.maxHandshakes);
    void this.#takeAll();
  }

  accept(): Promise<Socket> {
    return this.#queue.take();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue.close();
    for (const socket of this.#strangers) socket.abort();
    await this.#listener.close();
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }

  async #takeAll(): Promise<void> {
    for (;;) {
      await this.#gate.enter();
      let socket: Socket;
      try {
        socket = await this.#listener.accept();
      } catch (error) {
        if (isJackfieldError(error, "LISTENER_CLOSED") || this.#isClosed) return;
        this.#queue.fail(error); // It is told as a failed accept.
        this.#gate.leave();
        continue;
      }
      this.#strangers.add(socket);
      this.#greet(socket).catch((error) => this.#report(error)).finally(() => {
        this.#strangers.delete(socket);
        this.#gate.leave();
      });
    }
  }

  async #greet(socket: Socket): Promise<void> {
    const hello = await receiveHello(socket, this.#settings);
    let refusal: string | undefined;
    try {
      refusal = hello.purpose === "open"
        ? await this.#open(socket, hello)
        : await this.#join(socket, hello);
    } catch (error) {
      socket.abort();
      throw error;
    }
    if (refusal === undefined) return;
    void socket.close(); // Without a word: a stranger learns nothing.
    throw handshakeError(socket.remoteAddress, refusal);
  }

  /** Make a bundle; gives why not. */
  async #open(socket: Socket, hello: Hello): Promise<string | undefined> {
    const { maxBundles, clock } = this.#settings;
    if (this.#isClosed) return "the listener is closed";
    if (this.#register.has(hello)) return "there is a bundle of this name";
    if (this.#register.size >= maxBundles) return `${maxBundles} bundles stand already`;
    const { localAddress, remoteAddress } = socket;
    const engine = new BundleEngine({
      ...this.#settings,
      role: "accepting",
      peerUnitBytes: hello.unitBytes,
      remoteAddress,
      ended: (outcome) => this.#register.end(hello.id, outcome),
    });
    this.#register.add(hello, engine);
    try {
      await this.#welcome(socket, "stands");
    } catch (error) {
      engine.abort();
      throw error;
    }
    engine.join(socket);
    const facts = { localAddress, remoteAddress, clock };
    this.#queue.push(stripedSocket(engine, facts, acceptingSize(engine)));
    return undefined;
  }

  /** Add a connection to its bundle; gives why not. */
  async #join(socket: Socket, hello: Hello): Promise<string | undefined> {
    const entry = this.#register.find(hello);
    if (entry === undefined) return "there is no such bundle, or the key is another one";
    const { maxSockets } = this.#settings;
    if ((entry.engine?.members.length ?? 0) >= maxSockets) {
      return `the bundle has ${maxSockets} sockets already`;
    }
    await this.#welcome(socket, entry.outcome);
    if (entry.engine === undefined) void socket.close();
    else entry.engine.join(socket);
    return undefined;
  }

  async #welcome(socket: Socket, outcome: Outcome): Promise<void> {
    await socket.write(encodeWelcome({ outcome, unitBytes: this.#settings.unitBytes }));
  }

  #report(error: unknown): void {
    try {
      this.#settings.onError?.(error, { stage: "handshake" });
    } catch {
      // A listener must outlive the callback that watches it.
    }
  }
}
