import { normalIp } from "./ip.ts";

/** Where an address table takes its addresses from. */
export interface AddressSource {
  /** IP literals in normal form, without duplicates. */
  readonly addresses: readonly string[];
}

/**
 * Addresses that the host has, as a list of IP literals.
 *
 * On Linux every address of 127.0.0.0/8 belongs to the host.
 *
 * @throws {TypeError} When one of them is not an IP literal, is listed twice, or there is none.
 *
 * @example
 * ```ts
 * import { hostAddresses } from "@jackfield/jackfield/core";
 *
 * const source = hostAddresses(["127.0.0.2", "::0001"]);
 * if (source.addresses[1] !== "::1") throw new Error("unexpected");
 * ```
 */
export function hostAddresses(addresses: readonly string[]): AddressSource {
  if (addresses.length === 0) throw new TypeError("Cannot use an empty list of addresses");
  const normal = addresses.map(normalIp);
  const twice = normal.find((address, index) => normal.indexOf(address) !== index);
  if (twice !== undefined) throw new TypeError(`Cannot use address "${twice}": it is listed twice`);
  return { addresses: normal };
}
