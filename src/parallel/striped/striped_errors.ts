import { formatAddress, JackfieldError, type SocketAddress } from "../../transport/mod.ts";

/** The far end does not keep to the wire format. */
export class FormatError extends Error {}

/** The error for a far end that breaks the wire format: the bundle is over. */
export function brokenFormat(address: SocketAddress, cause: FormatError): JackfieldError {
  return new JackfieldError(
    "SOCKET_FAILED",
    `Cannot use bundle to ${formatAddress(address)}: ` +
      `the far end broke the wire format: ${cause.message}`,
    { operation: "read", address, cause },
  );
}

/** The error for a bundle that the far end has aborted. */
export function resetBundle(address: SocketAddress): JackfieldError {
  return new JackfieldError(
    "SOCKET_RESET",
    `Cannot use bundle to ${formatAddress(address)}: the far end aborted it`,
    { operation: "use", address },
  );
}

/** The error for bytes that the far end does not want any more. */
export function stoppedBundle(address: SocketAddress): JackfieldError {
  return new JackfieldError(
    "SOCKET_RESET",
    `Cannot write to bundle to ${formatAddress(address)}: the far end has closed it`,
    { operation: "write", address },
  );
}

/** The error for a socket of a bundle on which nothing moves. */
export function stalledMember(address: SocketAddress, limit: number): JackfieldError {
  return new JackfieldError(
    "SOCKET_FAILED",
    `Cannot use socket to ${formatAddress(address)}: nothing has moved on it for ${limit} ms`,
    { operation: "use", address, limit },
  );
}

/** The error for a bundle without a socket for too long. */
export function lostBundle(address: SocketAddress, limit: number, cause: unknown): JackfieldError {
  return new JackfieldError(
    "SOCKET_RESET",
    `Cannot use bundle to ${formatAddress(address)}: no socket of it stood for ${limit} ms`,
    { operation: "use", address, limit, cause },
  );
}

/** The error for a handshake that came to nothing. */
export function handshakeError(
  address: SocketAddress,
  why: string,
  cause?: unknown,
): JackfieldError {
  return new JackfieldError(
    "CONNECT_FAILED",
    `Cannot connect bundle to ${formatAddress(address)}: ${why}`,
    { operation: "connect", address, reason: "other", cause },
  );
}
