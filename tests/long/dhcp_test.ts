// What the short tests of DHCP leave out: 200 addresses from each server that is installed, short
// leases, owners that were stopped or cut off, and addresses that somebody else has.
import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { AddressState } from "../../src/core.ts";
import type { DhcpStats } from "../../src/integrations/dhcp/mod.ts";
import { test } from "../harness.ts";
import { agrees, DHCP, PERMISSIONS, startPeer, withDhcpHosts } from "../namespaces/dhcp_hosts.ts";
import { dhcpServer, noDnsmasq, noKea, SERVERS } from "../namespaces/dhcp_server.ts";
import type { Outcome } from "../namespaces/serve_lines.ts";
import { type Child, until } from "../namespaces/tools.ts";

const ASSIGN = { interface: "wire" };

/** What the peer has noted. */
type Arrivals = Outcome<{ from: string; atMs: number; count: number }[]>;

async function leasesOf(child: Child): Promise<AddressState[]> {
  return (await child.ask<Outcome<AddressState[]>>(["leases"])).value!;
}

for (const name of ["dnsmasq", "Kea"] as const) {
  test(
    `dhcpAddresses() with ${name}: 200 addresses on one interface, each used by a socket (A1, A4, A8)`,
    { skip: SERVERS[name].skip, timeoutMs: 110_000 },
    () =>
      withDhcpHosts(async (hosts) => {
        const { host, serverHost } = hosts;
        const times = name === "Kea"
          ? { leaseSeconds: 20, renewSeconds: 8 }
          : { leaseSeconds: 120, renewSeconds: 8 };
        const server = dhcpServer(serverHost, name, { size: 200, ...times });
        try {
          await server.start();
          const peer = await startPeer(hosts);
          const child = host.start("dhcp_child.ts", [], PERMISSIONS);
          await child.ask(["table", { ...DHCP, timeoutMs: 4000 }, ASSIGN]);
          const began = performance.now();
          assertEquals(await child.ask(["connect", "10.77.0.1", 200]), { value: [] });
          const tookMs = Math.round(performance.now() - began);
          await agrees(server, await leasesOf(child), host);
          assertEquals(await child.ask(["echo"]), { value: 200 });
          const { value: arrivals } = await peer.ask<Arrivals>(["arrivals"]);
          assertEquals(new Set(arrivals!.map(({ from }) => from)).size, 200);
          const { value: full } = await child.ask<Outcome<string[]>>(["connect", "10.77.0.1", 1]);
          assertEquals(full, ["ADDRESS_EXHAUSTED"]);

          const before = new Map(server.leases().map((lease) => [lease.hostname, lease.endsAt]));
          const isRenewed = () =>
            server.leases().every(({ hostname, endsAt }) => endsAt > before.get(hostname)! + 5);
          await until(isRenewed, 30_000, "every lease is renewed");
          server.stop();
          await server.start();
          assertEquals(await child.ask(["echo"]), { value: 200 });
          const { value: left } = await child.ask<Outcome<AddressState[]>>(["closeSockets", 100]);
          await agrees(server, left!, host);
          assertEquals(await child.ask(["connect", "10.77.0.1", 50]), { value: [] });
          assertEquals(await child.ask(["echo"]), { value: 150 });
          await agrees(server, await leasesOf(child), host);
          const { value: stats } = await child.ask<Outcome<DhcpStats>>(["stats"]);
          assertEquals(await child.ask(["closeAll"]), { value: null });
          await agrees(server, [], host);
          assertEquals(await child.ask(["errors"]), { value: [] });
          console.log(`# ${name}: 200 leased in ${tookMs} ms; ${JSON.stringify(stats)}`);
        } finally {
          server.remove();
        }
      }),
  );
}

/** How an owner loses his lease, and what keeps his bytes back. */
const losses = [
  { what: "stopped, the address added by the table", stops: true, assign: ASSIGN },
  { what: "stopped, the address on the host for good", stops: true, assign: undefined },
  { what: "cut off from its server", stops: false, assign: ASSIGN },
] as const;

for (const { what, stops, assign } of losses) {
  test(
    `dhcpAddresses() with Kea: an owner that was ${what}, writes no byte after the end of its lease`,
    { skip: noKea, timeoutMs: 110_000 },
    () =>
      withDhcpHosts(async (hosts) => {
        const { host, serverHost } = hosts;
        const server = dhcpServer(serverHost, "Kea", { size: 4, leaseSeconds: 9 });
        try {
          await server.start();
          const peer = await startPeer(hosts, 3);
          if (assign === undefined) {
            for (let at = 1; at <= 4; at++) host.run(`ip address add 10.77.1.${at}/32 dev wire`);
          }
          const child = host.start("dhcp_child.ts", [], PERMISSIONS);
          await child.ask(["table", DHCP, assign]);
          assertEquals(await child.ask(["connect", "10.77.0.1", 4]), { value: [] });
          await child.ask(["stream"]);
          const { value: pid } = await child.ask<Outcome<number>>(["pid"]);
          await new Promise((resolve) => setTimeout(resolve, 6000)); // Renewed once, at least.
          assertEquals(await child.ask(["states"]), { value: Array(4).fill("open") });
          await peer.ask(["arrivals"]);
          if (!stops) server.stop();
          const { value: endsAtMs } = await child.ask<Outcome<number>>(["note"]);
          if (stops) process.kill(pid!, "SIGSTOP");
          const leftMs = endsAtMs! - (performance.timeOrigin + performance.now());
          await new Promise((resolve) => setTimeout(resolve, leftMs + 4000));
          if (stops) process.kill(pid!, "SIGCONT");
          await new Promise((resolve) => setTimeout(resolve, 1000));

          const { value: streamed } = await child.ask<
            Outcome<{ written: number; lateWrites: number; ends: string[] }>
          >(["streamed"]);
          const { value: arrivals } = await peer.ask<Arrivals>(["arrivals"]);
          const late = arrivals!.filter(({ atMs }) => atMs > endsAtMs!);
          assert(arrivals!.length > 10 && streamed!.written > 100, "they streamed before");
          assertEquals(late, [], "bytes arrived after the end of the lease");
          assertEquals(streamed!.lateWrites, 0);
          assertEquals(streamed!.ends, Array(4).fill("ADDRESS_LEASE_LOST"));
          if (!stops) await server.start();
          assertEquals(await child.ask(["connect", "10.77.0.1", 1]), { value: [] }); // It goes on.
          assertEquals(await child.ask(["closeAll"]), { value: null });
        } finally {
          server.remove();
        }
      }),
  );
}

