import {
  addressOfTarget,
  formatAddress,
  ipVersion,
  parseAddress,
  type SocketAddress,
  type Target,
} from "../transport/mod.ts";
import { type IpFamily, normalIp } from "./ip.ts";

/** Stands for every destination. */
export const EVERYWHERE = "*";

/**
 * One text for one destination, however its address is written: what tuples and rests are counted
 * by. A name and an address that it stands for are two, which only the kernel knows to be one.
 */
export function destinationOf(target: Target | SocketAddress): string {
  const address = addressOfTarget(target as Target);
  const { hostname, path } = address;
  if (path !== undefined || ipVersion(hostname) === 4) return formatAddress(address);
  const normal = ipVersion(hostname) === 6 ? normalOrSame(hostname) : hostname.toLowerCase();
  return formatAddress({ hostname: normal, port: address.port });
}

/** The same for what a user writes: `HOST:PORT`, a target, or nothing for everywhere. */
export function destinationNamed(target: string | Target | undefined): string {
  if (target === undefined || target === EVERYWHERE) return EVERYWHERE;
  return destinationOf(typeof target === "string" ? parseAddress(target) : target);
}

/** The family that a local address must have to reach a target; `undefined` when any may. */
export function familyOfTarget(target: Target | undefined): IpFamily | undefined {
  if (target === undefined || "path" in target) return undefined;
  const version = ipVersion(addressOfTarget(target).hostname);
  return version === 0 ? undefined : version;
}

/** The transport has the last word on what is an address. */
function normalOrSame(hostname: string): string {
  try {
    return normalIp(hostname);
  } catch {
    return hostname;
  }
}
