import { type ErrorCode, isJackfieldError, JackfieldError } from "../transport/mod.ts";

/** Failures of a socket: another one may do better. */
const BROKEN: readonly ErrorCode[] = [
  "SOCKET_RESET",
  "SOCKET_FAILED",
  "SOCKET_ABORTED",
  "SOCKET_CLOSED",
];
/** Failures to get a socket at all. */
const NOT_CONNECTED: readonly ErrorCode[] = ["CONNECT_FAILED", "CONNECT_TIMEOUT"];
/** Answers that another try may change (RFC 9110, section 15; RFC 6585 for 429). */
const BUSY: readonly number[] = [408, 429, 500, 502, 503, 504];

/** Whether a connection broke, or brought nothing for too long. */
export function isBroken(error: unknown): boolean {
  return BROKEN.some((code) => isJackfieldError(error, code));
}

/** Whether no connection could be made, and the next try may make one. */
export function isNotConnected(error: unknown): boolean {
  return NOT_CONNECTED.some((code) => isJackfieldError(error, code)) &&
    // A certificate does not change within a transfer, nor does a local address.
    !["tls", "permission", "local-address-ignored"].includes((error as JackfieldError).reason!);
}

/** Whether a server said that it cannot answer now. */
export function isBusyStatus(status: number): boolean {
  return BUSY.includes(status);
}

/** What a server sent is not what HTTP, or what was asked for, says. */
export function badResponse(why: string, status?: number): JackfieldError {
  return new JackfieldError("HTTP_BAD_RESPONSE", `Cannot use response: ${why}`, {
    operation: "get",
    ...(status === undefined ? {} : { status }),
  });
}

/** The error for a file that is another one now. */
export function fileChanged(): JackfieldError {
  return new JackfieldError("TRANSFER_FAILED", "Cannot get file: it changed during the transfer", {
    operation: "compare",
  });
}

/** The error for a status that carries no file. */
export function statusError(status: number): JackfieldError {
  const why = WORDS.get(status) ?? `the server answered ${status}`;
  return new JackfieldError("HTTP_STATUS", `Cannot get file: ${why}`, { operation: "get", status });
}

const WORDS: ReadonlyMap<number, string> = new Map([
  [401, "the server asks who you are (status 401)"],
  [403, "the server does not permit it (status 403)"],
  [404, "the server has no such file (status 404)"],
  [410, "the server has the file no more (status 410)"],
  [429, "the server was asked too often (status 429)"],
  [503, "the server is too busy (status 503)"],
]);

/** Connections could be made before, and none can be made now. */
export function vanished(cause: unknown): JackfieldError {
  const message = `Cannot get file: the server vanished, last: ${(cause as Error).message}`;
  return new JackfieldError("TRANSFER_FAILED", message, { cause, operation: "get" });
}

/** The same bytes failed again and again. */
export function brokenTooOften(cause: unknown, tries: number): JackfieldError {
  const message = `Cannot get file: the connection broke ${tries} times in a row, last: ${
    (cause as Error).message
  }`;
  return new JackfieldError("TRANSFER_FAILED", message, { cause, operation: "get" });
}

/** The bytes are not those that a digest was made of. */
export function wrongDigest(whose: string, expected: string, actual: string): JackfieldError {
  const message = `Cannot trust file: its SHA-256 is ${actual}, but ${whose} says ${expected}`;
  return new JackfieldError("TRANSFER_FAILED", message, { operation: "verify" });
}

/** Whether what has come is of no use, because the file is another one, or not what it should be. */
export function isAnotherFile(error: unknown): boolean {
  return isJackfieldError(error, "TRANSFER_FAILED") &&
    (error.operation === "compare" || error.operation === "verify");
}
