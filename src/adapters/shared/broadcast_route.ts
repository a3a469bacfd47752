import { changeByIp, needIp } from "./ip_program.ts";

/** The metric marks the route as ours, as it does with added addresses ("jf" in ASCII). */
const ROUTE = ["255.255.255.255/32", "metric", String(0x6a66)];

/** See `Interfaces.routeBroadcasts`. */
export async function routeBroadcasts(interfaceName: string): Promise<void> {
  needIp("routeBroadcasts", `send broadcasts through ${interfaceName}`);
  await changeByIp("route", "replace", ...ROUTE, "dev", interfaceName);
}

/** See `Interfaces.unrouteBroadcasts`. */
export async function unrouteBroadcasts(interfaceName: string): Promise<void> {
  needIp("unrouteBroadcasts", `send broadcasts through ${interfaceName} no more`);
  // The kernel has removed it already if the interface lost its last address.
  await changeByIp("route", "delete", ...ROUTE, "dev", interfaceName).catch(() => {});
}
