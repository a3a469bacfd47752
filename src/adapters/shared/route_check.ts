import { JackfieldError } from "../../transport/mod.ts";
import { normalIp } from "./assign_options.ts";
import { askIp, type IpRefused, needIp } from "./ip_program.ts";

/** What ip(8) tells of the way to a destination. */
interface Way {
  readonly type?: string;
  readonly dev: string;
  readonly gateway?: string;
}

/** What ip(8) tells of an interface. */
interface Link {
  readonly ifindex?: number;
  readonly ifname?: string;
  readonly link_type?: string;
  readonly linkinfo?: { readonly info_kind?: string };
}

/** A neighbour of an interface, and whether it answers. */
interface Neighbour {
  readonly state?: readonly string[];
}

/** What belongs to this host and leads nowhere else (RFC 1122, RFC 4291). */
const LOOPBACK = /^(127\.|::1$)/;

/** Whether a local address has a way to a destination; see {@linkcode Interfaces.checkRoute}. */
export async function checkRoute(destination: string, localAddress: string): Promise<void> {
  const [to, from] = [normalIp(destination), normalIp(localAddress)];
  if (to.includes(":") !== from.includes(":")) {
    throw new TypeError(`Cannot check "${to}" from "${from}": expected one family`);
  }
  needIp("checkRoute", `check the route to ${to}`);
  try {
    const why = await whatIsMissing(to, from);
    if (why !== undefined) throw new Error(why);
  } catch (cause) {
    const { message, osCode } = cause as IpRefused;
    throw new JackfieldError(
      "ADDRESS_ASSIGN_FAILED",
      `Cannot reach ${to} from ${from}: ${message}`,
      { operation: "checkRoute", localAddress: from, reason: "unreachable", osCode, cause },
    );
  }
}

/** A sentence with the command that would help; `undefined` when nothing is missing. */
async function whatIsMissing(to: string, from: string): Promise<string | undefined> {
  const [plain, own] = await Promise.all([wayTo(to), wayTo(from)]);
  if (own.type !== "local") {
    const dev = own.dev ?? "INTERFACE";
    const bits = from.includes(":") ? 128 : 32;
    return `the address is not on this host; missing: ip address add ${from}/${bits} dev ${dev}`;
  }
  if (plain.type === "local") return undefined; // It stays on this host.
  if (LOOPBACK.test(from)) return "a loopback address reaches this host alone";
  const [way, link] = await Promise.all([wayTo(to, from), linkOf(from)]);
  if (way.dev === undefined) return noRoute(to, way.osCode, link?.ifname);
  if (link !== undefined && link.ifname !== way.dev && leadsOut(link)) {
    return await noRule(from, link, way.dev);
  }
  return await silentHop(way.gateway ?? to, way.dev);
}

/** The kernel's choice, or the code with which it refuses to choose. */
async function wayTo(
  to: string,
  from?: string,
): Promise<Partial<Way> & { readonly osCode?: string }> {
  try {
    const source = from === undefined ? [] : ["from", from];
    return (await askIp<Way>("route", "get", to, ...source))[0] ?? {};
  } catch (error) {
    const { osCode } = error as IpRefused;
    if (osCode === undefined || osCode === "ENOENT") throw error; // Not the kernel's answer.
    return { osCode };
  }
}

/** The interface that has an address; none for one of a whole local network, such as 127.0.0.2. */
async function linkOf(address: string): Promise<Link | undefined> {
  const links = await askIp<Link>("-details", "address", "show", "to", address);
  return links.find(({ ifname }) => ifname !== undefined);
}

/** Whether an interface is there to send through, and not just to hold addresses. */
function leadsOut({ link_type, linkinfo }: Link): boolean {
  return link_type !== "loopback" && linkinfo?.info_kind !== "dummy";
}

function noRoute(to: string, osCode: string | undefined, dev: string = "INTERFACE"): string {
  if (osCode === "ENETUNREACH") {
    return `no route leads there; missing: ip route add ${to} via GATEWAY dev ${dev}`;
  }
  return `a route of this host forbids it (${osCode}); to see it: ip route show table all`;
}

/** The address' own interface is passed by: what answers would come back there, or nowhere. */
async function noRule(from: string, { ifname, ifindex = 0 }: Link, used: string): Promise<string> {
  const name = ifname!;
  const family = from.includes(":") ? "-6" : "-4";
  const routes = await askIp<Way>(family, "route", "show", "table", "all", "dev", name);
  const gateway = routes.find((route) => route.gateway !== undefined)?.gateway ?? "GATEWAY";
  const table = 100 + ifindex;
  const ip = family === "-6" ? "ip -6" : "ip";
  return `its packets would leave through ${used}, but the address is on ${name}; missing: ` +
    `${ip} rule add from ${from} lookup ${table}; ` +
    `${ip} route add default via ${gateway} dev ${name} table ${table}`;
}

/** A neighbour that is there answers within some milliseconds; the kernel asks for three seconds. */
const ANSWER_MS = 300;

/** Whether the next hop was asked for where it is, and did not answer. */
async function silentHop(hop: string, dev: string): Promise<string | undefined> {
  const stateOf = async (): Promise<readonly string[]> =>
    (await askIp<Neighbour>("neighbor", "show", "to", hop, "dev", dev))[0]?.state ?? [];
  let state = await stateOf();
  if (state.includes("INCOMPLETE")) {
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    state = await stateOf();
  }
  const silent = state.includes("INCOMPLETE") || state.includes("FAILED");
  return silent ? `${hop} on ${dev} does not answer` : undefined;
}
