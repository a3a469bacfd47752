import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  AddressTable,
  type AddressTableOptions,
  DEFAULT_PORTS,
  hostAddresses,
  leastBusy,
  type LocalPorts,
  sticky,
} from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { runtime, test } from "../harness.ts";
import { rejection } from "../transport/tools.ts";
import { readFileSync } from "node:fs";

const TARGET = { hostname: "192.0.2.1", port: 80 };

function tableOn(localPorts: LocalPorts | undefined, options: Partial<AddressTableOptions> = {}) {
  const transport = memoryTransport({ host: { localPorts: () => localPorts } });
  const source = hostAddresses(["10.0.0.1", "10.0.0.2"]);
  return new AddressTable({ transport, source, ...options });
}

test("AddressTable.state() tells what is leased, which ports are used and where the range came from", async () => {
  const table = tableOn(undefined, { ports: { from: 5000, to: 5009 }, random: () => 0 });
  const listener = await table.transport.listen(TARGET);
  assertEquals(table.state(), {
    source: "10.0.0.1, 10.0.0.2",
    leaseable: 2,
    exclusive: false,
    addresses: [],
    ports: { from: 5000, to: 5009, source: "option", reserved: 0, used: 0, resting: 0 },
    destinations: [],
    rests: [],
  });
  const descriptor = await table.create();
  await table.bind(descriptor);
  await table.connect(TARGET);
  await table.connect(TARGET);
  await table.connect(TARGET);
  const state = table.state();
  assertEquals(state.addresses, [
    { hostname: "10.0.0.1", state: "leased", descriptors: [1, 3] },
    { hostname: "10.0.0.2", state: "leased", descriptors: [2, 4] },
  ]);
  assertEquals(state.ports.used, 4);
  assertEquals(state.destinations, [
    { localAddress: "10.0.0.1", destination: "*", used: 1, resting: 0 },
    { localAddress: "10.0.0.1", destination: "192.0.2.1:80", used: 1, resting: 0 },
    { localAddress: "10.0.0.2", destination: "192.0.2.1:80", used: 2, resting: 0 },
  ]);
  assertEquals(JSON.parse(JSON.stringify(state)), state); // Plain data.
  await table.closeAll();
  await listener.close();
});

test("AddressTable takes the system's ports, but for those that it keeps for others (1)", async () => {
  const system = {
    from: 6000,
    to: 6009,
    reserved: [{ from: 6000, to: 6004 }, { from: 80, to: 80 }],
  };
  const table = tableOn(system);
  const { from, to, source, reserved } = table.state().ports;
  assertEquals({ from, to, source, reserved }, {
    from: 6000,
    to: 6009,
    source: "system",
    reserved: 5,
  });
  const bound = await Promise.all(
    Array.from({ length: 10 }, async () => (await table.bind(await table.create())).port),
  );
  assertEquals(new Set(bound), new Set([6005, 6006, 6007, 6008, 6009]));
  assertEquals((await rejection(table.bind(await table.create()))).code, "ADDRESS_EXHAUSTED");
  const option = tableOn(system, { ports: { from: 6003, to: 6006 } }).state().ports;
  assertEquals([option.from, option.source, option.reserved], [6003, "option", 2]);
  const none = tableOn(undefined).state().ports;
  assertEquals([none.from, none.to, none.source], [
    DEFAULT_PORTS.from,
    DEFAULT_PORTS.to,
    "default",
  ]);
  await table.closeAll();
});

test("Host.localPorts says what Linux is set to", {
  skip: !systemTransport().host.localPorts?.() && `not readable in this ${runtime}`,
}, () => {
  const read = (name: string) => readFileSync(`/proc/sys/net/ipv4/${name}`, "utf8").trim();
  const { from, to, reserved } = systemTransport().host.localPorts!()!;
  assertEquals(`${from}\t${to}`, read("ip_local_port_range"));
  const written = reserved.map(({ from, to }) => from === to ? `${from}` : `${from}-${to}`);
  assertEquals(written.join(), read("ip_local_reserved_ports"));
});

