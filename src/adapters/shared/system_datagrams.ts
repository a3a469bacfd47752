import { createSocket, type Socket as UdpSocket } from "node:dgram";
import {
  connectionError,
  type Datagrams,
  type DatagramSocket,
  formatAddress,
  JackfieldError,
  type OpenDatagramsOptions,
  osCodeOf,
  permissionDenied,
  type SocketAddress,
} from "../../transport/mod.ts";

/** The part of Deno that says what is permitted: it would ask at the terminal otherwise. */
interface DenoLike {
  readonly permissions: {
    querySync(permission: { readonly name: "net"; readonly host: string }): {
      readonly state: string;
    };
  };
}

/** UDP over `node:dgram`, which Deno, Bun and Node have alike. */
export const systemDatagrams: Datagrams = { open };

function open(options: OpenDatagramsOptions): Promise<DatagramSocket> {
  const { hostname, port } = options;
  const address = { hostname, port };
  return new Promise((resolve, reject) => {
    needNet("listen", address, `listen on ${formatAddress(address)}`);
    const socket = createSocket({ type: "udp4" });
    const refuse = (cause: Error): void => {
      socket.close();
      reject(connectionError("listen", address, cause));
    };
    socket.once("error", refuse);
    socket.bind({ address: hostname, port, exclusive: true }, () => {
      socket.off("error", refuse);
      socket.setBroadcast(true); // Not before it is bound.
      socket.unref();
      resolve(new SystemDatagrams(socket, options));
    });
  });
}

class SystemDatagrams implements DatagramSocket {
  #socket: UdpSocket;
  #closed: Promise<void> | undefined;
  /** Where to Deno permits to send: a question takes longer than the sending. */
  #permitted = new Set<string>();

  constructor(socket: UdpSocket, { onMessage, onError }: OpenDatagramsOptions) {
    this.#socket = socket;
    socket.on("message", (bytes, { address: hostname, port }) => {
      if (this.#closed === undefined) onMessage(bytes, { hostname, port });
    });
    socket.on("error", (error) => {
      if (isRefusal(error)) return;
      void this.close();
      onError(error);
    });
  }

  async send(bytes: Uint8Array, to: SocketAddress): Promise<void> {
    this.#permit(to);
    for (let tries = 1;; tries++) {
      const failure = await this.#trySend(bytes, to);
      if (failure === undefined) return;
      if (!isRefusal(failure)) throw sendFailed(to, failure);
      if (tries === REFUSALS) return; // Lost, as a datagram may be.
    }
  }

  #trySend(bytes: Uint8Array, { hostname, port }: SocketAddress): Promise<Error | undefined> {
    return new Promise((resolve) => {
      if (this.#closed !== undefined) resolve(new Error("the socket is closed"));
      else {
        this.#socket.send(bytes, 0, bytes.byteLength, port, hostname, (failure) => {
          resolve(failure ?? undefined);
        });
      }
    });
  }

  close(): Promise<void> {
    return this.#closed ??= new Promise((resolve) => void this.#socket.close(() => resolve()));
  }

  #permit(to: SocketAddress): void {
    const name = formatAddress(to);
    if (this.#permitted.has(name)) return;
    needNet("send", to, `send to ${name}`);
    this.#permitted.add(name);
  }
}

/**
 * Bun tells that somebody refused an earlier datagram, and sends nothing in that call (IP_RECVERR,
 * ip(7)). Deno and Node never do.
 */
function isRefusal(error: Error): boolean {
  return osCodeOf(error) === "ECONNREFUSED";
}

/** How often a datagram is sent in the face of refusals of earlier ones. */
const REFUSALS = 3;

/** The system's own words: Deno has no code for what `send` fails with. */
function sendFailed(address: SocketAddress, cause: Error): JackfieldError {
  const message = `Cannot send to ${formatAddress(address)}: ${cause.message}`;
  const facts = { operation: "send", address, osCode: osCodeOf(cause), cause };
  return new JackfieldError("SOCKET_FAILED", message, facts);
}

function needNet(operation: string, address: SocketAddress, words: string): void {
  const { Deno } = globalThis as unknown as { readonly Deno?: DenoLike };
  const host = formatAddress(address);
  if (Deno === undefined || Deno.permissions.querySync({ name: "net", host }).state === "granted") {
    return;
  }
  throw permissionDenied(operation, `--allow-net=${host}`, { words });
}
