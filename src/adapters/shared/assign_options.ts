import { isIP, isIPv6 } from "node:net";
import {
  type AssignOptions,
  type FailureReason,
  isJackfieldError,
  JackfieldError,
} from "../../transport/mod.ts";

/** The kernel's names of interfaces and labels have at most so many bytes (IFNAMSIZ - 1). */
const MAX_NAME = 15;

/** The kernel counts the seconds of `valid_lft` in 32 bits; all of them set is "forever". */
const MAX_SECONDS = 2 ** 31 - 1;

/**
 * The options with a normal form of the address and with a label, which may be empty.
 *
 * @throws {TypeError} or {RangeError} that names the value.
 */
export function checkAssign(options: AssignOptions): Required<AssignOptions> {
  const { interface: name, validMs } = options;
  const hostname = normalIp(options.hostname);
  if (!/^[^\s/:]{1,15}$/.test(name)) {
    throw new TypeError(`Cannot use interface "${name}": expected a name of 1 to 15 letters`);
  }
  const usual = `${name}:jf`;
  const { label = usual.length > MAX_NAME ? "" : usual } = options;
  if (label !== "" && (!label.startsWith(`${name}:`) || !/^[\x21-\x7e]{1,15}$/.test(label))) {
    throw new TypeError(
      `Cannot use label "${label}": expected "${name}:" and a word, up to ${MAX_NAME} bytes`,
    );
  }
  wholeSeconds(validMs);
  return { hostname, interface: name, validMs, label };
}

/** An IP literal in the form in which the system writes it. */
export function normalIp(hostname: string): string {
  if (isIP(hostname) === 0 || hostname.includes("%")) {
    throw new TypeError(`Cannot use address "${hostname}": expected an IPv4 or IPv6 literal`);
  }
  return isIPv6(hostname) ? new URL(`http://[${hostname}]`).hostname.slice(1, -1) : hostname;
}

/**
 * A time in the kernel's unit, rounded down: an address must never outlive its lease.
 *
 * @throws {RangeError} That names the value.
 */
export function wholeSeconds(validMs: number): number {
  const seconds = Math.floor(validMs / 1000);
  if (seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw new RangeError(
    `Cannot use validMs "${validMs}": expected 1000 to ${MAX_SECONDS * 1000} milliseconds`,
  );
}

/** The address as a network of one. */
export function hostPrefix(hostname: string): string {
  return `${hostname}/${hostname.includes(":") ? 128 : 32}`;
}

const SENTENCE: Readonly<Record<string, string>> = {
  EPERM: "the right to change interfaces is missing (CAP_NET_ADMIN)",
  EEXIST: "the host or another process has it already",
  ENODEV: "there is no such interface",
};

const REASON: Readonly<Record<string, FailureReason>> = {
  EPERM: "permission",
  EACCES: "permission",
  EEXIST: "address-in-use",
};

/** The error of a change that failed, with the command for an administrator where one would help. */
export function assignFailed(
  verb: "add" | "renew" | "remove",
  { hostname, interface: name }: Pick<AssignOptions, "hostname" | "interface">,
  cause: unknown,
): JackfieldError {
  if (isJackfieldError(cause)) return cause;
  const { osCode, message } = cause as { readonly osCode?: string; readonly message: string };
  const known = SENTENCE[osCode ?? ""];
  const toOrFrom = { add: "to", renew: "on", remove: "from" }[verb];
  const command = { add: "add", renew: "replace", remove: "delete" }[verb];
  const usable = hostname.includes(":") && verb !== "remove" ? " preferred_lft 0 nodad" : "";
  const advice = osCode === "EEXIST" || osCode === "ENODEV" ? "" : "; an administrator runs: " +
    `ip address ${command} ${hostPrefix(hostname)} dev ${name}${usable}`;
  return new JackfieldError(
    "ADDRESS_ASSIGN_FAILED",
    `Cannot ${verb} ${hostname} ${toOrFrom} ${name}: ${known ?? message}${advice}`,
    { operation: verb, localAddress: hostname, osCode, reason: REASON[osCode ?? ""], cause },
  );
}
