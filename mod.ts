/**
 * Jackfield is the layer between `connect`/`listen` and an application: pools of sockets, a table of
 * local addresses, downloads on handed-over sockets, and one transfer over several sockets.
 *
 * This door brings the sockets of whichever runtime it runs in; `@jackfield/jackfield/core` has the
 * same things for a `Transport` of your own.
 *
 * @example
 * ```ts
 * import { systemTransport } from "@jackfield/jackfield";
 *
 * const transport = systemTransport();
 * const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 });
 * const near = await transport.connect(listener.address);
 * const far = await listener.accept();
 * await near.write(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(16);
 * if (await far.read(buffer) !== 5) throw new Error("unexpected");
 * await near.close();
 * await far.close();
 * await listener.close();
 * ```
 *
 * @module
 */
export {
  AddressTable,
  type AddressTableOptions,
  DownloadManager,
  type DownloadManagerOptions,
  parallelGet,
  type ParallelGetOptions,
  serveDownloads,
  type ServeDownloadsOptions,
  SocketPool,
  type SocketPoolOptions,
  type WithSystemTransport,
} from "./src/system.ts";
export { systemTransport } from "./src/system_transport.ts";
export { takeRole } from "./src/roots/take_role.ts";
export {
  type AcquireOptions,
  type AddOptions,
  type AddressCandidate,
  type AddressFailure,
  type AddressLease,
  type AddressLeaseRequest,
  type AddressRequest,
  type AddressRest,
  type AddressSource,
  type AddressState,
  type AddressTableState,
  type AssignPlan,
  type BindOptions,
  type Capabilities,
  type Clock,
  type ConnectOptions,
  type CreateOptions,
  type Decision,
  type Descriptors,
  type DestinationPorts,
  diagnosticsObserver,
  type Download,
  type DownloadFile,
  type DownloadHooks,
  type DownloadObserver,
  type DownloadRefusal,
  type DownloadRequest,
  type DownloadRequestInit,
  type DownloadResult,
  type DownloadServer,
  type DownloadState,
  type DownloadStats,
  type ErrorCode,
  type ErrorFacts,
  type FailureReason,
  formatAddress,
  handOff,
  HandoffChannel,
  type HandoffChannelOptions,
  type HandoffStage,
  type HostAddresses,
  hostAddresses,
  type HostAddressesOptions,
  type InterfaceSelection,
  type IpFamily,
  isJackfieldError,
  JackfieldError,
  type LeakReport,
  Lease,
  leastBusy,
  type LendOptions,
  LentSocket,
  type Listener,
  type ListenOptions,
  type Loaded,
  type Loan,
  type LocalPorts,
  type OneSocketReason,
  type OwnerEnd,
  type OwnerLink,
  type Owners,
  type ParallelGetResult,
  parseAddress,
  type PartingReason,
  type Pick,
  type Picker,
  type Placement,
  type PoolCandidate,
  type PoolObserver,
  type PoolRequest,
  type PoolStage,
  type PoolStats,
  type PoolTarget,
  type PortPlan,
  type PortRange,
  powerOfTwoChoices,
  type PrepareContext,
  random,
  RateLimit,
  recorded,
  type RecordedOptions,
  type Replay,
  replay,
  type ReplayCandidate,
  type ReplayedCandidate,
  type ReplayedPick,
  restAfterFailure,
  type RestReason,
  type RestRule,
  roundRobin,
  type SendOptions,
  type Socket,
  type SocketAddress,
  type SocketContext,
  type SocketLease,
  type SocketProgress,
  type SocketState,
  type StartedOwner,
  type StartOptions,
  type StatefulStrategy,
  sticky,
  type StickyOptions,
  type Strategy,
  type TableConnectOptions,
  type TableListenOptions,
  type Target,
  type TargetShare,
  type TargetStats,
  type TimeoutPhase,
  type TlsListenOptions,
  type TransferProgress,
  type Transport,
  weighted,
} from "./src/core.ts";
