import {
  type Clock,
  type Datagrams,
  type DatagramSocket,
  delay,
  type Host,
  type Interfaces,
  isJackfieldError,
  JackfieldError,
} from "../../transport/mod.ts";
import { encodeMessage, MalformedMessage } from "./message.ts";
import { type DhcpReply, readReply } from "./reply.ts";
import type { Request } from "./requests.ts";
import type { DhcpCounts } from "./stats.ts";

/** Ports of servers and relay agents, and of clients (RFC 2131, section 4.1). */
const SERVER_PORT = 67;
const CLIENT_PORT = 68;

/** Everybody on the network. A socket with an address sends it over that address's interface. */
const EVERYBODY = "255.255.255.255";

/**
 * The pause between messages that nobody answers. 200 of them at once are more than a server's socket
 * holds: seen, it lost half of them, and kept the leases until their end.
 */
const PAUSE_MS = 5;

/** How servers are reached. */
export interface WirePlan {
  /** The name of the interface, for errors. */
  readonly interface: string;
  /** The host's own address, to ask from as a relay agent does. */
  readonly localAddress: string | undefined;
  /** The server, if it is known. */
  readonly server: string | undefined;
}

/**
 * The one socket to the servers: bound while somebody uses it, so that no other client of this host
 * takes its answers away.
 */
export class Wire {
  #datagrams: Datagrams;
  #interfaces: Interfaces;
  #clock: Clock;
  #plan: WirePlan;
  #counts: DhcpCounts;
  #users = 0;
  #socket: Promise<DatagramSocket> | undefined;
  #closing: Promise<void> = Promise.resolve();
  /** Who waits for an answer, by its transaction. */
  #waiting = new Map<number, (reply: DhcpReply) => void>();
  /** When the next message may go that nobody answers. */
  #nextTellMs = -Infinity;

  /** Binds nothing yet. */
  constructor(
    { datagrams, interfaces }: Required<Pick<Host, "datagrams" | "interfaces">>,
    clock: Clock,
    plan: WirePlan,
    counts: DhcpCounts,
  ) {
    this.#datagrams = datagrams;
    this.#interfaces = interfaces;
    this.#clock = clock;
    this.#plan = plan;
    this.#counts = counts;
  }

  /** One user more. */
  enter(): void {
    this.#users++;
  }

  /** One user less; with the last one the port is given back. */
  async leave(): Promise<void> {
    if (--this.#users > 0) return;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    const { interface: name, localAddress } = this.#plan;
    const closing = socket.then((socket) => socket.close(), () => {}).then(() =>
      localAddress === undefined ? this.#interfaces.unrouteBroadcasts?.(name) : undefined
    ).catch(() => {}); // Who has no right to remove the route has added none.
    this.#closing = closing;
    await closing;
  }

  /** Have answers to a transaction told; the result takes it back. */
  expect(transactionId: number, told: (reply: DhcpReply) => void): () => void {
    this.#waiting.set(transactionId, told);
    return () => void this.#waiting.delete(transactionId);
  }

  /** Whether a transaction is on its way. */
  has(transactionId: number): boolean {
    return this.#waiting.has(transactionId);
  }

  /**
   * Send to a server, or to the one of the plan, or to all.
   *
   * @throws {JackfieldError} `LISTEN_FAILED`, `SOCKET_FAILED` or `PERMISSION_DENIED`.
   */
  async send(bytes: Uint8Array, server?: string): Promise<void> {
    const { localAddress, server: planned, interface: name } = this.#plan;
    this.#socket ??= this.#open();
    const socket = await this.#socket;
    const isRelay = localAddress !== undefined;
    // Each time, for it goes with the last address. Without the right, a route may be there already.
    if (!isRelay) await this.#interfaces.routeBroadcasts?.(name).catch(() => {});
    const hostname = isRelay ? server ?? planned ?? EVERYBODY : EVERYBODY;
    this.#counts.sent++;
    try {
      await socket.send(bytes, { hostname, port: SERVER_PORT });
    } catch (cause) {
      if (isRelay || !isJackfieldError(cause, "SOCKET_FAILED")) throw cause;
      const advice = `; ${name} has no address, and so it needs a route: an administrator runs ` +
        `ip route add ${EVERYBODY}/32 dev ${name}`;
      throw new JackfieldError("SOCKET_FAILED", cause.message + advice, { ...cause, cause });
    }
  }

  /** Send what nobody answers, when it is its turn. */
  async tell(message: Request, server: string): Promise<void> {
    const nowMs = this.#clock.now();
    const atMs = Math.max(nowMs, this.#nextTellMs);
    this.#nextTellMs = atMs + PAUSE_MS;
    if (atMs > nowMs) await delay(this.#clock, atMs - nowMs);
    const [transactionId = 0] = crypto.getRandomValues(new Uint32Array(1));
    await this.send(encodeMessage({ ...message, transactionId, seconds: 0 }), server);
  }

  async #open(): Promise<DatagramSocket> {
    await this.#closing;
    const { localAddress } = this.#plan;
    const hostname = localAddress ?? "0.0.0.0";
    const port = localAddress === undefined ? CLIENT_PORT : SERVER_PORT;
    try {
      return await this.#datagrams.open({
        hostname,
        port,
        onMessage: (bytes) => this.#receive(bytes),
        onError: () => this.#socket = undefined, // The next one who sends binds it again.
      });
    } catch (cause) {
      this.#socket = undefined;
      if (!isJackfieldError(cause, "LISTEN_FAILED")) throw cause;
      const { reason = "other" } = cause;
      const advice = ADVICE[reason]?.(port);
      if (advice === undefined) throw cause;
      const message = `${cause.message}; ${advice}`;
      throw new JackfieldError("LISTEN_FAILED", message, { ...cause, cause });
    }
  }

  /** Whatever strangers send: it is told to who waits for it, or counted. */
  #receive(bytes: Uint8Array): void {
    this.#counts.received++;
    let reply: DhcpReply;
    try {
      reply = readReply(bytes);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#counts.malformed++;
      return;
    }
    const told = this.#waiting.get(reply.transactionId);
    if (told === undefined) this.#counts.foreign++;
    else told(reply);
  }
}

const ADVICE: Readonly<Record<string, (port: number) => string>> = {
  "address-in-use": (port) =>
    `a DHCP server, relay agent or client of this host has port ${port}, or another source of ` +
    "this kind: one process leases for all",
  permission: (port) =>
    `grant CAP_NET_BIND_SERVICE, or run: sysctl net.ipv4.ip_unprivileged_port_start=${port}`,
  "address-not-available": () => "the address is gone from its interface",
};
