// Descriptors that listen: bind also serves listening (A2, A5).
import { assertEquals } from "@std/assert";
import {
  AddressTable,
  type AddressTableOptions,
  hostAddresses,
  type JackfieldError,
  type Listener,
} from "../../src/core.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { rejection } from "../transport/tools.ts";
import { skipUnlessLocal } from "./real.ts";

const HERE = "127.0.0.2";
// Before any test is registered: Node ends when those that are have run.
const skip = await skipUnlessLocal();

function scene(options: Partial<AddressTableOptions> = {}) {
  const transport = memoryTransport();
  const table = new AddressTable({ transport, source: hostAddresses([HERE]), ...options });
  return { transport, table };
}

test("AddressTable.listen() listens on the bound port of the descriptor (A2, A5)", async () => {
  const { transport, table } = scene();
  const descriptor = await table.create();
  const bound = await table.bind(descriptor, { port: 443 });
  assertEquals(bound, { hostname: HERE, port: 443 });
  const listener = await table.listen(descriptor);
  assertEquals([listener.address, table.addressOf(descriptor)], [bound, bound]);
  const near = await transport.connect(bound);
  const far = await listener.accept();
  assertEquals(far.remoteAddress, near.localAddress);
  assertEquals(await table.bind(descriptor), bound);
  await table.close(descriptor); // The listener, and what it accepted.
  assertEquals([far.state, (await rejection(listener.accept())).code], [
    "closed",
    "LISTENER_CLOSED",
  ]);
  assertEquals([table.ports, table.size], [0, 0]);
  await near.close();
  assertEquals(transport.openEnds, 0);
});

test("AddressTable.listen() binds first when nobody did, and keeps the port until close (A5)", async () => {
  const { table } = scene({ ports: { from: 5000, to: 5001 } });
  const descriptor = await table.create();
  const listener = await table.listen(descriptor);
  const { address } = listener;
  assertEquals([table.addressOf(descriptor), table.ports], [address, 1]);
  const [other] = [await table.create(), await table.create()];
  await table.bind(other);
  assertEquals((await rejection(table.bind(3))).code, "ADDRESS_EXHAUSTED"); // One port each.
  await listener.close();
  await listener.close();
  assertEquals(await table.bind(descriptor), address);
  const again = await table.listen(descriptor); // Once more, on the same port.
  assertEquals(again.address, address);
  assertEquals((await again[Symbol.asyncDispose](), table.ports), 2);
  await table.closeAll();
  assertEquals(table.ports, 0);
});

test("AddressTable.listen(): one thing at a time for each descriptor (A2)", async () => {
  const { transport, table } = scene();
  const peer = await transport.listen({ hostname: "127.0.0.1", port: 7000 });
  const descriptor = await table.create();
  const listening = table.listen(descriptor);
  const codes = (operations: Promise<unknown>[]) =>
    Promise.all(operations.map(async (operation) => (await rejection(operation)).code));
  assertEquals(
    await codes([table.listen(descriptor), table.connect(descriptor, peer.address)]),
    ["ADDRESS_IN_USE", "ADDRESS_IN_USE"],
  );
  const { address } = await listening;
  assertEquals(await table.bind(descriptor), address);
  assertEquals(
    await codes([table.listen(descriptor), table.connect(descriptor, peer.address)]),
    ["ADDRESS_IN_USE", "ADDRESS_IN_USE"],
  );
  assertEquals(await codes([table.bind(descriptor, { port: 1 })]), ["ADDRESS_IN_USE"]);
  const other = await table.create();
  await table.connect(other, peer.address);
  assertEquals(
    await codes([table.listen(other), table.listen(99), table.bind(other, { port: address.port })]),
    ["ADDRESS_IN_USE", "ADDRESS_UNKNOWN_DESCRIPTOR", "ADDRESS_IN_USE"],
  );
  await table.closeAll();
  await peer.close();
});

test("AddressTable.close() during listen leaves nothing (A2, A7)", async () => {
  const { transport, table } = scene();
  for (const bound of [false, true]) {
    const descriptor = await table.create();
    if (bound) await table.bind(descriptor, { port: 80 });
    const listening = rejection(table.listen(descriptor));
    const binding = rejection(table.bind(descriptor));
    await table.close(descriptor);
    assertEquals((await listening).code, "ADDRESS_UNKNOWN_DESCRIPTOR");
    assertEquals((await binding).code, "ADDRESS_UNKNOWN_DESCRIPTOR");
    assertEquals([table.ports, table.size], [0, 0]);
  }
  await (await transport.listen({ hostname: HERE, port: 80 })).close(); // Nobody listens there.
});

test("AddressTable.listen() meets a port that somebody else has by another one", async () => {
  const { transport, table } = scene({ ports: { from: 5000, to: 5002 }, random: () => 0 });
  const others: Listener[] = [];
  for (const port of [5000, 5001]) others.push(await transport.listen({ hostname: HERE, port }));
  const descriptor = await table.create();
  const listener = await table.listen(descriptor);
  assertEquals([listener.address.port, table.ports], [5002, 1]);
  assertEquals(table.state().ports.resting, 2);
  const bound = await table.create();
  await table.bind(bound, { port: 80 });
  others.push(await transport.listen({ hostname: HERE, port: 80 }));
  const error = await rejection(table.listen(bound)) as JackfieldError;
  assertEquals([error.code, error.reason, table.ports], ["LISTEN_FAILED", "address-in-use", 2]);
  await table.closeAll();
  assertEquals(table.ports, 0);
  await Promise.all(others.map((other) => other.close()));
});

test("AddressTable: sockets of a listener can be taken in a loop, and keep the program no longer", async () => {
  const { transport, table } = scene();
  const listener = await table.listen(await table.create(), { backlog: 5 });
  listener.unref();
  listener.ref();
  assertEquals(listener.addresses, [listener.address]);
  const nears = [
    await transport.connect(listener.address),
    await transport.connect(listener.address),
  ];
  let count = 0;
  for await (const socket of listener) {
    await socket.close();
    if (++count === 2) break;
  }
  await Promise.all(nears.map((near) => near.close()));
  await settle();
  await table.closeAll();
  assertEquals(transport.openEnds, 0);
});

test(
  "AddressTable, real sockets: a descriptor that listens, and one that connects (A2)",
  { skip },
  async () => {
    const transport = systemTransport();
    const source = hostAddresses(["127.0.0.2", "127.0.0.3"]);
    const table = new AddressTable({ transport, source });
    const listener = await table.listen(await table.create());
    assertEquals(listener.address.hostname, "127.0.0.2");
    const near = await table.connect(listener.address);
    const far = await listener.accept();
    assertEquals(far.remoteAddress, near.localAddress);
    assertEquals(far.remoteAddress.hostname, "127.0.0.3");
    await near.close();
    await table.closeAll();
    assertEquals([table.ports, table.size], [0, 0]);
    const again = await transport.listen(listener.address); // The kernel has it back, too.
    await again.close();
  },
);
