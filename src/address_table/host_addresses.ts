import type { AddressSource } from "./address_source.ts";
import { InterfaceAddresses, type InterfaceSelection } from "./interface_addresses.ts";
import { ListedAddresses } from "./listed_addresses.ts";

/** Addresses of the host as a source for an address table. */
export interface HostAddresses extends AddressSource {
  /**
   * IP literals in normal form, without duplicates. Empty when there are more than 4,096, and for
   * the interfaces' addresses until a table has read them.
   */
  readonly addresses: readonly string[];
}

/** Options of {@linkcode hostAddresses}. */
export interface HostAddressesOptions {
  /**
   * Gives numbers from 0 to below 1: which address of a large block is drawn.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
}

/**
 * Addresses that the host has: a list of IP literals, ranges and CIDR blocks.
 *
 * Up to 4,096 addresses are known one by one; of more, such as an IPv6 /64, each descriptor gets
 * one that was drawn, and nothing is held for the rest. Of an IPv4 block neither the network's nor
 * the broadcast address is used, of an IPv6 block not the first one; a /31, /32, /127 or /128 is
 * used whole. On Linux every address of 127.0.0.0/8 belongs to the host.
 *
 * @throws {TypeError} When a text is none of these, when an address is listed twice, or there is
 * none.
 *
 * @example
 * ```ts
 * import { hostAddresses } from "@jackfield/jackfield/core";
 *
 * const source = hostAddresses(["127.0.0.2", "127.0.1.0/28", "10.0.0.1-10.0.0.20", "::0001"]);
 * if (source.size !== 1 + 14 + 20 + 1) throw new Error("unexpected");
 * if (source.addresses.at(-1) !== "::1") throw new Error("unexpected");
 * ```
 */
export function hostAddresses(
  list: readonly string[],
  options?: HostAddressesOptions,
): HostAddresses;
/**
 * What the host's interfaces have; without a selection every address of scope `host` or `global`.
 *
 * They are read when a table starts and with its `refresh()`. In Deno that needs
 * `--allow-sys=networkInterfaces`.
 *
 * @throws {TypeError} When the selection names a family or scope that does not exist.
 */
export function hostAddresses(selection?: InterfaceSelection): HostAddresses;
export function hostAddresses(
  what: readonly string[] | InterfaceSelection = {},
  { random = Math.random }: HostAddressesOptions = {},
): HostAddresses {
  return Array.isArray(what)
    ? new ListedAddresses(what, random)
    : new InterfaceAddresses(what as InterfaceSelection);
}
