// Two sockets of one host talk to two different peers from two different addresses over one network
// interface; the table adds the addresses and takes them away again.
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import type { Outcome } from "./serve_lines.ts";
import { type Namespace, noNamespaces, until, withNamespaces } from "./tools.ts";

const skip = noNamespaces;

/** One switch with these hosts on it; each host's end of its cable is `wire`. */
async function wired(
  create: () => Promise<Namespace>,
  hosts: readonly (readonly string[])[],
): Promise<Namespace[]> {
  const center = await create();
  center.run("ip link add bridge type bridge && ip link set bridge up");
  const all: Namespace[] = [];
  for (const [at, addresses] of hosts.entries()) {
    const host = await create();
    center.connect(`port${at}`, host, "wire");
    center.run(`ip link set port${at} master bridge`);
    for (const address of addresses) {
      host.run(`ip address add ${address} dev wire ${address.includes(":") ? "nodad" : ""}`);
    }
    all.push(host);
  }
  return all;
}

/** The addresses that an interface has, without the first ones that it had before. */
function added(host: Namespace): string[] {
  const [link] = JSON.parse(host.run("ip -j address show dev wire scope global"));
  return link.addr_info
    .filter(({ prefixlen }: { prefixlen?: number }) => prefixlen === 32 || prefixlen === 128)
    .map(({ local }: { local: string }) => local);
}

const FAMILIES = [
  {
    family: "IPv4",
    host: "10.8.0.1/24",
    peers: ["10.8.0.101", "10.8.0.102"],
    bits: 24,
    own: ["10.8.0.11", "10.8.0.12"],
  },
  {
    family: "IPv6",
    host: "2001:db8::1/64",
    peers: ["2001:db8::101", "2001:db8::102"],
    bits: 64,
    own: ["2001:db8::11", "2001:db8::12"],
  },
];

for (const { family, host, peers, bits, own } of FAMILIES) {
  test(
    `AddressTable gives two sockets to two peers an ${family} address each on one interface`,
    { skip },
    () =>
      withNamespaces(async (create) => {
        const [client, ...others] = await wired(create, [
          [host],
          ...peers.map((peer) => [`${peer}/${bits}`]),
        ]);
        const servers = others.map((other) => other.start("table_child.ts"));
        for (const [at, server] of servers.entries()) {
          await server.ask(["listen", [peers[at]!], 7000]);
        }
        const child = client!.start("table_child.ts");
        const assign = { interface: "wire", validMs: 30_000 };
        await child.ask(["table", own, { assign, exclusive: true }]);
        const targets = peers.map((hostname) => ({ hostname, port: 7000 }));
        assertEquals(added(client!), []);

        const created = await child.ask<Outcome<string[]>>(["create", targets]);
        assertEquals(created.value?.toSorted(), own, created.message);
        assertEquals(added(client!).toSorted(), own);

        // What the peers saw is what the table says, and what the kernel of the host says.
        const listed = client!.run("ss -Htn state established").trim().split("\n")
          .map((line) => line.trim().split(/\s+/).slice(2));
        for (const [at, server] of servers.entries()) {
          const { value } = await server.ask<Outcome<[string, string][]>>(["ends"]);
          assertEquals(value!.length, 1);
          const [[mine, theirs]] = value as [[string, string]];
          assertEquals(hostOf(mine), peers[at]);
          assertEquals(hostOf(theirs), created.value![at]);
          const line = listed.find(([, remote]) => hostOf(remote!) === peers[at])!;
          assertEquals(hostOf(line[0]!), created.value![at]);
        }

        assertEquals(await child.ask(["closeDescriptors"]), { value: null });
        assertEquals(added(client!), []);
      }),
  );
}

/** Of `HOST:PORT`, with or without brackets and a zone. */
function hostOf(end: string): string {
  return end.slice(0, end.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

test(
  "AddressTable: the kernel removes the addresses of a killed owner",
  { skip },
  () =>
    withNamespaces(async (create) => {
      const [host] = await wired(create, [["10.8.0.1/24", "2001:db8::1/64"], ["10.8.0.101/24"]]);
      const child = host!.start("table_child.ts");
      const list = ["10.8.0.11", "2001:db8::11"];
      await child.ask(["table", list, { assign: { interface: "wire", validMs: 2000 } }]);
      await child.ask(["hold", 2]);
      assertEquals(added(host!), list);
      // As long as it lives, it renews.
      await new Promise((resolve) => setTimeout(resolve, 3700));
      assertEquals(added(host!), list);
      await child.kill();
      assertEquals(added(host!), list);
      await until(() => added(host!).length === 0, 6000, "the addresses are gone");
    }),
);
