/**
 * The address table gives every socket a local address and port of its own.
 *
 * A descriptor stands for one socket to be: `create` associates it with an address of the source,
 * `bind` with a port, `connect` with a connection; `addressOf` says what the kernel uses, `close`
 * gives everything back. Each of the five may run at the same time as any other: an entry changes
 * in one turn of the event loop, and after every wait it is looked at again. `close` during
 * `connect` ends the connect, which rejects with `ADDRESS_UNKNOWN_DESCRIPTOR`.
 *
 * Who owns what: the table owns the port until the connection ends (a bound one until `close`), the
 * caller owns the socket; closing it gives the port back.
 *
 * @module
 */
export {
  type AddressCandidate,
  type AddressRequest,
  AddressTable,
  type AddressTableOptions,
  type TableConnectOptions,
} from "./address_table.ts";
export { type AddressSource, hostAddresses } from "./host_addresses.ts";
export { DEFAULT_PORTS, type PortRange } from "./port_table.ts";
