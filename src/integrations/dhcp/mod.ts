/**
 * Addresses leased from DHCP servers, as a source for an address table.
 *
 * The table asks for an address when a descriptor needs one; this client finds it (discover, offer,
 * request, ack), looks whether somebody else has it, renews it while it is in use and gives it back.
 * How the host gets it is the table's business: `assign` adds it to an interface.
 *
 * ```text
 * mod ── dhcp_addresses ── dhcp_source   which leases there are, who may ask, what is kept in a file
 *                            ├─ acquire     one address: discover and request, or what was before
 *                            ├─ dhcp_lease  one lease: renew at T1, rebind at T2, release
 *                            └─ exchange    ask again until an answer fits
 *                                 └─ wire      one socket; answers by their transaction
 *                                      └─ reply, requests ── message   bytes
 * ```
 *
 * Time is the clock of the table. A lease counts from before it was asked for, less a margin for
 * clocks that differ, and what is over stays over: an answer that comes later does not bring it back.
 *
 * @example
 * ```ts
 * import { AddressTable } from "@jackfield/jackfield";
 * import { dhcpAddresses } from "@jackfield/jackfield/dhcp";
 *
 * const options = {
 *   source: dhcpAddresses({ interface: "eth0", stateFile: "/var/lib/app/dhcp.json" }),
 *   assign: { interface: "eth0" },
 * };
 * // const addresses = new AddressTable(options); // where there is an eth0
 * if (options.source.name !== "DHCP on eth0" || !AddressTable) throw new Error("unexpected");
 * ```
 *
 * @module
 */
export { type DhcpAddresses, dhcpAddresses } from "./dhcp_addresses.ts";
export type { DhcpAddressesOptions } from "./options.ts";
export type { DhcpStats } from "./stats.ts";
