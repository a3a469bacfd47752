import {
  formatAddress,
  JackfieldError,
  type OwnerEnd,
  type SocketAddress,
} from "../transport/mod.ts";

/** The channel takes no more sockets. */
export function closedError(address?: SocketAddress): JackfieldError {
  return failure("HANDOFF_CLOSED", address, "the channel is closed");
}

/** The other end has ended. */
export function endedError(end: OwnerEnd, address?: SocketAddress, taken = false): JackfieldError {
  const how = end.reason === "failed"
    ? `the other end failed${end.error instanceof Error ? `: ${end.error.message}` : ""}`
    : `the other end ${end.reason === "exited" ? "has exited" : "was terminated"}`;
  const when = taken ? ", after it had taken the socket" : "";
  return failure("HANDOFF_CLOSED", address, `${how}${when}`, end.error);
}

/** The other end does not want it. */
export function refusedError(why: string, address: SocketAddress): JackfieldError {
  return failure("HANDOFF_REFUSED", address, `the other end refused it, ${why}`);
}

/** Whoever lent it does not want it any more. */
export function recalledError(address: SocketAddress): JackfieldError {
  return new JackfieldError("SOCKET_ABORTED", `${words(address)}: it was recalled`, {
    operation: "hand off",
    address,
  });
}

/** The deadline has passed. */
export function timeoutError(
  timeoutMs: number,
  step: string,
  address: SocketAddress,
): JackfieldError {
  const message = `${words(address)}: ${step} took longer than ${timeoutMs} ms`;
  return new JackfieldError("HANDOFF_TIMEOUT", message, {
    operation: "hand off",
    phase: "handoff",
    limit: timeoutMs,
    address,
  });
}

function failure(
  code: "HANDOFF_CLOSED" | "HANDOFF_REFUSED",
  address: SocketAddress | undefined,
  why: string,
  cause?: unknown,
): JackfieldError {
  return new JackfieldError(code, `${words(address)}: ${why}`, {
    operation: "hand off",
    address,
    cause,
  });
}

function words(address: SocketAddress | undefined): string {
  const to = address === undefined ? "" : ` to ${formatAddress(address)}`;
  return `Cannot hand off socket${to}`;
}
