/**
 * One stream over several sockets: bytes are cut into data units, a strategy picks a socket for each,
 * and the far end puts them back in order, each once.
 *
 * What has not been acknowledged is kept. A socket that is lost, or on which nothing moves, has its
 * units sent on another one; the connecting side dials it again. Both ends hold at most a window of
 * bytes. docs/striped.md has the wire format byte by byte.
 *
 * ```text
 * connect_striped ─► dialer ─► handshake ─┐                    ┌─ handshake ◄─ listen_striped
 *                                         ├─► bundle_engine ◄──┤
 *      write ─► outgoing ─► units ────────┘        │           └─ bundle_register
 *       read ◄─ incoming ◄─ units ◄─── member, one for each socket
 * ```
 *
 * Who owns what: a member owns its socket and what is on its way there; `Outgoing` owns a unit until
 * it is acknowledged and no write needs it; `Incoming` owns it from its last byte until it is read.
 *
 * @module
 */
export type { UnitRequest } from "./free_members.ts";
export { connectStriped, type ConnectStripedOptions } from "./connect_striped.ts";
export {
  listenStriped,
  type ListenStripedOptions,
  type StripedListener,
} from "./listen_striped.ts";
export type { BundleMember } from "./member.ts";
export type { StripedOptions } from "./striped_options.ts";
export type { Bundle, StripedSocket } from "./striped_socket.ts";
