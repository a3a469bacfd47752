import {
  formatAddress,
  JackfieldError,
  type OwnerEnd,
  type SocketAddress,
} from "../transport/mod.ts";

/** The group takes nothing more. */
export function closedError(operation: string, cause?: unknown): JackfieldError {
  const message = `Cannot ${operation}: worker group is closed`;
  return new JackfieldError("WORKER_CLOSED", message, { operation, cause });
}

/** The thread has ended. */
export function lostError(thread: number, end: OwnerEnd): JackfieldError {
  const why = end.error instanceof Error ? `: ${end.error.message}` : "";
  return new JackfieldError(
    "WORKER_LOST",
    `Cannot use thread ${thread}: it has ${past(end)}${why}`,
    {
      operation: "serve",
      cause: end.error,
    },
  );
}

function past({ reason }: OwnerEnd): string {
  if (reason === "terminated") return "been terminated";
  return reason === "exited" ? "exited" : "failed";
}

/** What serves has failed. */
export function failedError(
  what: string,
  address: SocketAddress,
  cause: Error,
): JackfieldError {
  const message = `Cannot serve ${what} of ${formatAddress(address)}: the handler failed: ` +
    cause.message;
  return new JackfieldError("WORKER_FAILED", message, { operation: "serve", address, cause });
}

/** A deadline has passed. */
export function timeoutError(
  what: string,
  timeoutMs: number,
  why: string,
  cause?: unknown,
): JackfieldError {
  return new JackfieldError("WORKER_TIMEOUT", `Cannot ${what} within ${timeoutMs} ms: ${why}`, {
    operation: what,
    limit: timeoutMs,
    cause,
  });
}

/** What a peer sent is no request. */
export function invalidError(address: SocketAddress, why: string, limit?: number): JackfieldError {
  const message = `Cannot cut requests of ${formatAddress(address)}: ${why}`;
  return new JackfieldError("REQUEST_INVALID", message, {
    operation: "cut",
    address,
    ...(limit === undefined ? {} : { limit }),
  });
}
