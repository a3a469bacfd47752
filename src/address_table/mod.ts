/**
 * The address table gives every socket a local address and port of its own.
 *
 * A descriptor stands for one socket to be: `create` associates it with an address of the source,
 * `bind` with a port, `connect` with a connection, `listen` with a listener; `addressOf` says what
 * the kernel uses, `close` gives everything back. Each of them may run at the same time as any
 * other: an entry changes in one turn of the event loop, and after every wait it is looked at again.
 *
 * ```text
 * while a descriptor is   bind           connect   listen    addressOf       close
 * new                     gives a port   connects  listens   port 0          gives back
 * bound                   the same port  from it   on it     bound           gives back
 * connecting, listening*  waits          IN_USE    IN_USE    tried, bound    ends it, it rejects
 * connected               its port       IN_USE    IN_USE    the kernel's    closes the socket
 * listening               its port       IN_USE    IN_USE    bound           closes all
 * without its lease       LEASE_LOST     the same  the same  bound           gives back
 * closed, never issued    ADDRESS_UNKNOWN_DESCRIPTOR in each
 * ```
 *
 * Where addresses come from, and how they are kept: a source lends one when the first descriptor
 * needs it; where asked, it is held against other processes and added to an interface; while it is
 * in use its lease is renewed; with the last descriptor everything goes back. A lease that ends ends
 * its sockets, too: by a timer, by the next one who writes, or in the kernel, whichever comes first.
 *
 * Who owns what: the table owns the port until the connection ends (a bound one until `close`), the
 * caller owns the socket; closing it gives the port back, also when a `HandoffChannel` has taken it
 * to another owner, who tells of its end. Where nobody tells, or the descriptor is closed before, its
 * port rests for a while, as if others had it; and where nobody tells, an exclusive or assigned
 * address stays leased until `closeAll`.
 *
 * @module
 */
export type { AddressRequest } from "./address_choice.ts";
export type { AddressLease, AddressLeaseRequest, AddressSource } from "./address_source.ts";
export { AddressTable } from "./address_table.ts";
export type { AssignPlan } from "./assignment.ts";
export type { AddressCandidate } from "./candidate.ts";
export type { TableConnectOptions } from "./connecting.ts";
export { type AddressFailure, restAfterFailure, type RestRule } from "./failure.ts";
export { type HostAddresses, hostAddresses, type HostAddressesOptions } from "./host_addresses.ts";
export type { InterfaceSelection } from "./interface_addresses.ts";
export type { IpFamily } from "./ip.ts";
export type { TableListenOptions } from "./listening.ts";
export { DEFAULT_PORTS, type PortPlan, type PortRange } from "./port_range.ts";
export type { DestinationPorts } from "./port_table.ts";
export { readPublishedState } from "./published_state.ts";
export type { AddressRest, RestReason } from "./rests.ts";
export type { AddressTableOptions, BindOptions, CreateOptions } from "./table_options.ts";
export type { AddressState, AddressTableState } from "./table_state.ts";
