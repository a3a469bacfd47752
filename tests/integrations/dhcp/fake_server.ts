// A DHCP server in memory, and a network to it that loses, doubles, delays and spoils what it carries.
import type {
  Clock,
  Datagrams,
  DatagramSocket,
  Interfaces,
  OpenDatagramsOptions,
  SocketAddress,
} from "../../../src/transport/mod.ts";
import {
  addressOfBytes,
  bytesOfAddress,
  decodeMessage,
  type DhcpMessage,
  encodeMessage,
  MESSAGE_TYPE,
  OPTION,
} from "../../../src/integrations/dhcp/message.ts";
import { colonHex } from "../../../src/integrations/dhcp/identity.ts";
import { WatchedInterfaces } from "../../address_table/sources.ts";

/** The host's own address, and the server's. */
export const OWN = "10.7.255.1";
export const SERVER = "10.7.0.1";

/** What a server remembers of an address. */
export interface Binding {
  readonly owner: string;
  readonly endsAtMs: number;
}

/** What becomes of a datagram: the delays after which it arrives, and whether it is spoilt. */
export interface Fate {
  readonly delaysMs: readonly number[];
  readonly spoil?: (bytes: Uint8Array) => Uint8Array;
}

/** Options of {@linkcode FakeServer}. */
export interface FakeServerOptions {
  readonly clock: Clock;
  /** How many addresses it has. @default {250} */
  readonly size?: number;
  /** How long a lease lasts. @default {600} */
  readonly leaseSeconds?: number;
  /** T1 and T2, where it says so. */
  readonly renewSeconds?: number;
  readonly rebindSeconds?: number;
  /** Whether it knows clients by their hardware alone. */
  readonly ignoresIdentifiers?: boolean;
  /** Changes what it answers. */
  readonly alter?: (reply: DhcpMessage) => DhcpMessage;
  /** What becomes of each datagram. @default {it arrives after a millisecond} */
  readonly fate?: () => Fate;
}

/** It knows the leases, and who was told what. */
export class FakeServer implements Datagrams {
  /** What is leased, by address. */
  readonly bindings: Map<string, Binding> = new Map();
  /** Addresses that clients have declined. */
  readonly declined: Set<string> = new Set();
  /** The kinds of what came, in order. */
  readonly heard: string[] = [];
  /** How many ports are bound. */
  bound = 0;
  /** Makes the clients' sockets fail, as a system may. */
  breaks: (() => void)[] = [];
  /** Whether it answers. */
  isSilent = false;
  /** Whether it refuses every request. */
  isRefusing = false;
  /** Whether sending fails. */
  isUnreachable = false;
  options: FakeServerOptions;
  /** The clients that listen. */
  #clients = new Set<(bytes: Uint8Array) => void>();

  constructor(options: FakeServerOptions) {
    this.options = options;
  }

  /** The addresses that somebody has now, in order. */
  get leased(): string[] {
    const nowMs = this.options.clock.now();
    return [...this.bindings].filter(([, { endsAtMs }]) => endsAtMs > nowMs).map(([name]) => name);
  }

  open({ onMessage, onError }: OpenDatagramsOptions): Promise<DatagramSocket> {
    this.bound++;
    const tell = (bytes: Uint8Array) => onMessage(bytes, { hostname: SERVER, port: 67 });
    this.#clients.add(tell);
    let isOpen = true;
    this.breaks.push(() => {
      this.bound--;
      this.#clients.delete(tell);
      onError(new Error("broken"));
    });
    return Promise.resolve({
      send: (bytes: Uint8Array, _to: SocketAddress) => {
        if (this.isUnreachable) return Promise.reject(new Error("unreachable"));
        this.#carry(bytes.slice(), (bytes) => this.#hear(bytes, tell));
        return Promise.resolve();
      },
      close: () => {
        if (isOpen) this.bound--;
        isOpen = false;
        this.#clients.delete(tell);
        return Promise.resolve();
      },
    });
  }

  /** Send something to the clients that is no answer of this server. */
  inject(bytes: Uint8Array): void {
    for (const tell of this.#clients) tell(bytes);
  }

  #carry(bytes: Uint8Array, arrive: (bytes: Uint8Array) => void): void {
    const { fate = () => ({ delaysMs: [1] }), clock } = this.options;
    const { delaysMs, spoil = (bytes: Uint8Array) => bytes }: Fate = fate();
    for (const delayMs of delaysMs) clock.schedule(delayMs, () => arrive(spoil(bytes)));
  }

