import { askIp, changeByIp } from "./ip_program.ts";

/**
 * Forget where the gateways of an interface are, so that the next packet asks for them again.
 *
 * That question names the new address as the one who asks (ARP, RFC 826; neighbour discovery, RFC
 * 4861), and so the gateway learns where the address is now. Seen otherwise: an address that moved
 * from another host is out of reach for a minute. Entries that somebody made by hand stay;
 * routes over several interfaces at once are not looked into.
 */
export async function forgetNeighbours(hostname: string, name: string): Promise<void> {
  const family = hostname.includes(":") ? "-6" : "-4";
  const routes = await askIp<{ readonly gateway?: string }>(
    ...[family, "route", "show", "table", "all", "dev", name],
  );
  const gateways = new Set(routes.flatMap(({ gateway }) => gateway ?? []));
  await Promise.all(
    [...gateways].map((gateway) => changeByIp("neighbor", "flush", "to", gateway, "dev", name)),
  );
}
