import { lookup } from "node:dns/promises";
import { JackfieldError, type Names, osCodeOf, permissionDenied } from "../../transport/mod.ts";

/** Host names through the system's resolver (getaddrinfo(3)), in its order (RFC 6724). */
export const systemNames: Names = {
  async lookup(hostname) {
    try {
      const found = await lookup(hostname, { all: true, verbatim: true });
      return found.map(({ address, family }) => ({
        hostname: address,
        family: family === 6 ? 6 : 4,
      }));
    } catch (cause) {
      // Deno says EPERM when the name itself, without a port, is not permitted.
      if ((cause as Error).name === "NotCapable" || osCodeOf(cause) === "EPERM") {
        throw permissionDenied("lookup", `--allow-net=${hostname}`, {
          words: `look up "${hostname}"`,
          cause,
        });
      }
      throw new JackfieldError(
        "NAME_NOT_FOUND",
        `Cannot look up "${hostname}": the host name does not resolve`,
        { cause, operation: "lookup", reason: "name", osCode: osCodeOf(cause) },
      );
    }
  },
};
