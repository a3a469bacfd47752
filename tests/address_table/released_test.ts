// Whoever counts descriptors is told exactly once by every connect that gives no socket.
import { assertEquals } from "@std/assert";
import { AddressTable, hostAddresses, JackfieldError, type Target } from "../../src/core.ts";
import { test } from "../harness.ts";
import { FakeTransport } from "../pool/fake_transport.ts";
import { settle } from "../support/seeds.ts";
import { rejection } from "../transport/tools.ts";

const TARGET = { hostname: "127.0.0.1", port: 7000 };
const REFUSED = new JackfieldError("CONNECT_FAILED", "refused", { reason: "refused" });
const TAKEN = new JackfieldError("CONNECT_FAILED", "in use", { reason: "address-in-use" });

/** A table whose connects the test settles, and a count of what was released. */
function scene(ports = { from: 40_000, to: 40_009 }, maxDescriptors = 10) {
  const transport = new FakeTransport();
  const source = hostAddresses(["127.0.0.2"]);
  const table = new AddressTable({ transport, source, ports, maxDescriptors, random: () => 0 });
  const counted = { released: 0 };
  const options = { onReleased: () => void counted.released++ };
  return { transport, table, counted, options };
}

test("AddressTable.connect() tells onReleased once when nothing was begun", async () => {
  const { transport, table, counted, options } = scene({ from: 40_000, to: 40_000 }, 2);
  let expected = 0;
  const refuses = async (connect: Promise<unknown>, code: string | undefined) => {
    assertEquals((await rejection(connect)).code, code);
    assertEquals(counted.released, ++expected, `after ${code}`);
  };
  await refuses(table.connect(99, TARGET, options), "ADDRESS_UNKNOWN_DESCRIPTOR");
  await refuses(table.connect(undefined as unknown as Target, options), undefined);
  const first = await table.create();
  const second = await table.create();
  await refuses(table.connect(TARGET, options), "ADDRESS_EXHAUSTED"); // No descriptor is left.
  const connecting = table.connect(first, TARGET);
  await refuses(table.connect(first, TARGET, options), "ADDRESS_IN_USE");
  await refuses(table.connect(second, TARGET, options), "ADDRESS_EXHAUSTED"); // No port.
  transport.connects[0]!.open();
  await connecting;
  await refuses(table.connect(first, TARGET, options), "ADDRESS_IN_USE");
  await table.closeAll();
  await refuses(table.connect(TARGET, options), "ADDRESS_TABLE_CLOSED");
  assertEquals([transport.connects.length, table.size, table.ports], [1, 0, 0]);
});

test("AddressTable.connect() tells onReleased once when the connect fails, and never else", async () => {
  const { transport, table, counted, options } = scene();
  const failing = table.connect(TARGET, options);
  transport.connects[0]!.fail(REFUSED);
  assertEquals(await rejection(failing), REFUSED);
  assertEquals([counted.released, table.ports], [1, 0]);
  const standing = table.connect(TARGET, options);
  transport.connects[1]!.open();
  await (await standing).close();
  await settle();
  assertEquals([counted.released, table.ports, table.size], [1, 0, 0]);
});

test("AddressTable.connect() that is given up keeps its port until it is released", async () => {
  const { transport, table, counted, options } = scene();
  const controller = new AbortController();
  const connecting = table.connect(TARGET, { ...options, signal: controller.signal });
  const reason = new Error("gave up");
  controller.abort(reason);
  assertEquals(await rejection(connecting), reason);
  assertEquals([counted.released, table.ports, table.size], [0, 1, 0]);
  transport.connects[0]!.release();
  assertEquals([counted.released, table.ports], [1, 0]);
});

test("AddressTable.close() during connect: the port goes back when the kernel lets go", async () => {
  const { transport, table, counted, options } = scene();
  for (const bound of [false, true]) {
    counted.released = 0;
    const descriptor = await table.create();
    if (bound) await table.bind(descriptor);
    const connecting = rejection(table.connect(descriptor, TARGET, options));
    await table.close(descriptor); // Does not wait for a connect that cannot be cancelled.
    assertEquals((await connecting).code, "ADDRESS_UNKNOWN_DESCRIPTOR");
    assertEquals([counted.released, table.ports, table.size], [0, 1, 0]);
    transport.connects.at(-1)!.release();
    assertEquals([counted.released, table.ports], [1, 0]);
  }
});

test("AddressTable.close() in the moment in which the connection stands", async () => {
  const { transport, table, counted, options } = scene();
  const descriptor = await table.create();
  const connecting = rejection(table.connect(descriptor, TARGET, options));
  const { socket } = transport.connects[0]!.open();
  await table.close(descriptor); // Before anybody has looked at the socket.
  assertEquals((await connecting).code, "ADDRESS_UNKNOWN_DESCRIPTOR");
  assertEquals(socket.state, "closed");
  assertEquals([counted.released, table.ports, transport.held], [1, 0, 0]);
});

test("AddressTable.connect() meets a port that somebody else has by another one", async () => {
  const { transport, table, counted, options } = scene({ from: 40_000, to: 40_003 });
  const connecting = table.connect(TARGET, options);
  for (let at = 0; at < 3; at++) {
    transport.connects[at]!.fail(TAKEN);
    await settle();
  }
  transport.connects[3]!.open();
  const socket = await connecting;
  const ports = transport.connects.map(({ options }) => options.localPort);
  assertEquals(ports, [40_000, 40_001, 40_002, 40_003]); // No port is tried twice.
  assertEquals([counted.released, table.ports], [0, 1]);
  await socket.close();
  await settle();
  assertEquals([counted.released, table.ports, table.size], [0, 0, 0]);
});

test("AddressTable.connect() rejects with the kernel's answer when every port is refused", async () => {
  const { transport, table, counted, options } = scene({ from: 40_000, to: 40_001 });
  const connecting = rejection(table.connect(TARGET, options));
  for (let at = 0; at < 2; at++) {
    transport.connects[at]!.fail(TAKEN);
    await settle();
  }
  assertEquals(await connecting, TAKEN);
  assertEquals([counted.released, table.ports, transport.connects.length], [1, 0, 2]);
});

test("AddressTable.connect() does not try for ever, and no bound port twice", async () => {
  const { transport, table, counted, options } = scene({ from: 40_000, to: 50_000 });
  const endless = rejection(table.connect(TARGET, options));
  let tries = 0;
  while (transport.connects.length > tries) {
    transport.connects[tries++]!.fail(TAKEN);
    await settle();
  }
  assertEquals(await endless, TAKEN);
  assertEquals([tries, counted.released, table.ports], [16, 1, 0]);
  const descriptor = await table.create();
  await table.bind(descriptor);
  const bound = rejection(table.connect(descriptor, TARGET, options));
  transport.connects[16]!.fail(TAKEN);
  assertEquals(await bound, TAKEN);
  assertEquals([transport.connects.length, counted.released, table.ports], [17, 2, 1]);
  await table.close(descriptor);
  assertEquals(table.ports, 0);
});
