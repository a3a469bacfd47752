import type { InterfaceAddress } from "../../transport/mod.ts";
import { isUuid } from "./identity.ts";

/** Options of {@linkcode dhcpAddresses}. */
export interface DhcpAddressesOptions {
  /** The name of the interface, such as `eth0`, on whose network the addresses are to be used. */
  readonly interface: string;
  /**
   * The IPv4 literal of the server. Without it servers are found by a broadcast.
   *
   * @default {whoever answers}
   */
  readonly server?: string;
  /**
   * The host's own IPv4 literal to ask from, as a relay agent does.
   *
   * @default {the first one of the interface; when it has none, requests are broadcast without one}
   */
  readonly localAddress?: string;
  /**
   * A UUID by which servers know this host, the same after each start.
   *
   * @default {the one in the state file, or else a new one}
   */
  readonly owner?: string;
  /**
   * A file that keeps what is leased, so that a program that has ended without giving its addresses
   * back gets the same ones at its next start. It belongs to one source.
   *
   * @default {none: what a killed program had leased is free when its time is over}
   */
  readonly stateFile?: string;
  /**
   * The most addresses at once.
   *
   * @default {256}
   */
  readonly maxLeases?: number;
  /**
   * How long a lease to ask for, in milliseconds; the server decides.
   *
   * @default {what the server gives}
   */
  readonly leaseMs?: number;
  /**
   * How long to wait for servers to answer, in milliseconds. It asks at once, after some 4 and after
   * some 12 seconds. A server that has no address left does not answer either.
   *
   * @default {15_000}
   */
  readonly timeoutMs?: number;
  /**
   * Look whether somebody else on the network has an address, before it is used: with `arping -D` (of
   * iputils), which takes a second, or with a function of one's own. Where arping is not installed,
   * or not permitted, the server's own check has to do; `stats().conflictCheck` says which it is.
   *
   * @default {true}
   */
  readonly probe?: boolean | ((hostname: string) => Promise<boolean>);
  /**
   * Gives numbers from 0 to below 1, which spread what is sent over time.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
}

/** The options with everything filled in that can be told without the host. */
export type DhcpSettings =
  & Required<Omit<DhcpAddressesOptions, "server" | "localAddress" | "owner" | "stateFile">>
  & Pick<DhcpAddressesOptions, "server" | "localAddress" | "owner" | "stateFile">;

/** Fill in what is left to choice, and refuse what cannot work. */
export function checkDhcpOptions(options: DhcpAddressesOptions): DhcpSettings {
  const settings: DhcpSettings = {
    maxLeases: 256,
    leaseMs: 0,
    timeoutMs: 15_000,
    probe: true,
    random: Math.random,
    ...options,
  };
  const { interface: name, owner, maxLeases, timeoutMs } = settings;
  if (typeof name !== "string" || !/^[^\s/:]{1,15}$/.test(name)) {
    throw new TypeError(`Cannot use interface "${name}": expected a name, such as "eth0"`);
  }
  for (const key of ["server", "localAddress"] as const) {
    const value = settings[key];
    if (value !== undefined && !isIpv4(value)) {
      throw new TypeError(`Cannot use ${key} "${value}": expected an IPv4 literal`);
    }
  }
  if (owner !== undefined && !isUuid(owner)) {
    throw new TypeError(`Cannot use owner "${owner}": expected a UUID`);
  }
  if (settings.stateFile === "") {
    throw new TypeError('Cannot use stateFile "": expected a path');
  }
  if (!(Number.isInteger(maxLeases) && maxLeases >= 1)) {
    throw new RangeError(`Cannot use maxLeases "${maxLeases}": expected a whole number from 1`);
  }
  if (options.leaseMs !== undefined && !(options.leaseMs >= 1000 && options.leaseMs < 2 ** 41)) {
    throw new RangeError(`Cannot use leaseMs "${options.leaseMs}": expected 1000 or more`);
  }
  if (!(timeoutMs > 0 && timeoutMs < Infinity)) {
    throw new RangeError(`Cannot use timeoutMs "${timeoutMs}": expected more than 0 milliseconds`);
  }
  return settings;
}

/**
 * The host's own address to ask from; `undefined` when the interface has none.
 *
 * @throws {TypeError} When the host has no such address, or no such interface.
 */
export function ownAddress(
  settings: DhcpSettings,
  addresses: readonly InterfaceAddress[],
  exists: boolean | undefined,
): string | undefined {
  const { interface: name, localAddress, server } = settings;
  const own = addresses.filter((one) => one.interface === name && one.family === 4);
  if (localAddress !== undefined) {
    if (own.some(({ hostname }) => hostname === localAddress)) return localAddress;
    throw new TypeError(
      `Cannot use localAddress "${localAddress}": ${name} has ${listOf(own) || "no IPv4 address"}`,
    );
  }
  // A network of one is what an address table adds.
  const found = own.find(({ prefixLength }) => prefixLength < 32)?.hostname;
  if (found !== undefined) return found;
  if (exists !== true && !addresses.some((one) => one.interface === name)) {
    const names = [...new Set(addresses.map((one) => one.interface))].join(", ");
    const why = exists === false ? "the host has no such interface" : "the host shows no such one";
    throw new TypeError(`Cannot use interface "${name}": ${why}; those with an address: ${names}`);
  }
  if (server === undefined) return undefined;
  throw new TypeError(
    `Cannot use server "${server}": ${name} has no IPv4 address of its own to ask it from`,
  );
}

function listOf(addresses: readonly InterfaceAddress[]): string {
  return addresses.map(({ hostname }) => hostname).join(", ");
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && +part < 256);
}
