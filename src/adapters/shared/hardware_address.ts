import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

/** The part of Deno that says what is permitted: it would ask at the terminal otherwise. */
interface DenoLike {
  readonly permissions: {
    querySync(
      permission:
        | { readonly name: "sys"; readonly kind: "networkInterfaces" }
        | { readonly name: "read"; readonly path: string },
    ): { readonly state: string };
  };
}

const deno = (globalThis as unknown as { readonly Deno?: DenoLike }).Deno;

/** What stands for an interface that has none, such as the loopback. */
const NONE = "00:00:00:00:00:00";

/** The hardware address of an interface; see `Interfaces.hardwareAddress`. */
export function hardwareAddress(interfaceName: string): string | undefined {
  const found = addressOfListed(interfaceName) ?? addressOfFile(interfaceName);
  return found === NONE ? undefined : found;
}

/** The system's list has those interfaces alone that have an address. */
function addressOfListed(interfaceName: string): string | undefined {
  const sys = { name: "sys", kind: "networkInterfaces" } as const;
  if (deno !== undefined && deno.permissions.querySync(sys).state !== "granted") return undefined;
  return networkInterfaces()[interfaceName]?.[0]?.mac;
}

/** What Linux shows of each interface (sysfs(5)). */
function addressOfFile(interfaceName: string): string | undefined {
  const path = `/sys/class/net/${interfaceName}/address`;
  try {
    if (deno?.permissions.querySync({ name: "read", path }).state === "prompt") return undefined;
    const text = readFileSync(path, "utf8").trim();
    return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(text) ? text : undefined;
  } catch {
    // Not Linux, no such interface, or Deno without --allow-all, which guards /sys.
    return undefined;
  }
}