test(
  "dhcpAddresses() with dnsmasq: a killed program gets the same addresses at its next start",
  { skip: noDnsmasq },
  () =>
    withDhcpHosts(async (hosts) => {
      const { host, serverHost } = hosts;
      const server = dhcpServer(serverHost, "dnsmasq", { size: 50, leaseSeconds: 120 });
      const folder = mkdtempSync(join(tmpdir(), "jackfield-dhcp-state-"));
      const stateFile = join(folder, "state.json");
      const flags = [...PERMISSIONS, `--allow-read=${folder}`, `--allow-write=${folder}`];
      try {
        await server.start();
        await startPeer(hosts);
        const names = async (child: Child) =>
          (await leasesOf(child)).map(({ hostname }) => hostname).toSorted();
        const first = host.start("dhcp_child.ts", [], flags);
        await first.ask(["table", { ...DHCP, stateFile }, ASSIGN]);
        assertEquals(await first.ask(["connect", "10.77.0.1", 10]), { value: [] });
        const before = await names(first);
        await first.kill();
        const next = host.start("dhcp_child.ts", [], flags);
        await next.ask(["table", { ...DHCP, stateFile }, ASSIGN]);
        assertEquals(await next.ask(["connect", "10.77.0.1", 10]), { value: [] });
        assertEquals(await names(next), before);
        assertEquals(await next.ask(["echo"]), { value: 10 });
        await agrees(server, await leasesOf(next), host);
        assertEquals(await next.ask(["closeAll"]), { value: null });
        await agrees(server, [], host);
        assertEquals(JSON.parse(readFileSync(stateFile, "utf8")).leases, []);
      } finally {
        rmSync(folder, { recursive: true });
        server.remove();
      }
    }),
);

const noArping = noDnsmasq ||
  (!spawnSync("arping", ["-V"], { encoding: "utf8" }).stdout?.includes("iputils") &&
    "needs arping of iputils");

test(
  "dhcpAddresses() with dnsmasq: an address that somebody else has is declined, as arping finds",
  { skip: noArping },
  () =>
    withDhcpHosts(async ({ host, serverHost }) => {
      const server = dhcpServer(serverHost, "dnsmasq", { size: 3, leaseSeconds: 120 });
      try {
        await server.start();
        // The server does not look by itself here; two of its three are taken by hand.
        for (const at of [1, 3]) serverHost.run(`ip address add 10.77.1.${at}/32 dev wire`);
        const child = host.start("dhcp_child.ts", [], [...PERMISSIONS, "--allow-run=arping,ip,ss"]);
        await child.ask(["table", { interface: "wire", timeoutMs: 20_000 }, ASSIGN]);
        assertEquals((await child.ask<Outcome<number>>(["create"])).value, 1);
        assertEquals((await leasesOf(child)).map(({ hostname }) => hostname), ["10.77.1.2"]);
        const { value: stats } = await child.ask<Outcome<DhcpStats>>(["stats"]);
        assertEquals(stats!.conflictCheck, "arping");
        await child.ask(["closeAll"]);
        assertEquals(server.leases(), []);
      } finally {
        server.remove();
      }
    }),
);

for (const name of ["dnsmasq", "Kea"] as const) {
  test(
    `dhcpAddresses() with ${name}: by broadcast from an interface without an address`,
    { skip: SERVERS[name].skip },
    () =>
      withDhcpHosts(async ({ host, serverHost }) => {
        const times = { leaseSeconds: name === "Kea" ? 8 : 120, renewSeconds: 3 };
        const server = dhcpServer(serverHost, name, { size: 20, ...times });
        try {
          await server.start();
          host.run("ip -4 address flush dev wire");
          const filters = ["all", "wire"].map((name) => `net.ipv4.conf.${name}.rp_filter=0`);
          host.run(`sysctl -q ${filters.join(" ")}`);
          const child = host.start("dhcp_child.ts", [], PERMISSIONS);
          await child.ask(["table", { ...DHCP, timeoutMs: 3000 }, ASSIGN]);
          for (let at = 1; at <= 10; at++) await child.ask<Outcome<number>>(["create"]);
          const leases = await leasesOf(child);
          assertEquals(leases.length, 10);
          await agrees(server, leases, host);
          await new Promise((resolve) => setTimeout(resolve, 12_000));
          await agrees(server, await leasesOf(child), host);
          assertEquals((await leasesOf(child)).length, 10); // Renewed, some longer than they last.
          assertEquals(await child.ask(["closeAll"]), { value: null });
          await agrees(server, [], host);
          assertEquals(await child.ask(["errors"]), { value: [] });
        } finally {
          server.remove();
        }
      }),
  );
}
