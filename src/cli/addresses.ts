import { AddressTable, hostAddresses, systemTransport } from "../../mod.ts";
import {
  type AddressTableState,
  type HostAddresses,
  type InterfaceAddress,
  isJackfieldError,
  parseAddress,
  readPublishedState,
} from "../core.ts";
import { type Checked, checkFrom, describeCheck } from "./address_check.ts";
import { readArguments, readText } from "./arguments.ts";
import { countPorts, readHeld, readKernel, readTables, type UsedPorts } from "./kernel_view.ts";
import { EXIT, say } from "./terminal.ts";
import { wrap } from "./wrap.ts";

/** What `jackfield addresses --help` prints. */
export const ADDRESSES_HELP = `Usage: jackfield addresses [options]

Shows the local addresses that sockets can be given, the range of ports for each
of them and who said so, and what the processes of this host have taken.

Options:
  --addresses LIST    these addresses, ranges and CIDR blocks, by comma
                      (default: what the interfaces have)
  --check HOST:PORT   connect there from each address, and say what is missing
                      where that fails; --check [IPV6]:PORT
  --json              everything in one line of JSON
  -h, --help          this text

Examples:
  jackfield addresses
  jackfield addresses --addresses 127.0.0.2,127.0.1.0/28
  jackfield addresses --check example.org:443

What a program's own table leases, rests and bans is shown when the program has
called its publish().

Exit codes: 0 done, 1 failed, or an address does not get through, 2 bad
arguments.`;

/** As many addresses or destinations are printed one by one. */
const MAX_LINES = 24;

type PortsInUse = ReturnType<AddressTable["state"]>["ports"];

/** Everything that the command found out. */
interface Found {
  /** How many addresses there are. */
  readonly leaseable: number;
  /** Those that are known one by one, with what their interface says of them. */
  readonly addresses: readonly (Partial<InterfaceAddress> & { readonly hostname: string })[];
  readonly ports: Pick<PortsInUse, "from" | "to" | "source" | "reserved">;
  /** `null` where the kernel's tables may not be read. */
  readonly held: { readonly exclusive: string[]; readonly added: string[] } | null;
  readonly used: readonly UsedPorts[] | null;
  /** The tables of other programs that publish what they have; `null` like `held`. */
  readonly tables: readonly { readonly name: string; readonly state: AddressTableState }[] | null;
  readonly check?: { readonly target: string; readonly from: readonly Checked[] };
}

/** Run `jackfield addresses`; resolves to the exit code. */
export async function addresses(words: readonly string[]): Promise<number> {
  const args = readArguments(words, {
    addresses: { type: "string" },
    check: { type: "string" },
    json: { type: "boolean" },
  }, 0);
  if (args.values.help) {
    say(ADDRESSES_HELP);
    return EXIT.done;
  }
  const list = readText(args, "addresses");
  const target = readText(args, "check");
  const address = target === undefined ? undefined : parseAddress(target);
  const source = list === undefined ? hostAddresses() : hostAddresses(list.split(","));
  const table = new AddressTable({ source });
  const found = await look(table, source, list !== undefined);
  if (address === undefined) {
    say(args.values.json ? JSON.stringify(found) : describe(found).join("\n"));
    return EXIT.done;
  }
  const candidates = found.addresses.length > 0
    ? found.addresses.filter(({ scope }) => list !== undefined || scope !== "link")
    : await drawOne(table);
  const from = await checkFrom(candidates, address, list !== undefined);
  const check = { target: target!, from };
  say(args.values.json ? JSON.stringify({ ...found, check }) : describeCheck(check).join("\n"));
  return from.length > 0 && from.every(({ connected }) => connected) ? EXIT.done : EXIT.failed;
}

/** One address of a block that is too large to be written down. */
async function drawOne(table: AddressTable): Promise<{ readonly hostname: string }[]> {
  const descriptor = await table.create();
  const { hostname } = table.addressOf(descriptor);
  await table.close(descriptor);
  return [{ hostname }];
}

/** `only` leaves out what other addresses have taken. */
async function look(
  table: AddressTable,
  source: HostAddresses,
  only: boolean,
): Promise<Found> {
  const { leaseable, ports: { from, to, source: said, reserved } } = table.state();
  const known = knownAddresses();
  const asked = new Set(source.addresses);
  // Of a block that is too large to be written down nobody knows what belongs to it.
  const counts = (hostname: string) => !only || asked.size === 0 || asked.has(hostname);
  const unix = readKernel("/proc/net/unix");
  const held = unix === undefined ? undefined : readHeld(unix);
  const tcp = ["tcp", "tcp6"].flatMap((name) => readKernel(`/proc/net/${name}`) ?? []);
  const used = countPorts(tcp, from, to);
  return {
    leaseable,
    addresses: source.addresses.map((hostname) => ({ hostname, ...known.get(hostname) })),
    ports: { from, to, source: said, reserved },
    held: held === undefined ? null : {
      exclusive: [...held.exclusive].filter(counts).sort(),
      added: [...held.added].filter(counts).sort(),
    },
    tables: unix === undefined ? null : await readAll(readTables(unix)),
    used: tcp.length === 0 ? null : used.filter(({ localAddress }) => counts(localAddress)),
  };
}

