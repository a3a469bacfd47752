import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { type InterfaceAddress, type Interfaces, permissionDenied } from "../../transport/mod.ts";
import { assignAddress, removeLeftovers } from "./assigned_address.ts";
import { routeBroadcasts, unrouteBroadcasts } from "./broadcast_route.ts";
import { hardwareAddress } from "./hardware_address.ts";
import { checkRoute } from "./route_check.ts";

/** The part of Deno that says what is permitted: it would ask at the terminal otherwise. */
interface DenoLike {
  readonly permissions: {
    querySync(permission: { readonly name: "sys"; readonly kind: "networkInterfaces" }): {
      readonly state: string;
    };
  };
}

/** The host's interfaces: read through `node:os`, changed through ip(8) of Linux. */
export const systemInterfaces: Interfaces = {
  list,
  assign: assignAddress,
  removeLeftovers,
  checkRoute,
  hardwareAddress,
  routeBroadcasts,
  unrouteBroadcasts,
};

/** Addresses that reach no further than the host, or its link (RFC 1122, 3927, 4291). */
const HOST = /^(127\.|::1$)/;
const LINK = /^(169\.254\.|fe[89ab])/i;

function list(): readonly InterfaceAddress[] {
  const { Deno } = globalThis as unknown as { readonly Deno?: DenoLike };
  const sys = { name: "sys", kind: "networkInterfaces" } as const;
  if (Deno !== undefined && Deno.permissions.querySync(sys).state !== "granted") {
    throw permissionDenied("list", "--allow-sys=networkInterfaces", { words: "list interfaces" });
  }
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map(({ address, cidr, internal }): InterfaceAddress => {
      const hostname = address.split("%", 1)[0]!;
      const family = isIPv6(hostname) ? 6 : 4;
      return {
        hostname,
        family,
        // The system's list gives an address with a label the label for a name.
        interface: name.split(":", 1)[0]!,
        prefixLength: Number(cidr?.split("/")[1] ?? (family === 6 ? 128 : 32)),
        scope: LINK.test(hostname) ? "link" : internal || HOST.test(hostname) ? "host" : "global",
      };
    })
  );
}
