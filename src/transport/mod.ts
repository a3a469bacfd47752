/**
 * The ground floor: sockets, listeners and transports as the rest of the library sees them.
 *
 * A {@linkcode Transport} is what an adapter brings. Its sockets are made by
 * {@linkcode createSocket} from a {@linkcode SocketDriver}, which holds nothing but the runtime's
 * own calls; the rules (one reader, writes in order, states, errors, streams) stand here once.
 *
 * Who owns what: a socket owns its driver, the driver owns the descriptor. `close`, `abort`, the
 * end of both directions and a failed read give the descriptor back; {@linkcode detachSocket}
 * moves the driver to another socket and leaves the old one `gone`. A caller that gives up a
 * `connect` owns nothing: a connection that stands too late is closed here.
 *
 * @module
 */
export { type AcceptGate, AcceptQueue, DEFAULT_MAX_PENDING } from "./accept_queue.ts";
export {
  assertPort,
  formatAddress,
  ipVersion,
  parseAddress,
  sameIp,
  type SocketAddress,
  withoutBrackets,
} from "./address.ts";
export {
  assertTimeout,
  attempt,
  type AttemptOptions,
  DEFAULT_CONNECT_TIMEOUT_MS,
} from "./attempt.ts";
export { checkConnectOptions, checkListenOptions } from "./check_options.ts";
export { type Clock, delay, systemClock } from "./clock.ts";
export {
  connectionOf,
  createSocket,
  detachSocket,
  followConnection,
  maxWriteBytesOf,
  waitForRoom,
} from "./driven_socket.ts";
export {
  connectionError,
  type ConnectionErrorOptions,
  type ErrorCode,
  type ErrorFacts,
  type FailureReason,
  isJackfieldError,
  JackfieldError,
  osCodeOf,
  permissionDenied,
  type PermissionDeniedOptions,
  socketError,
  type TimeoutPhase,
  unsupported,
} from "./errors.ts";
export type {
  AssignedAddress,
  AssignOptions,
  Contexts,
  ContextVariable,
  Datagrams,
  DatagramSocket,
  DescriptorUse,
  Diagnostics,
  DiagnosticsChannel,
  Digest,
  FileDigestAlgorithm,
  FileFacts,
  Files,
  Hash,
  Host,
  InterfaceAddress,
  Interfaces,
  LocalPorts,
  Names,
  OpenDatagramsOptions,
  OpenFile,
  OpenFileOptions,
  OpenFolder,
  ResolvedAddress,
} from "./host.ts";
export { attemptSocket } from "./attempt_socket.ts";
export { bindHostname } from "./hostname_binding.ts";
export { joinBytes } from "./join_bytes.ts";
export { Lease, type LeaseEnd, type LeaseEvent, type LeaseState, moveLease } from "./lease.ts";
export {
  boundListener,
  canPauseListener,
  copyListener,
  createListener,
  type CreateListenerOptions,
  type Listener,
  type ListenerCopy,
  type ListenerDriver,
  type OnError,
  pauseListener,
  resumeListener,
} from "./listener.ts";
export type {
  ConnectionCarrier,
  ConnectionToken,
  Descriptors,
  LinkReceiver,
  OwnerEnd,
  OwnerLink,
  Owners,
  Passage,
  PassageState,
  StartedOwner,
  StartedSuccessor,
  StartOptions,
  SuccessionLink,
  SuccessorOptions,
  Successors,
} from "./owner_link.ts";
export type { Socket, StartTlsOptions } from "./socket.ts";
export type {
  DriverWatcher,
  ParkedConnection,
  ReadWaiter,
  RoomWaiter,
  SocketDriver,
} from "./socket_driver.ts";
export type { ConnectionEnd, DetachedSocket, DetachOptions, SocketFacts } from "./socket_facts.ts";
export { moveSocket, type SocketEvent, type SocketState } from "./socket_state.ts";
export { Stop } from "./stop.ts";
export type { TlsConnectOptions, TlsListenOptions } from "./tls_options.ts";
export {
  addressOfTarget,
  type Capabilities,
  type ConnectOptions,
  isHostName,
  type ListenOptions,
  type Target,
  type TcpTarget,
  tlsOfTarget,
  type Transport,
  type UnixTarget,
} from "./transport.ts";