/** The states of tables; one that ended meanwhile is left out. */
async function readAll(names: readonly string[]): Promise<NonNullable<Found["tables"]>> {
  const transport = systemTransport();
  const read = names.slice(0, MAX_LINES).map(async (name) => {
    try {
      return [{ name, state: await readPublishedState(transport, name) }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(read)).flat();
}

/** What the interfaces say of their addresses; nothing where that may not be asked. */
function knownAddresses(): Map<string, InterfaceAddress> {
  try {
    const list = systemTransport().host.interfaces?.list() ?? [];
    return new Map(list.map((address) => [address.hostname, address]));
  } catch (error) {
    if (isJackfieldError(error, "PERMISSION_DENIED")) return new Map();
    throw error;
  }
}

/** For people: at most 80 columns wide, unless an address is longer. */
function describe({ leaseable, addresses, ports, held, used, tables }: Found): string[] {
  const lines = [`Addresses that can be leased: ${leaseable.toLocaleString("en")}`];
  const word = (hostname: string) =>
    held?.exclusive.includes(hostname)
      ? "leased to one process"
      : held?.added.includes(hostname)
      ? "added by a process"
      : "";
  const shown = addresses.slice(0, MAX_LINES);
  const width = Math.max(...shown.map(({ hostname }) => hostname.length));
  for (const { hostname, interface: name = "", scope = "" } of shown) {
    const facts = `${name.padEnd(10)} ${scope.padEnd(7)}${word(hostname)}`;
    lines.push(`  ${hostname.padEnd(width)}  ${facts}`.trimEnd());
  }
  lines.push(...more(shown.length === 0 ? 0 : leaseable - shown.length), "");
  const count = (ports.to - ports.from + 1 - ports.reserved).toLocaleString("en");
  lines.push(`Ports ${ports.from} to ${ports.to} for each address and destination: ${count}`);
  lines.push(`  ${FROM[ports.source] ?? ports.source}`, "");
  if (held === null || used === null) {
    const why =
      "What other processes hold cannot be read here: that needs Linux, and in Deno --allow-all.";
    return [...lines, ...wrap(why, 80)];
  }
  const others = held.exclusive.filter((hostname) =>
    !shown.some((one) => one.hostname === hostname)
  );
  if (others.length > 0) lines.push(...wrap(`Leased to one process: ${others.join(", ")}`, 80), "");
  lines.push(
    `Ports in use: ${used.reduce((sum, { ports }) => sum + ports, 0).toLocaleString("en")}`,
  );
  for (const { localAddress, destination, ports } of used.slice(0, MAX_LINES)) {
    lines.push(`  ${String(ports).padStart(6)}  ${localAddress} to ${destination}`);
  }
  lines.push(...more(used.length - MAX_LINES));
  for (const { name, state } of tables ?? []) lines.push("", ...describeTable(name, state));
  return lines;
}

/** What another program has leased, and what rests or is banned there. */
function describeTable(name: string, { source, addresses, ports, rests }: AddressTableState) {
  const label = name.split("/")[2];
  const leased = addresses.filter(({ descriptors }) => descriptors.length > 0);
  const lines = wrap(`Table ${label}: ${source}, ${ports.used} ports in use`, 80);
  for (const { hostname, state, descriptors } of leased.slice(0, MAX_LINES)) {
    lines.push(`  ${hostname}  ${state}, ${descriptors.length} descriptors`);
  }
  lines.push(...more(leased.length - MAX_LINES));
  for (const { localAddress, target, endsInMs, why } of rests.slice(0, MAX_LINES)) {
    const until = endsInMs === null
      ? "banned"
      : `rests for ${Math.ceil(endsInMs / 1000)} s (${why})`;
    lines.push(`  ${localAddress}  ${until} for ${target === "*" ? "every target" : target}`);
  }
  return [...lines, ...more(rests.length - MAX_LINES)];
}

const FROM: Readonly<Record<string, string>> = {
  system: "the system's range (net.ipv4.ip_local_port_range)",
  default: "the usual range of Linux: the system's could not be read",
};

function more(count: number): string[] {
  return count > 0 ? [`  and ${count.toLocaleString("en")} more`] : [];
}
