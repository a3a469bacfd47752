import { formatAddress, type SocketAddress } from "./address.ts";

/**
 * What went wrong, as a stable word that programs may match.
 *
 * Match the code, not the class: two copies of the package in one program have two classes.
 */
export type ErrorCode =
  | "ADDRESS_ASSIGN_FAILED"
  | "ADDRESS_EXHAUSTED"
  | "ADDRESS_IN_USE"
  | "ADDRESS_LEASE_LOST"
  | "ADDRESS_TABLE_CLOSED"
  | "ADDRESS_UNKNOWN_DESCRIPTOR"
  | "CONNECT_FAILED"
  | "CONNECT_TIMEOUT"
  | "DOWNLOAD_CLOSED"
  | "DOWNLOAD_LOST"
  | "DOWNLOAD_MOVED"
  | "DOWNLOAD_QUEUE_FULL"
  | "DOWNLOAD_STALLED"
  | "FILE_CHANGED"
  | "FILE_FAILED"
  | "HANDOFF_CLOSED"
  | "HANDOFF_REFUSED"
  | "HANDOFF_TIMEOUT"
  | "HANDOVER_FAILED"
  | "HANDOVER_REFUSED"
  | "HTTP_BAD_REQUEST"
  | "HTTP_BAD_RESPONSE"
  | "HTTP_STATUS"
  | "LISTEN_FAILED"
  | "LISTENER_CLOSED"
  | "NAME_NOT_FOUND"
  | "PERMISSION_DENIED"
  | "POOL_CLOSED"
  | "POOL_DEADLOCK"
  | "POOL_FULL"
  | "POOL_PREPARE_FAILED"
  | "POOL_QUEUE_FULL"
  | "POOL_TIMEOUT"
  | "REQUEST_INVALID"
  | "SOCKET_ABORTED"
  | "SOCKET_BUSY"
  | "SOCKET_CLOSED"
  | "SOCKET_FAILED"
  | "SOCKET_GONE"
  | "SOCKET_RESET"
  | "TRANSFER_FAILED"
  | "UNSUPPORTED"
  | "WORKER_CLOSED"
  | "WORKER_FAILED"
  | "WORKER_LOST"
  | "WORKER_TIMEOUT";

/** The cause of a failed `connect` or `listen`, the same word in every runtime. */
export type FailureReason =
  | "refused"
  | "unreachable"
  | "reset"
  | "timeout"
  | "address-in-use"
  | "address-not-available"
  | "local-address-ignored"
  | "descriptors"
  | "name"
  | "permission"
  | "tls"
  | "path"
  | "other";

/** What was going on when a deadline passed. */
export type TimeoutPhase =
  | "wait"
  | "connect"
  | "prepare"
  | "check"
  | "handoff"
  | "handover";

/** The facts of an error, each readable as a field. */
export interface ErrorFacts {
  /** The error underneath, as the runtime gave it. */
  readonly cause?: unknown;
  /** What was being done: `connect`, `listen`, `accept`, `read`, `write`, `acquire`, … */
  readonly operation?: string;
  /** The far end, or the address that was to be listened on. */
  readonly address?: SocketAddress;
  /** The local address that was asked for. */
  readonly localAddress?: string;
  /** Why a `connect` or `listen` failed. */
  readonly reason?: FailureReason;
  /** The operating system's own code, such as `ECONNREFUSED`. */
  readonly osCode?: string;
  /** Where a deadline passed. */
  readonly phase?: TimeoutPhase;
  /** What the runtime lacks. */
  readonly feature?: string;
  /** The runtime's flag that would grant it. */
  readonly permission?: string;
  /** The bound that was reached. */
  readonly limit?: number;
  /** The status code of a server's answer. */
  readonly status?: number;
}

/**
 * Every condition that a caller may want to handle.
 *
 * Bad arguments are `TypeError` and `RangeError` instead.
 *
 * @example
 * ```ts
 * import { isJackfieldError, JackfieldError } from "@jackfield/jackfield";
 *
 * const error = new JackfieldError("POOL_CLOSED", "Cannot acquire socket: pool is closed");
 * if (!isJackfieldError(error, "POOL_CLOSED")) throw new Error("unexpected");
 * ```
 */
