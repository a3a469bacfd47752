// What the address table adds to a connect, and what its port table costs while nearly every port of
// a million tuples is in use. `deno bench -A bench/address_table_bench.ts`
import { AddressTable, createSocket, hostAddresses, type Transport } from "../src/core.ts";
import { PortTable } from "../src/address_table/port_table.ts";
import { memoryTransport } from "../src/testing/mod.ts";

const { capabilities } = memoryTransport();
const driver = {
  hasUnread: false,
  read: () => undefined,
  write: (bytes: Uint8Array) => bytes.byteLength,
  closeWrite: () => {},
  close: () => {},
  abort: () => {},
};
/** Connects at once to nowhere, so that only the table is measured. */
const transport: Transport = {
  name: "light",
  capabilities,
  host: {},
  listen: () => Promise.reject(new Error("nobody listens")),
  connect: (_target, { localAddress = "", localPort = 0 } = {}) =>
    Promise.resolve(createSocket(Object.create(driver), {
      localAddress: { hostname: localAddress, port: localPort },
      remoteAddress: { hostname: "192.0.2.1", port: 80 },
    })),
};

const ADDRESSES = Array.from({ length: 16 }, (_, at) => `10.0.0.${at + 1}`);
const target = { hostname: "192.0.2.1", port: 80 };
const ALL_PORTS = { from: 1024, to: 65_535 };

const group = "connect and close";
Deno.bench("the transport alone", { group, baseline: true }, async () => {
  const socket = await transport.connect(target, { localAddress: "10.0.0.1", localPort: 5 });
  await socket.close();
});
for (const addresses of [["10.0.0.1"], ADDRESSES, ["10.0.0.0/20"], ["2001:db8::/64"]]) {
  const table = new AddressTable({ transport, source: hostAddresses(addresses), ports: ALL_PORTS });
  const [first] = addresses;
  const to = first!.includes(":") ? { hostname: "2001:db8:1::1", port: 80 } : target;
  const name = addresses.length === 1 ? first : `${addresses.length} addresses`;
  Deno.bench(`AddressTable.connect(target), ${name}`, { group }, async () => {
    const socket = await table.connect(to);
    await socket.close();
  });
}

for (const [name, count] of [["no port", 0], ["a million tuples", 1_000_000]] as const) {
  const ports = new PortTable(ALL_PORTS);
  for (let at = 0; at < count; at++) ports.take(ADDRESSES[at % 16]!, "192.0.2.1:80");
  let at = 0;
  Deno.bench(`PortTable.take() and giveBack() with ${name} in use`, { group: "ports" }, () => {
    const address = ADDRESSES[++at % 16]!;
    if (count === 0) return ports.giveBack(address, ports.take(address, "a"), "a");
    const port = 1024 + at * 7919 % 62_000;
    ports.giveBack(address, port, "192.0.2.1:80");
    ports.take(address, "192.0.2.1:80");
  });
}
