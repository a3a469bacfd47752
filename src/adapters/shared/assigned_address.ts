// Addresses that are added to an interface, and what fences them: `valid_lft`, after which the kernel
// removes them (ip-address(8)), 0 to 1.4 s late and never early, whatever becomes of their owner.
import { type AssignedAddress, type AssignOptions, JackfieldError } from "../../transport/mod.ts";
import { assignFailed, checkAssign, hostPrefix, wholeSeconds } from "./assign_options.ts";
import { askIp, changeByIp, IpRefused, needIp } from "./ip_program.ts";
import { destroySockets, letSocketsEnd } from "./kernel_sockets.ts";
import { forgetNeighbours } from "./neighbours.ts";
import { holdOwnership, type OwnerHold } from "./owner_hold.ts";

/** The metric of the address' own route: marks it as ours, in both families ("jf" in ASCII). */
const MARK = 0x6a66;

/** What ip(8) tells of an address. */
interface AddressInfo {
  readonly local: string;
  readonly metric?: number;
}

/** What ip(8) tells of an interface. */
interface LinkInfo {
  readonly ifname: string;
  readonly addr_info?: readonly AddressInfo[];
}

/** Add an address to an interface; see {@linkcode Interfaces.assign}. */
export async function assignAddress(options: AssignOptions): Promise<AssignedAddress> {
  const checked = checkAssign(options);
  const { hostname, interface: name, validMs } = checked;
  needIp("assign", `add ${hostname} to ${name}`);
  let hold: OwnerHold | undefined;
  try {
    hold = await holdOwnership(hostname);
    if (hold === undefined) throw new IpRefused("File exists"); // Its owner lives.
    const assigned = new Assigned(checked, hold);
    await assigned.add(validMs);
    return assigned;
  } catch (cause) {
    await hold?.release();
    throw assignFailed("add", checked, cause);
  }
}

class Assigned implements AssignedAddress {
  #options: Required<AssignOptions>;
  #hold: OwnerHold;
  #deadline = 0;
  #removal: Promise<void> | undefined;

  constructor(options: Required<AssignOptions>, hold: OwnerHold) {
    this.#options = options;
    this.#hold = hold;
  }

  async add(validMs: number): Promise<void> {
    const { hostname, interface: name } = this.#options;
    const there = (await addresses()).filter((address) => address.hostname === hostname);
    // The kernel would take it a second time, beside the one of a whole network.
    if (there.some(({ ours }) => !ours)) throw new IpRefused("File exists");
    // We hold its name: the owner of those that are left has ended.
    await Promise.all(there.map((address) => deleteAddress(hostname, address.interface)));
    await this.#set("add", validMs);
    try {
      // Whoever had the address before may still be where the gateway sends its packets.
      await forgetNeighbours(hostname, name);
    } catch (error) {
      await deleteAddress(hostname, name);
      throw error;
    }
  }

  async renew(validMs: number): Promise<void> {
    const { hostname, interface: name } = this.#options;
    wholeSeconds(validMs);
    if (this.#removal !== undefined || performance.now() >= this.#deadline) {
      const why = this.#removal === undefined ? "its time is over" : "it was removed";
      throw new JackfieldError(
        "ADDRESS_LEASE_LOST",
        `Cannot renew ${hostname} on ${name}: ${why}`,
        { operation: "renew", localAddress: hostname },
      );
    }
    try {
      await this.#set("replace", validMs);
    } catch (cause) {
      throw assignFailed("renew", this.#options, cause);
    }
  }

  remove(): Promise<void> {
    return this.#removal ??= this.#remove();
  }

  async #remove(): Promise<void> {
    const { hostname, interface: name } = this.#options;
    try {
      await letSocketsEnd(hostname);
      await destroySockets(hostname);
      await deleteAddress(hostname, name);
    } catch (cause) {
      throw assignFailed("remove", this.#options, cause);
    } finally {
      await this.#hold.release();
    }
  }

  async #set(verb: "add" | "replace", validMs: number): Promise<void> {
    const { hostname, interface: name, label } = this.#options;
    const seconds = wholeSeconds(validMs);
    const deadline = performance.now() + seconds * 1000; // Ours ends before the kernel's.
    const words = hostname.includes(":")
      // Deprecated, so that it is nobody's source who did not ask for it; and usable at once.
      ? ["preferred_lft", "0", "nodad"]
      : ["preferred_lft", String(seconds), ...(label === "" ? [] : ["label", label])];
    await changeByIp(
      ...["address", verb, hostPrefix(hostname), "dev", name],
      ...["valid_lft", String(seconds), ...words, "metric", String(MARK)],
    );
    this.#deadline = deadline;
  }
}

/** Remove what owners have left that have ended; see {@linkcode Interfaces.removeLeftovers}. */
export async function removeLeftovers(interfaceName?: string): Promise<readonly string[]> {
  const words = "remove addresses that were left";
  needIp("removeLeftovers", words);
  const removed: string[] = [];
  const found = await addresses().catch((cause) => {
    const message = `Cannot ${words}: ${(cause as Error).message}`;
    throw new JackfieldError("ADDRESS_ASSIGN_FAILED", message, { operation: "remove", cause });
  });
  for (const { hostname, interface: name, ours } of found) {
    if (!ours || name !== (interfaceName ?? name)) continue;
    const hold = await holdOwnership(hostname);
    if (hold === undefined) continue; // Its owner lives.
    try {
      await destroySockets(hostname);
      await deleteAddress(hostname, name);
      removed.push(hostname);
    } catch (cause) {
      throw assignFailed("remove", { hostname, interface: name }, cause);
    } finally {
      await hold.release();
    }
  }
  return removed;
}

/** What the interfaces have, and which of it has our mark. */
async function addresses(): Promise<
  { readonly hostname: string; readonly interface: string; readonly ours: boolean }[]
> {
  const links = await askIp<LinkInfo>("address", "show");
  return links.flatMap(({ ifname, addr_info = [] }) =>
    addr_info.map(({ local, metric }) => ({
      hostname: local,
      interface: ifname,
      ours: metric === MARK,
    }))
  );
}

async function deleteAddress(hostname: string, name: string): Promise<void> {
  try {
    await changeByIp("address", "delete", hostPrefix(hostname), "dev", name);
  } catch (error) {
    const { osCode } = error as { readonly osCode?: string };
    // The kernel was faster, or the whole interface has gone.
    if (osCode !== "EADDRNOTAVAIL" && osCode !== "ENODEV") throw error;
  }
}