export class JackfieldError extends Error implements ErrorFacts {
  /** Always `JackfieldError`. */
  override readonly name = "JackfieldError";
  /** The stable word. */
  readonly code: ErrorCode;
  /** What was being done. */
  declare readonly operation?: string;
  /** The far end, or the address that was to be listened on. */
  declare readonly address?: SocketAddress;
  /** The local address that was asked for. */
  declare readonly localAddress?: string;
  /** Why a `connect` or `listen` failed. */
  declare readonly reason?: FailureReason;
  /** The operating system's own code. */
  declare readonly osCode?: string;
  /** Where a deadline passed. */
  declare readonly phase?: TimeoutPhase;
  /** What the runtime lacks. */
  declare readonly feature?: string;
  /** The runtime's flag that would grant it. */
  declare readonly permission?: string;
  /** The bound that was reached. */
  declare readonly limit?: number;
  /** The status code of a server's answer. */
  declare readonly status?: number;

  /** Create an error with its code, its sentence and its facts. */
  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    const { cause: _cause, ...fields } = facts;
    Object.assign(this, fields);
  }
}

/** Whether a value is a {@linkcode JackfieldError}, of this code if one is given; also one of another copy. */
export function isJackfieldError(error: unknown, code?: ErrorCode): error is JackfieldError {
  return error instanceof Error && error.name === "JackfieldError" && "code" in error &&
    (code === undefined || error.code === code);
}

/** The error for something this runtime cannot do; options are never ignored. */
export function unsupported(feature: string, reason: string): JackfieldError {
  return new JackfieldError("UNSUPPORTED", `Cannot use ${feature}: ${reason}`, { feature });
}

/** Options of {@linkcode permissionDenied}. */
export interface PermissionDeniedOptions {
  /** What was to be done, in words. @default {the operation} */
  readonly words?: string;
  /** The runtime's own error. */
  readonly cause?: unknown;
}

/** The error for a permission that would have to be asked for. */
export function permissionDenied(
  operation: string,
  permission: string,
  { words = operation, cause }: PermissionDeniedOptions = {},
): JackfieldError {
  return new JackfieldError(
    "PERMISSION_DENIED",
    `Cannot ${words}: permission is missing, run with ${permission}`,
    { operation, permission, reason: "permission", cause },
  );
}

/** A sentence for each reason. */
const SENTENCE: Readonly<Record<FailureReason, string>> = {
  refused: "nothing listens there",
  unreachable: "no route leads there",
  reset: "the peer reset the connection",
  timeout: "the peer did not answer",
  "address-in-use": "the address is in use",
  "address-not-available": "the address is not on this host",
  "local-address-ignored": "the runtime used another local address than the one asked for",
  descriptors: "no file descriptor is left",
  name: "the host name does not resolve",
  permission: "the system does not permit it",
  tls: "the TLS handshake failed",
  path: "the path does not exist or cannot be used",
  other: "the system refused",
};

/** What each code of the system means for `connect` and `listen`. */
const REASON: Readonly<Record<string, FailureReason>> = {
  ECONNREFUSED: "refused",
  ENETUNREACH: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETDOWN: "unreachable",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  ETIMEDOUT: "timeout",
  EADDRINUSE: "address-in-use",
  EADDRNOTAVAIL: "address-not-available",
  EAFNOSUPPORT: "address-not-available",
  EMFILE: "descriptors",
  ENFILE: "descriptors",
  ENOTFOUND: "name",
  EAI_AGAIN: "name",
  EAI_FAIL: "name",
  EAI_NODATA: "name",
  EAI_NONAME: "name",
  EACCES: "permission",
  EPERM: "permission",
  ENOENT: "path",
  ENOTDIR: "path",
  ENAMETOOLONG: "path",
};

/** Deno names some errors instead of giving them a code. */
const CODE_OF_NAME: Readonly<Record<string, string>> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  BrokenPipe: "EPIPE",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  NetworkUnreachable: "ENETUNREACH",
  NotConnected: "ENOTCONN",
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
};

/** The system's code behind a runtime's error, such as `ECONNREFUSED`, if it can be told. */
export function osCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  // Node's own codes (ERR_…) do not come from the system.
  if (typeof code === "string" && /^E(?!RR_)[A-Z]/.test(code)) return code;
  // Deno gives a name that does not resolve neither a code nor a name of its own.
  if (/failed to lookup address|getaddrinfo/i.test(error.message)) return "ENOTFOUND";
  return CODE_OF_NAME[error.name];
}

