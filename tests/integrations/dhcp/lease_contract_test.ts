// DHCP keeps the one contract of every home of addresses, over a server in memory.
import { dhcpAddresses } from "../../../src/integrations/dhcp/mod.ts";
import { addressLeaseContract, type LeaseHome, VirtualClock } from "../../../src/testing/mod.ts";
import { test } from "../../harness.ts";
import { fakeInterfaces, FakeServer } from "./fake_server.ts";

/** A server with four addresses and a minute, and two hosts that lease from it. */
function dhcpHome(): LeaseHome {
  const clock = new VirtualClock();
  const server = new FakeServer({ clock, size: 4, leaseSeconds: 60 });
  const options = { interface: "eth0", probe: false, timeoutMs: 3000 };
  return {
    // One address is the server's own.
    size: 3,
    sources: [dhcpAddresses(options), dhcpAddresses(options)],
    host: { datagrams: server, interfaces: fakeInterfaces() },
    clock,
    pass: (ms) => clock.advance(ms),
    cut: (isCut) => void (server.isSilent = isCut),
  };
}

for (const { name, run } of addressLeaseContract(dhcpHome)) {
  test(`dhcpAddresses() keeps the lease contract: ${name} (A4)`, run);
}
