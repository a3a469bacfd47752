// What the kernel shows of every process of this host (proc_net(5)): who holds an address, and how many
// ports are taken towards each destination.
import { readFileSync } from "node:fs";
import { formatAddress } from "../core.ts";

/** Addresses that processes of this host hold. */
export interface HeldAddresses {
  /** Leased to one process alone. */
  readonly exclusive: ReadonlySet<string>;
  /** Added to an interface by a process that still runs. */
  readonly added: ReadonlySet<string>;
}

/** The ports that are taken between a local address and a destination. */
export interface UsedPorts {
  /** The local IP literal. */
  readonly localAddress: string;
  /** Where they lead to, as `HOST:PORT`. */
  readonly destination: string;
  /** How many local ports. */
  readonly ports: number;
}

/** A file of the kernel, or `undefined` where it may not be read; Deno wants --allow-all. */
export function readKernel(path: string): string | undefined {
  const { Deno } = globalThis as unknown as {
    readonly Deno?: {
      readonly permissions: { querySync(permission: { name: string }): { state: string } };
    };
  };
  try {
    // With this one alone Deno refuses; without it, it would ask at the terminal.
    if (Deno !== undefined && Deno.permissions.querySync({ name: "read" }).state !== "granted") {
      return undefined;
    }
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The names in the kernel's table of Unix sockets that stand for addresses. */
export function readHeld(table: string): HeldAddresses {
  const names = [...table.matchAll(/ @jackfield\/(address|added)\/(\S+)$/gm)];
  const of = (kind: string) =>
    new Set(names.filter((name) => name[1] === kind).map(([, , a]) => a!));
  return { exclusive: of("address"), added: of("added") };
}

/** The names in the kernel's table of Unix sockets under which tables show their state. */
export function readTables(table: string): string[] {
  return [...new Set([...table.matchAll(/ @(jackfield\/table\/\S+)$/gm)].map(([, name]) => name!))];
}

/** The state of a listening socket. */
const LISTEN = "0A";

/**
 * Count the local ports from `from` to `to` per address and destination, the most used first. What
 * came in through a listener takes no port of its own.
 */
export function countPorts(tables: readonly string[], from: number, to: number): UsedPorts[] {
  const sockets = tables.flatMap((table) => table.split("\n").slice(1)).flatMap((line) => {
    const [, local = "", remote, state] = line.trim().split(/\s+/);
    const port = parseInt(local.split(":")[1]!, 16);
    return remote === undefined ? [] : [{ local, remote, state, port }];
  });
  const listening = new Set(
    sockets.filter(({ state }) => state === LISTEN).map(({ port }) => port),
  );
  const counts = new Map<string, number>();
  for (const { local, remote, port } of sockets) {
    if (listening.has(port) || port < from || port > to) continue;
    const key = `${readAddress(local).hostname} ${formatAddress(readAddress(remote))}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, ports]) => {
    const [localAddress, destination] = key.split(" ") as [string, string];
    return { localAddress, destination, ports };
  }).sort((a, b) => b.ports - a.ports || (a.destination < b.destination ? -1 : 1));
}

/** `0100007F:1F90` is 127.0.0.1:8080: words of four bytes, each with the lowest byte first. */
function readAddress(text: string): { hostname: string; port: number } {
  const [digits = "", port = ""] = text.split(":");
  const words = digits.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) =>
    word.match(/../g)!.reverse().map((two) => parseInt(two, 16))
  );
  return { hostname: hostnameOf(bytes), port: parseInt(port, 16) };
}

function hostnameOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  // A socket of IPv6 that speaks IPv4 (RFC 4291, section 2.5.5.2).
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255;
  if (mapped) return bytes.slice(12).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => {
    return (bytes[2 * at]! << 8 | bytes[2 * at + 1]!).toString(16);
  });
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