/** Whether the runtime's error came from TLS: a certificate, a name, an alert. */
function isTlsError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_OSSL)/.test(
    String(code),
  ) || /certificate|handshake|\btls\b|\bssl\b/i.test(error.message);
}

/** Options of {@linkcode connectionError}. */
export interface ConnectionErrorOptions {
  /** The local address that was asked for. */
  readonly localAddress?: string;
  /** Overrides what the runtime's error says. */
  readonly reason?: FailureReason;
}

/**
 * One error for every runtime's way of saying that `connect` or `listen` failed.
 *
 * The runtime's own error stays readable as `cause`.
 */
export function connectionError(
  operation: "connect" | "listen",
  address: SocketAddress,
  cause: unknown,
  options: ConnectionErrorOptions = {},
): JackfieldError {
  if (isJackfieldError(cause)) return cause;
  const { localAddress } = options;
  const osCode = osCodeOf(cause);
  const permission = (cause as Error | undefined)?.name === "NotCapable";
  if (permission) return permissionDenied(operation, "--allow-net", { cause });
  let reason = options.reason ?? (osCode === undefined ? undefined : REASON[osCode]) ??
    (isTlsError(cause) ? "tls" : "other");
  if (reason === "other" && osCode === "EINVAL" && localAddress !== undefined) {
    reason = reasonOfEinval(cause);
  }
  const words = operation === "connect" ? "connect to" : "listen on";
  const from = localAddress === undefined ? "" : ` from ${localAddress}`;
  const isPem = operation === "listen" && reason === "tls";
  const sentence = isPem ? "the certificate or its key cannot be used" : SENTENCE[reason];
  const tail = reason === "other" || isPem ? `: ${(cause as Error)?.message ?? cause}` : "";
  return new JackfieldError(
    operation === "connect" ? "CONNECT_FAILED" : "LISTEN_FAILED",
    `Cannot ${words} ${formatAddress(address)}${from}: ${sentence}${tail}`,
    { cause, operation, address, localAddress, reason, osCode },
  );
}

/**
 * What EINVAL means for a connect from a local address.
 *
 * For connect(2) it is that no packet from this address may go there: a loopback address, a blackhole
 * route. But Deno says EINVAL where the system says EADDRNOTAVAIL: for an address that is not on the
 * host, which fails in bind(2), and for a port that is in use to this destination. The latter only
 * happens with a port that was asked for, which Deno then names.
 */
function reasonOfEinval(cause: unknown): FailureReason {
  const { syscall, localPort } = cause as { syscall?: unknown; localPort?: unknown };
  return syscall === "bind" || localPort !== undefined ? "address-not-available" : "unreachable";
}

/** One error for every runtime's way of saying that an open socket failed. */
export function socketError(
  operation: string,
  address: SocketAddress,
  cause: unknown,
): JackfieldError {
  if (isJackfieldError(cause)) return cause;
  const osCode = osCodeOf(cause);
  const reset = osCode !== undefined &&
    ["ECONNRESET", "EPIPE", "ECONNABORTED", "ENOTCONN", "ESHUTDOWN"].includes(osCode);
  return new JackfieldError(
    reset ? "SOCKET_RESET" : "SOCKET_FAILED",
    reset
      ? `Cannot ${operation} socket to ${formatAddress(address)}: the peer reset the connection`
      : `Cannot ${operation} socket to ${formatAddress(address)}: ${
        (cause as Error)?.message ?? cause
      }`,
    { cause, operation, address, osCode },
  );
}

/** Why a socket cannot do what it is asked for, whatever the runtime says. */
export type SocketStateCode = Extract<
  ErrorCode,
  "SOCKET_ABORTED" | "SOCKET_BUSY" | "SOCKET_CLOSED" | "SOCKET_FAILED" | "SOCKET_GONE"
>;

/** The error for a socket that is not in the state for what it is asked for. */
export function socketStateError(
  code: SocketStateCode,
  operation: string,
  address: SocketAddress,
  why: string,
): JackfieldError {
  const message = `Cannot ${operation} socket to ${formatAddress(address)}: ${why}`;
  return new JackfieldError(code, message, { operation, address });
}
