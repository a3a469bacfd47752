import type { AddressSource } from "../../address_table/mod.ts";
import { DhcpSource } from "./dhcp_source.ts";
import { checkDhcpOptions, type DhcpAddressesOptions } from "./options.ts";
import type { DhcpStats } from "./stats.ts";

/** Addresses of DHCP servers as a source for an address table. */
export interface DhcpAddresses extends AddressSource {
  /** What was sent, seen and refused so far. */
  stats(): DhcpStats;
}

/**
 * Addresses that DHCP servers lease (RFC 2131): any number of them for one host over one interface,
 * each under a client identifier of its own.
 *
 * It asks as a relay agent does, from an address that the interface has: servers answer to that, so
 * it needs neither a route nor a leased address on the host. An interface without an address asks by
 * broadcast. IPv4 only.
 *
 * @throws {TypeError} or {RangeError} for an option that cannot work.
 *
 * @example
 * ```ts
 * import { dhcpAddresses } from "@jackfield/jackfield/dhcp";
 *
 * const source = dhcpAddresses({ interface: "eth0", maxLeases: 16 });
 * if (source.name !== "DHCP on eth0" || source.size !== 16) throw new Error("unexpected");
 * ```
 */
export function dhcpAddresses(options: DhcpAddressesOptions): DhcpAddresses {
  return new DhcpSource(checkDhcpOptions(options));
}
