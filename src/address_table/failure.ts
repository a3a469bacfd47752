import { isJackfieldError } from "../transport/mod.ts";

/** A failed connect, for a rule that says how long its address rests. */
export interface AddressFailure {
  /** What the transport said. */
  readonly error: unknown;
  /** The local address. */
  readonly localAddress: string;
  /** `HOST:PORT`. */
  readonly target: string;
  /** How many connects from this address to this target have failed so in a row, this one too. */
  readonly failures: number;
}

/** How long an address rests for a target after a failure; 0 for not at all. */
export type RestRule = (failure: AddressFailure) => number;

/** The first and the longest rest after failures in a row, in milliseconds. */
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 60_000;

/**
 * The rule of a table without another one: an address that is not on the host, or from which no route
 * leads to the target, rests for a second, and twice as long after each further failure, up to a
 * minute. Other failures say nothing of the address.
 *
 * @example A rule that lets an address rest for a minute when the peer resets its connections
 * ```ts
 * import { isJackfieldError, restAfterFailure, type RestRule } from "@jackfield/jackfield/core";
 *
 * const rule: RestRule = (failure) =>
 *   isJackfieldError(failure.error) && failure.error.reason === "reset"
 *     ? 60_000
 *     : restAfterFailure(failure);
 * const failure = { error: null, localAddress: "::1", target: "[::1]:80", failures: 1 };
 * if (rule(failure) !== 0) throw new Error("unexpected");
 * ```
 */
export function restAfterFailure({ error, failures }: AddressFailure): number {
  if (!isJackfieldError(error, "CONNECT_FAILED")) return 0;
  if (error.reason !== "address-not-available" && error.reason !== "unreachable") return 0;
  return Math.min(FIRST_REST_MS * 2 ** (failures - 1), LONGEST_REST_MS);
}

/** Whether a connect failed because the address is not on the host, whatever the target. */
export function isMissing(error: unknown): boolean {
  return isJackfieldError(error) && error.reason === "address-not-available" &&
    (error.cause as { syscall?: unknown } | undefined)?.syscall === "bind";
}

/** Whether a connect failed because somebody else has the port, so that another one may do. */
export function speaksOfPort(error: unknown): boolean {
  if (!isJackfieldError(error) || isMissing(error)) return false;
  return error.reason === "address-in-use" || error.reason === "address-not-available";
}

/**
 * Whether it may as well be the address that is wrong as the port that is in use: connect(2) says the
 * same of both. Only Deno and Node tell bind(2), where the address is missing, from connect(2).
 */
export function isAmbiguous(error: unknown): boolean {
  return isJackfieldError(error) && error.reason === "address-not-available";
}