test("AddressTable puts no more descriptors on one address than it may", async () => {
  const table = tableOn(undefined, { maxSocketsPerAddress: 2 });
  const listener = await table.transport.listen(TARGET);
  const sockets = await Promise.all(Array.from({ length: 4 }, () => table.connect(TARGET)));
  const hosts = sockets.map(({ localAddress }) => localAddress.hostname).sort();
  assertEquals(hosts, ["10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.2"]);
  assertEquals((await rejection(table.connect(TARGET))).code, "ADDRESS_EXHAUSTED");
  const [first] = sockets;
  await first!.close();
  const next = await table.connect(TARGET);
  assertEquals(next.localAddress.hostname, first!.localAddress.hostname);
  await table.closeAll();
  await listener.close();
});

test("AddressTable tells its strategy how busy each address is, and for whom it chooses (P4)", async () => {
  const busy = tableOn(undefined, { strategy: leastBusy() });
  const made = await Promise.all(Array.from({ length: 6 }, () => busy.create()));
  const hostOf = (descriptor: number) => busy.addressOf(descriptor).hostname;
  for (const descriptor of made) {
    if (hostOf(descriptor) === "10.0.0.1") await busy.close(descriptor);
  }
  const next = [await busy.create(), await busy.create(), await busy.create()];
  assertEquals(next.map(hostOf), ["10.0.0.1", "10.0.0.1", "10.0.0.1"]);
  await busy.closeAll();
  const sticks = tableOn(undefined, {
    strategy: sticky(({ target }) => target && "port" in target ? target.port : undefined),
  });
  const hosts: string[] = [];
  for (const port of [1, 2, 1, 1, 2, 2]) {
    const descriptor = await sticks.create({ target: { hostname: "192.0.2.1", port } });
    hosts.push(`${port} ${sticks.addressOf(descriptor).hostname}`);
  }
  assertEquals(new Set(hosts).size, 2);
  await sticks.closeAll();
});

test("AddressTable shows its strategy no address twice, and none that is full", async () => {
  const views: string[][] = [];
  const table = tableOn(undefined, {
    maxSocketsPerAddress: 1,
    strategy: (candidates) => {
      views.push(candidates.map(({ hostname }) => hostname));
      return candidates.at(-1);
    },
  });
  await table.create();
  await table.create();
  assertEquals((await rejection(table.create())).code, "ADDRESS_EXHAUSTED");
  assertEquals(views, [["10.0.0.1", "10.0.0.2"], ["10.0.0.1"]]);
  await table.closeAll();
});

test("AddressTable refuses bounds and times that are none", () => {
  const bad: Partial<AddressTableOptions>[] = [
    { maxSocketsPerAddress: 0 },
    { maxAddresses: NaN },
    { reuseRestMs: -1 },
    { portRestMs: Infinity },
    { drainMs: NaN },
  ];
  for (const options of bad) {
    const [[name, value]] = Object.entries(options) as [[string, unknown]];
    assertThrows(() => tableOn(undefined, options), RangeError, `${name} "${value}"`);
  }
  const table = tableOn(undefined);
  assert(table.size === 0);
});

test("AddressTable.bind() refuses a port that is none, or not free", async () => {
  const table = tableOn(undefined, { source: hostAddresses(["10.0.0.1"]) });
  const [one, two] = [await table.create(), await table.create()];
  for (const port of [0, -1, 65_536, 1.5, NaN]) {
    assert(await rejection(table.bind(one, { port })) instanceof RangeError, `${port}`);
  }
  await table.bind(one, { port: 80 });
  assertEquals((await table.bind(one, { port: 80 })).port, 80);
  assertEquals((await rejection(table.bind(one, { port: 81 }))).code, "ADDRESS_IN_USE");
  assertEquals((await rejection(table.bind(two, { port: 80 }))).code, "ADDRESS_IN_USE");
  await table.close(one);
  assertEquals((await table.bind(two, { port: 80 })).port, 80);
  await table.closeAll();
});
