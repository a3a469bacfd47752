import { JackfieldError } from "../../transport/mod.ts";
import type { Acquired } from "./acquire.ts";

/** The error when nobody answers, and nobody ever has. */
export function noServer(
  interfaceName: string,
  server: string | undefined,
  timeoutMs: number,
): JackfieldError {
  const who = server === undefined ? "no DHCP server" : `the DHCP server ${server}`;
  const verb = server === undefined ? "answered" : "did not answer";
  const message = `Cannot lease address on ${interfaceName}: ${who} ${verb} within ` +
    `${timeoutMs} ms; it is not there, has no address left, or does not serve this network`;
  return new JackfieldError("ADDRESS_EXHAUSTED", message, {
    operation: "lease",
    reason: "timeout",
  });
}

/** The error for a server that gives no address that could be used. */
export function unusable(
  interfaceName: string,
  acquired: Extract<Acquired, { readonly kind: "duplicate" | "refused" }>,
): JackfieldError {
  const { server } = acquired;
  if (acquired.kind === "duplicate") {
    const { hostname } = acquired;
    const message = `Cannot lease address on ${interfaceName}: the DHCP server ${server} gives ` +
      `${hostname} twice; it does not tell clients apart by their identifiers (option 61)`;
    return new JackfieldError("ADDRESS_IN_USE", message, {
      operation: "lease",
      localAddress: hostname,
    });
  }
  const words = acquired.words === "" ? "" : `, "${acquired.words}"`;
  const message =
    `Cannot lease address on ${interfaceName}: the DHCP server ${server} takes back what it ` +
    `offers${words}`;
  return new JackfieldError("ADDRESS_EXHAUSTED", message, { operation: "lease" });
}

/** The error when others have every address that is offered. */
export function onlyConflicts(interfaceName: string, hostname: string): JackfieldError {
  const message = `Cannot lease address on ${interfaceName}: other hosts have what is offered, ` +
    `${hostname} the last one`;
  return new JackfieldError("ADDRESS_IN_USE", message, {
    operation: "lease",
    localAddress: hostname,
  });
}
