import type { AddressTable } from "../../address_table/mod.ts";
import { addressOfTarget, type Socket, type Target, type Transport } from "../../transport/mod.ts";
import { BundleEngine } from "./bundle_engine.ts";
import { Dialer, MOST_SOCKETS } from "./dialer.ts";
import { introduce } from "./handshake.ts";
import { type Hello, ID_BYTES, KEY_BYTES, type Purpose } from "./hello.ts";
import type { Member } from "./member.ts";
import { handshakeError } from "./striped_errors.ts";
import { need, needTime, type StripedOptions, stripedSettings } from "./striped_options.ts";
import { type StripedSocket, stripedSocket } from "./striped_socket.ts";

/** Options of {@linkcode connectStriped}. */
export interface ConnectStripedOptions extends StripedOptions {
  /** Where the sockets come from; not needed with `addresses`. */
  readonly transport?: Transport;
  /** Gives every socket its own local address. */
  readonly addresses?: AddressTable;
  /**
   * How many sockets, 1 to 64; `bundle.resize` changes it later.
   *
   * @default {4}
   */
  readonly sockets?: number;
  /**
   * Milliseconds that each connect may take, without the handshake.
   *
   * @default {30_000}
   */
  readonly connectTimeoutMs?: number;
  /**
   * Milliseconds before the second try in a row of a socket to come back; doubled with each one more,
   * and shortened by chance by up to a half.
   *
   * @default {100}
   */
  readonly backoffMs?: number;
  /**
   * The most milliseconds between two tries.
   *
   * @default {5000}
   */
  readonly maxBackoffMs?: number;
  /**
   * Gives numbers from 0 to below 1.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
  /** Gives up while the first socket is on its way. */
  readonly signal?: AbortSignal;
}

/**
 * Open one stream over several sockets to a {@linkcode listenStriped}.
 *
 * It stands with the first socket; the others join as they come. A socket that is lost is dialled
 * again, and what was on it is sent on the others: every byte arrives once and in order as long as one
 * socket stands now and then. `localAddress` and `remoteAddress` are those of the first socket.
 *
 * @param target where the listener is; with `tls` every socket is secured
 * @throws {JackfieldError} What the transport's `connect` throws for the first socket, or
 * `CONNECT_FAILED` and `CONNECT_TIMEOUT` for its handshake.
 *
 * @example
 * ```ts
 * import { connectStriped, listenStriped } from "@jackfield/jackfield/core";
 * import { memoryTransport } from "@jackfield/jackfield/testing";
 *
 * const transport = memoryTransport();
 * const listener = await listenStriped({ transport });
 * const near = await connectStriped(listener.address, { transport, sockets: 2 });
 * const far = await listener.accept();
 * await near.write(new TextEncoder().encode("hello"));
 * const count = await far.read(new Uint8Array(16));
 * if (count !== 5) throw new Error(`unexpected: ${count}`);
 * await Promise.all([near.close(), far.close()]);
 * await listener.close();
 * ```
 */
export async function connectStriped(
  target: Target,
  options: ConnectStripedOptions = {},
): Promise<StripedSocket> {
  const settings = stripedSettings(options);
  const { sockets = 4, connectTimeoutMs = 30_000, signal } = options;
  const { backoffMs = 100, maxBackoffMs = 5000, random = Math.random } = options;
  need({ sockets }, "sockets", 1, MOST_SOCKETS);
  for (const [name, value] of Object.entries({ connectTimeoutMs, backoffMs, maxBackoffMs })) {
    needTime({ [name]: value }, name);
  }
  const open = opener(options);
  const id = crypto.getRandomValues(new Uint8Array(ID_BYTES));
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const helloFor = (purpose: Purpose): Hello => ({
    purpose,
    unitBytes: settings.unitBytes,
    id,
    key,
  });
  const greet = async (purpose: Purpose, signal?: AbortSignal) => {
    const socket = await open(target, { timeoutMs: connectTimeoutMs, signal });
    const giveUp = () => socket.abort(signal!.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    if (signal?.aborted) giveUp();
    try {
      return { socket, welcome: await introduce(socket, helloFor(purpose), settings) };
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  };

  const { socket, welcome } = await greet("open", signal);
  const { localAddress, remoteAddress } = socket;
  if (welcome.outcome !== "stands") {
    socket.abort();
    throw handshakeError(remoteAddress, "the far end says that the new bundle is over");
  }
  const engine = new BundleEngine({
    ...settings,
    role: "connecting",
    peerUnitBytes: welcome.unitBytes,
    remoteAddress,
    ended: () => dialer?.stop(),
  });
  const dial = async (signal: AbortSignal): Promise<Member | undefined> => {
    const { socket, welcome: again } = await greet("join", signal);
    if (again.outcome === "stands" && again.unitBytes === welcome.unitBytes && !engine.isOver) {
      return engine.join(socket);
    }
    void socket.close();
    if (again.outcome !== "stands") engine.concluded(again.outcome);
    return undefined;
  };
  let dialer: Dialer | undefined = undefined;
  const first = engine.join(socket);
  dialer = new Dialer(
    { engine, dial, clock: settings.clock, backoffMs, maxBackoffMs, random },
    first,
  );
  dialer.resize(sockets);
  const targetName = addressOfTarget(target).hostname;
  const facts = { localAddress, remoteAddress, targetName, clock: settings.clock };
  return stripedSocket(engine, facts, dialer);
}

interface OpenOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What opens one connection. */
function opener(
  { addresses, transport }: ConnectStripedOptions,
): (target: Target, options: OpenOptions) => Promise<Socket> {
  if (addresses !== undefined) {
    if (transport !== undefined && transport !== addresses.transport) {
      throw new TypeError("Cannot use transport: the address table has another one");
    }
    return (target, options) => addresses.connect(target, options);
  }
  if (transport === undefined) {
    throw new TypeError("Cannot connect bundle: expected a transport or an address table");
  }
  return (target, options) => transport.connect(target, options);
}
