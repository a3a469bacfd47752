import { ipVersion, withoutBrackets } from "./address.ts";
import { JackfieldError } from "./errors.ts";
import type { Names } from "./host.ts";
import type { ListenerDriver } from "./listener.ts";

/** How often port 0 is tried again when the port found for one address is taken on another. */
const TRIES = 10;

/**
 * Bind what a host name stands for, all with one port; an IP literal is bound as it is.
 *
 * An address of a family that the host does not have is left out when another one was bound.
 * `bind` makes one listening socket and throws a `LISTEN_FAILED` if it cannot.
 */
export async function bindHostname(
  names: Names,
  hostname: string,
  port: number,
  bind: (hostname: string, port: number) => Promise<ListenerDriver>,
): Promise<[ListenerDriver, ...ListenerDriver[]]> {
  const literal = withoutBrackets(hostname);
  if (ipVersion(literal) !== 0) return [await bind(literal, port)];
  const found = await names.lookup(hostname);
  const addresses = [...new Set(found.map((address) => address.hostname))];
  if (addresses.length === 0) {
    throw new JackfieldError(
      "NAME_NOT_FOUND",
      `Cannot listen on "${hostname}": the host name has no address`,
      { operation: "listen", reason: "name" },
    );
  }
  for (let tries = 1;; tries++) {
    const bound: ListenerDriver[] = [];
    let skipped: unknown;
    try {
      for (const address of addresses) {
        try {
          bound.push(await bind(address, bound[0]?.address.port ?? port));
        } catch (error) {
          if (!isMissingFamily(error)) throw error;
          skipped = error;
        }
      }
      const [first, ...others] = bound;
      if (first === undefined) throw skipped;
      return [first, ...others];
    } catch (error) {
      await Promise.all(bound.map((driver) => driver.close()));
      const retry = port === 0 && tries < TRIES && bound.length > 0 &&
        (error as JackfieldError).reason === "address-in-use";
      if (!retry) throw error;
    }
  }
}

function isMissingFamily(error: unknown): boolean {
  return error instanceof JackfieldError && error.reason === "address-not-available";
}
