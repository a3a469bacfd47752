import {
  type ConnectionToken,
  createSocket,
  type Descriptors,
  detachSocket,
  joinBytes,
  type Socket,
  type SocketDriver,
  unsupported,
} from "../transport/mod.ts";

/**
 * A duplicate of a connection that a thread has, kept here to cut the connection by when the thread
 * has ended and its descriptors stay open, see `StartedOwner.mayHoldOn`.
 */
export class Tether {
  #descriptors: Descriptors;
  #token: ConnectionToken | undefined;

  /** The duplicate is this one's. */
  constructor(descriptors: Descriptors, token: ConnectionToken) {
    this.#descriptors = descriptors;
    this.#token = token;
  }

  /** It is not needed any more. */
  drop(): void {
    const token = this.#take();
    if (token !== undefined) this.#descriptors.discard(token);
  }

  /** End the connection, whoever else has a copy of it. */
  async cut(): Promise<void> {
    const token = this.#take();
    if (token === undefined) return;
    const parked = this.#descriptors.adopt(token);
    try {
      const driver = await parked.resume(true);
      // A reset goes out with the last copy only, and the end of the stream at once.
      await Promise.resolve(driver.closeWrite()).catch(() => {});
      driver.abort();
    } catch {
      parked.drop(); // It has broken meanwhile.
    }
  }

  #take(): ConnectionToken | undefined {
    const token = this.#token;
    this.#token = undefined;
    return token;
  }
}

/** What a thread takes, or the reason why not, before anything is changed. */
function checkTravels(driver: SocketDriver, descriptors: Descriptors): void {
  const why = driver.park === undefined || driver.connection === undefined
    ? "the connection cannot leave its driver: it has TLS, or was not made to be `transferable`"
    : descriptors.refusal(driver.connection);
  if (why !== undefined) throw unsupported("handoff to a thread", why);
}

/**
 * Take a connection out of a socket that is `gone` from then on, and put it into another one, which
 * reads `unread` first.
 *
 * @throws {JackfieldError} `UNSUPPORTED`, `SOCKET_BUSY`, `SOCKET_CLOSED` or `SOCKET_GONE`; the socket
 * stays as it is then.
 */
export function takeOut(
  socket: Socket,
  descriptors: Descriptors,
  unread: Uint8Array = new Uint8Array(),
): { readonly held: Socket; readonly connection: unknown } {
  const check = (driver: SocketDriver): void => checkTravels(driver, descriptors);
  const { driver, ...facts } = detachSocket(socket, { whileWriting: true, check });
  const all = joinBytes([unread, facts.unread ?? new Uint8Array()]);
  const held = createSocket(driver, { ...facts, unread: all.byteLength > 0 ? all : undefined });
  return { held, connection: driver.connection };
}
