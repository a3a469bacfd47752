import { readFileSync } from "node:fs";
import type { LocalPorts } from "../../transport/mod.ts";

/** The settings of Linux (ip-sysctl, "ip_local_port_range" and "ip_local_reserved_ports"). */
const RANGE = "/proc/sys/net/ipv4/ip_local_port_range";
const RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports";

interface DenoPermissions {
  readonly Deno?: {
    readonly permissions: {
      querySync(what: { name: "read"; path: string }): { readonly state: string };
    };
  };
}

/** The system's range of local ports; see `Host.localPorts`. */
export function systemPorts(): LocalPorts | undefined {
  const range = readNumbers(RANGE);
  const [from, to] = range?.[0] ?? [];
  if (from === undefined || to === undefined) return undefined;
  const reserved = readNumbers(RESERVED, ",") ?? [];
  return { from, to, reserved: reserved.map(([from, to = from]) => ({ from: from!, to: to! })) };
}

/** Pairs of numbers, each `FROM TO`, `FROM-TO` or `PORT`. */
function readNumbers(path: string, separator = "\n"): number[][] | undefined {
  try {
    if (wouldAsk(path)) return undefined;
    const parts = readFileSync(path, "utf8").trim().split(separator);
    return parts.filter((part) => part !== "").map((part) => part.split(/[\s-]+/).map(Number));
  } catch {
    // Not Linux, or Deno without --allow-all, which guards /proc beyond --allow-read.
    return undefined;
  }
}

/** Whether Deno would ask at the terminal, which would stop the whole program. */
function wouldAsk(path: string): boolean {
  const { Deno: deno } = globalThis as DenoPermissions;
  return deno !== undefined &&
    deno.permissions.querySync({ name: "read", path }).state !== "granted";
}
