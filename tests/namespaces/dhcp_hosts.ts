// Two hosts on one wire, for the tests of DHCP: one has the server and the peer, one leases.
import { assertEquals } from "@std/assert";
import type { AddressState } from "../../src/core.ts";
import type { DhcpServer } from "./dhcp_server.ts";
import { type Child, type Namespace, until, withNamespaces } from "./tools.ts";

/** The options of every source: the second that arping takes is spared. */
export const DHCP = { interface: "wire", probe: false } as const;

/** What it needs in Deno. */
export const PERMISSIONS: readonly string[] = [
  "--allow-net",
  "--allow-run=ip,ss",
  "--allow-sys=networkInterfaces",
];

/** Two hosts on one wire. */
export interface DhcpHosts {
  /** Leases; 10.77.255.1/16 on `wire`. */
  readonly host: Namespace;
  /** 10.77.0.1/16 on `wire`. */
  readonly serverHost: Namespace;
}

/** Run with two hosts, of which nothing is left. */
export function withDhcpHosts(run: (hosts: DhcpHosts) => Promise<void>): Promise<void> {
  return withNamespaces(async (create) => {
    const [serverHost, host] = [await create(), await create()];
    serverHost.connect("wire", host, "wire");
    serverHost.run("ip address add 10.77.0.1/16 dev wire");
    host.run("ip address add 10.77.255.1/16 dev wire");
    await run({ host, serverHost });
  });
}

/** The peer on the server's host: sends back what comes to 10.77.0.1:7000, or sends by itself. */
export async function startPeer({ serverHost }: DhcpHosts, everyMs = 0): Promise<Child> {
  const peer = serverHost.start("dhcp_child.ts");
  await peer.ask(["listen", "10.77.0.1", everyMs]);
  return peer;
}

/** The server's file, the table and the interface say the same. */
export async function agrees(
  server: DhcpServer,
  leases: readonly AddressState[],
  host: Namespace,
): Promise<void> {
  const pair = ({ hostname, owner }: { hostname: string; owner?: string }) =>
    `${hostname} ${owner}`;
  const expected = leases.map(pair).toSorted();
  const filed = () => server.leases().map(pair).toSorted();
  // A server writes after it has answered, and answers nothing to a release.
  await until(() => filed().join() === expected.join(), 5000, "the server's file agrees")
    .catch(() => assertEquals(filed(), expected));
  const [link] = JSON.parse(host.run("ip -j -4 address show dev wire"));
  const added = (link?.addr_info ?? [])
    .filter(({ prefixlen }: { prefixlen: number }) => prefixlen === 32)
    .map(({ local }: { local: string }) => local);
  assertEquals(added.toSorted(), leases.map(({ hostname }) => hostname).toSorted());
}