  #hear(bytes: Uint8Array, tell: (bytes: Uint8Array) => void): void {
    let message: DhcpMessage;
    try {
      message = decodeMessage(bytes);
    } catch {
      return; // Spoilt on the way.
    }
    const type = message.options.get(OPTION.messageType)?.[0];
    this.heard.push(
      Object.entries(MESSAGE_TYPE).find(([, code]) => code === type)?.[0] ?? String(type),
    );
    if (!this.isSilent) this.#answer(message, type, tell);
  }

  #answer(
    message: DhcpMessage,
    type: number | undefined,
    tell: (bytes: Uint8Array) => void,
  ): void {
    const reply = (type: number, hostname: string) => {
      this.#carry(this.#reply(message, type, hostname), (bytes) => tell(bytes));
    };
    const { ignoresIdentifiers = false, clock } = this.options;
    const identifier = message.options.get(OPTION.clientIdentifier);
    if (identifier === undefined) return;
    const owner = colonHex(ignoresIdentifiers ? message.hardwareAddress : identifier);
    const named = message.options.get(OPTION.serverIdentifier);
    if (named !== undefined && addressOfBytes(named) !== SERVER) return;
    const wish = message.options.get(OPTION.requestedAddress);
    const wanted = wish?.byteLength === 4 ? addressOfBytes(wish) : message.clientAddress;
    const binding = this.bindings.get(wanted);
    const isTheirs = binding?.owner === owner;
    switch (type) {
      case MESSAGE_TYPE.discover: {
        const found = this.#offer(owner, wanted);
        if (found !== undefined) reply(MESSAGE_TYPE.offer, found);
        return;
      }
      case MESSAGE_TYPE.request: {
        // A server that knows nothing of an INIT-REBOOT is silent (RFC 2131, 4.3.2).
        const isNew = named !== undefined;
        if (!isNew && binding === undefined && this.#has(wanted)) return;
        if (this.isRefusing || !this.#has(wanted) || (!isTheirs && !this.#isFree(wanted))) {
          reply(MESSAGE_TYPE.nak, "0.0.0.0");
          return;
        }
        const { leaseSeconds = 600 } = this.options;
        this.bindings.set(wanted, { owner, endsAtMs: clock.now() + leaseSeconds * 1000 });
        reply(MESSAGE_TYPE.ack, wanted);
        return;
      }
      case MESSAGE_TYPE.decline:
        if (isTheirs) this.bindings.delete(wanted);
        this.declined.add(wanted);
        return;
      case MESSAGE_TYPE.release:
        if (isTheirs) this.bindings.delete(wanted);
    }
  }

  /** What they have, or had, or ask for, or else the first one that is free, which others get too. */
  #offer(owner: string, wanted: string): string | undefined {
    const theirs = [...this.bindings].find(([, binding]) => binding.owner === owner)?.[0];
    if (theirs !== undefined) return theirs;
    if (this.#has(wanted) && this.#isFree(wanted)) return wanted;
    const { size = 250 } = this.options;
    for (let at = 1; at <= size; at++) {
      const hostname = `10.7.${at >> 8}.${at & 255}`;
      if (hostname !== SERVER && this.#isFree(hostname)) return hostname;
    }
    return undefined;
  }

  #has(hostname: string): boolean {
    const [first, second, third, fourth] = hostname.split(".").map(Number);
    const at = third! * 256 + fourth!;
    return first === 10 && second === 7 && at >= 1 && at <= (this.options.size ?? 250);
  }

  #isFree(hostname: string): boolean {
    const binding = this.bindings.get(hostname);
    return !this.declined.has(hostname) &&
      (binding === undefined || binding.endsAtMs <= this.options.clock.now());
  }

  #reply(request: DhcpMessage, type: number, hostname: string): Uint8Array {
    const { leaseSeconds = 600, renewSeconds, rebindSeconds } = this.options;
    const options = new Map<number, Uint8Array>([
      [OPTION.messageType, Uint8Array.of(type)],
      [OPTION.serverIdentifier, bytesOfAddress(SERVER)],
    ]);
    if (type !== MESSAGE_TYPE.nak) options.set(OPTION.leaseSeconds, seconds(leaseSeconds));
    if (renewSeconds !== undefined) options.set(OPTION.renewSeconds, seconds(renewSeconds));
    if (rebindSeconds !== undefined) options.set(OPTION.rebindSeconds, seconds(rebindSeconds));
    const { alter = (reply: DhcpMessage) => reply } = this.options;
    return encodeMessage(alter({
      ...request,
      operation: 2,
      clientAddress: "0.0.0.0",
      yourAddress: hostname,
      options,
    }));
  }
}

function seconds(count: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, count);
  return bytes;
}

/** Interfaces that notice, and have a hardware address. */
export type FakeInterfaces = WatchedInterfaces & Pick<Interfaces, "hardwareAddress">;

/** Interfaces of a host with `eth0`, which has its own address or none. */
export function fakeInterfaces(own: string | undefined = OWN): FakeInterfaces {
  const list = own === undefined ? [] : [{
    hostname: own,
    family: 4,
    interface: "eth0",
    prefixLength: 16,
    scope: "global",
  }];
  const known: Pick<FakeInterfaces, "list" | "hardwareAddress"> = {
    list: () => list as unknown as [],
    hardwareAddress: (name) => name === "eth0" ? "02:00:5e:10:00:01" : undefined,
  };
  return Object.assign(new WatchedInterfaces(), known);
}
