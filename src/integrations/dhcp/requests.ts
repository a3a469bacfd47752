import { bytesOfAddress, type DhcpMessage, MESSAGE_TYPE, OPTION } from "./message.ts";

/** Who asks, and how servers reach him. */
export interface Requester {
  /** See `DhcpMessage.hardwareAddress`. */
  readonly hardwareAddress: Uint8Array;
  /** Option 61. */
  readonly clientIdentifier: Uint8Array;
  /** The host's own address, to which a server answers as to a relay agent; `undefined` for none. */
  readonly relayAddress: string | undefined;
  /** How long a lease to ask for; 0 for what the server gives. */
  readonly leaseMs: number;
}

/** A request without what changes each time it is sent. */
export type Request = Omit<DhcpMessage, "transactionId" | "seconds">;

const NONE = "0.0.0.0";

/** What a client wants to know besides the address. */
const PARAMETERS = [OPTION.leaseSeconds, OPTION.renewSeconds, OPTION.rebindSeconds];

/** Ask every server for an address, this one if it can be had. */
export function discover(requester: Requester, hostname?: string): Request {
  return request(requester, "discover", {
    ...(hostname === undefined ? {} : { requestedAddress: bytesOfAddress(hostname) }),
    ...wishes(requester),
  });
}

/** Take what a server has offered. */
export function select(requester: Requester, hostname: string, server: string): Request {
  return request(requester, "request", {
    requestedAddress: bytesOfAddress(hostname),
    serverIdentifier: bytesOfAddress(server),
    ...wishes(requester),
  });
}

/** Ask whether an address that was leased before a restart is still ours (INIT-REBOOT). */
export function reboot(requester: Requester, hostname: string): Request {
  return request(requester, "request", {
    requestedAddress: bytesOfAddress(hostname),
    ...wishes(requester),
  });
}

/**
 * Ask for more time: one server that is named by where it goes (RENEWING), or every one (REBINDING).
 *
 * Without an own address it has the form of {@linkcode reboot}: the answer is a broadcast then. It
 * would go to the leased address otherwise, which need not be on this host.
 */
export function extend(requester: Requester, hostname: string): Request {
  if (requester.relayAddress === undefined) return reboot(requester, hostname);
  return request(requester, "request", wishes(requester), hostname);
}

/** Tell the server that somebody else has the address. */
export function decline(requester: Requester, hostname: string, server: string): Request {
  return request(requester, "decline", {
    requestedAddress: bytesOfAddress(hostname),
    serverIdentifier: bytesOfAddress(server),
  });
}

/** Give the address back. */
export function release(requester: Requester, hostname: string, server: string): Request {
  const options = { serverIdentifier: bytesOfAddress(server) };
  return request(requester, "release", options, hostname);
}

type Options = Partial<Record<keyof typeof OPTION, Uint8Array>>;

function wishes({ leaseMs }: Requester): Options {
  const seconds = new Uint8Array(4);
  new DataView(seconds.buffer).setUint32(0, Math.floor(leaseMs / 1000));
  return {
    ...(leaseMs === 0 ? {} : { leaseSeconds: seconds }),
    parameterList: Uint8Array.from(PARAMETERS),
  };
}

function request(
  { hardwareAddress, clientIdentifier, relayAddress }: Requester,
  type: keyof typeof MESSAGE_TYPE,
  options: Options,
  clientAddress: string = NONE,
): Request {
  const all = {
    messageType: Uint8Array.of(MESSAGE_TYPE[type]),
    clientIdentifier,
    ...options,
  };
  return {
    operation: 1,
    hops: relayAddress === undefined ? 0 : 1,
    isBroadcast: relayAddress === undefined,
    clientAddress,
    yourAddress: NONE,
    relayAddress: relayAddress ?? NONE,
    hardwareAddress,
    options: new Map(
      Object.entries(all).map(([name, value]) => [OPTION[name as keyof typeof OPTION], value]),
    ),
  };
}
