// Addresses leased from a real server over a real wire: each one on the interface, each one used, and
// the server's own file agrees at every step. More of it, and Kea, in tests/long/dhcp_test.ts.
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { AddressState } from "../../src/core.ts";
import { runtime, test } from "../harness.ts";
import { dhcpServer, noDnsmasq } from "./dhcp_server.ts";
import { agrees, DHCP, PERMISSIONS, startPeer, withDhcpHosts } from "./dhcp_hosts.ts";
import type { Outcome } from "./serve_lines.ts";
import { noNamespaces, until } from "./tools.ts";

const SYS = "--allow-sys=networkInterfaces";

test(
  "dhcpAddresses() with dnsmasq: leased, used, renewed, exhausted, restarted, released (A1, A4, A8)",
  { skip: noDnsmasq },
  () =>
    withDhcpHosts(async (hosts) => {
      const { host, serverHost } = hosts;
      const server = dhcpServer(serverHost, "dnsmasq", {
        size: 12,
        leaseSeconds: 120,
        renewSeconds: 3,
      });
      try {
        await server.start();
        const peer = await startPeer(hosts);
        const child = host.start("dhcp_child.ts", [], PERMISSIONS);
        await child.ask(["table", { ...DHCP, timeoutMs: 1000 }, { interface: "wire" }]);
        assertEquals(await child.ask(["connect", "10.77.0.1", 12]), { value: [] });
        const { value: leases } = await child.ask<Outcome<AddressState[]>>(["leases"]);
        await agrees(server, leases!, host);
        assertEquals(await child.ask(["echo"]), { value: 12 });
        const { value: arrivals } = await peer.ask<Outcome<{ from: string }[]>>(["arrivals"]);
        assertEquals(new Set(arrivals!.map(({ from }) => from)).size, 12);

        // Silence of a server that has given addresses: it has no more.
        assertEquals(await child.ask(["connect", "10.77.0.1", 1]), {
          value: ["ADDRESS_EXHAUSTED"],
        });

        const before = new Map(server.leases().map(({ hostname, endsAt }) => [hostname, endsAt]));
        const isRenewed = () =>
          server.leases().every(({ hostname, endsAt }) => endsAt > before.get(hostname)! + 1);
        await until(isRenewed, 20_000, "every lease is renewed");

        server.stop();
        await server.start();
        assertEquals(await child.ask(["echo"]), { value: 12 });
        const { value: left } = await child.ask<Outcome<AddressState[]>>(["closeSockets", 4]);
        assertEquals(left!.length, 8);
        await agrees(server, left!, host);
        assertEquals(await child.ask(["connect", "10.77.0.1", 2]), { value: [] });
        assertEquals(await child.ask(["closeAll"]), { value: null });
        await agrees(server, [], host);
        assertEquals(await child.ask(["errors"]), { value: [] });
      } finally {
        server.remove();
      }
    }),
);

test(
  "dhcpAddresses() says what is wrong with the host: no interface, no server, port 67 taken, no right",
  { skip: noNamespaces || (runtime === "node" && "the same as in Bun, and slow to start") },
  () =>
    withDhcpHosts(async ({ host }) => {
      const child = host.start("dhcp_child.ts", [], PERMISSIONS);
      const { message: none } = await child.ask<Outcome<null>>([
        "table",
        { ...DHCP, interface: "nothing" },
      ]);
      assertStringIncludes(none!, 'Cannot use interface "nothing"');
      await child.ask(["table", { ...DHCP, timeoutMs: 300 }]);
      const unanswered = await child.ask<Outcome<number>>(["create"]);
      assertEquals(unanswered.code, "ADDRESS_EXHAUSTED");
      assertStringIncludes(unanswered.message!, "no DHCP server answered within 300 ms");

      const other = host.start("dhcp_child.ts", [], PERMISSIONS);
      await other.ask(["table", { ...DHCP, timeoutMs: 30_000 }]);
      const waiting = other.ask<Outcome<number>>(["create"]).catch(() => {}); // It has the port.
      const isBound = () => host.run("ss -H -l -u -n").includes("10.77.255.1:67");
      await until(isBound, 10_000, "port 67 is bound");
      await child.ask(["table", { ...DHCP, timeoutMs: 300 }]);
      const taken = await child.ask<Outcome<number>>(["create"]);
      assertEquals(taken.code, "LISTEN_FAILED");
      assertStringIncludes(taken.message!, "one process leases for all");
      await other.kill();
      await waiting;

      // Without an address it asks by broadcast, and without a right for that route it says so.
      host.run("ip -4 address flush dev wire");
      const limited = host.start("dhcp_child.ts", [], PERMISSIONS.slice(0, 1).concat(SYS));
      await limited.ask(["table", { ...DHCP, timeoutMs: 300 }]);
      const lost = await limited.ask<Outcome<number>>(["create"]);
      if (runtime === "deno") {
        assertEquals(lost.code, "SOCKET_FAILED");
        assertStringIncludes(lost.message!, "ip route add 255.255.255.255/32 dev wire");
      } else assertEquals(lost.code, "ADDRESS_EXHAUSTED"); // It has made the route, and nobody is there.
      await until(() => !host.run("ip route").includes("255.255.255.255"), 5000, "it is gone");
    }),
);
