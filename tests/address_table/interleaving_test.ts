// The five operations at the same time (A2): named meetings of two, then random ones of all.
import { assert, assertEquals } from "@std/assert";
import {
  AddressTable,
  hostAddresses,
  isJackfieldError,
  type Socket,
  SocketPool,
} from "../../src/core.ts";
import { memoryTransport, seededFaults, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { FakeTransport } from "../pool/fake_transport.ts";
import { watchedSignal } from "../pool/tools.ts";
import { settle, withSeeds } from "../support/seeds.ts";
import { echoServer, rejection } from "../transport/tools.ts";

const TARGET = { hostname: "127.0.0.1", port: 7000 };

function scene() {
  const transport = new FakeTransport();
  const table = new AddressTable({ transport, source: hostAddresses(["127.0.0.2"]) });
  return { transport, table };
}

test("AddressTable.connect() twice at once: the second is ADDRESS_IN_USE (A2)", async () => {
  const { transport, table } = scene();
  const descriptor = await table.create();
  const first = table.connect(descriptor, TARGET);
  assertEquals((await rejection(table.connect(descriptor, TARGET))).code, "ADDRESS_IN_USE");
  assertEquals(transport.connects.length, 1);
  transport.connects[0]!.open();
  assertEquals((await first).state, "open"); // The first is not disturbed.
  await table.close(descriptor);
  assertEquals([table.ports, transport.held], [0, 0]);
});

test("AddressTable.bind() twice at once gives one port (A2)", async () => {
  const { table } = scene();
  const descriptor = await table.create();
  const [one, two] = await Promise.all([table.bind(descriptor), table.bind(descriptor)]);
  assertEquals(one, two);
  assertEquals(table.ports, 1);
  await table.close(descriptor);
});

test("AddressTable.bind() during connect gives the address of the connection (A2)", async () => {
  const { transport, table } = scene();
  const descriptor = await table.create();
  const connecting = table.connect(descriptor, TARGET);
  const binding = table.bind(descriptor);
  const { socket } = transport.connects[0]!.open();
  await connecting;
  assertEquals(await binding, socket.localAddress);
  await table.close(descriptor);
});

test("AddressTable.bind() during a connect that fails binds all the same (A2)", async () => {
  const { transport, table } = scene();
  const descriptor = await table.create();
  const connecting = rejection(table.connect(descriptor, TARGET));
  const binding = table.bind(descriptor);
  transport.connects[0]!.fail(new Error("refused"));
  await connecting;
  const bound = await binding;
  assertEquals(table.addressOf(descriptor), bound);
  const again = table.connect(descriptor, TARGET);
  assertEquals(transport.connects[1]!.options.localPort, bound.port);
  transport.connects[1]!.open();
  await again;
  await table.close(descriptor);
  assertEquals(table.ports, 0);
});

test("AddressTable.close() refuses a bind that waits for a connect (A2)", async () => {
  const { transport, table } = scene();
  const descriptor = await table.create();
  const connecting = rejection(table.connect(descriptor, TARGET));
  const binding = rejection(table.bind(descriptor));
  await table.close(descriptor);
  assertEquals((await connecting).code, "ADDRESS_UNKNOWN_DESCRIPTOR");
  assertEquals((await binding).code, "ADDRESS_UNKNOWN_DESCRIPTOR");
  transport.connects[0]!.release();
  assertEquals(table.ports, 0);
});

test("AddressTable.close() twice at once: the second descriptor is unknown (A2, A7)", async () => {
  const { table } = scene();
  const descriptor = await table.create();
  const first = table.close(descriptor);
  assertEquals((await rejection(table.close(descriptor))).code, "ADDRESS_UNKNOWN_DESCRIPTOR");
  await first;
  assertEquals(table.size, 0);
});

test("AddressTable.close() during connect leaves nothing, where connects can be cancelled (A7)", async () => {
  const transport = memoryTransport();
  const table = new AddressTable({ transport, source: hostAddresses(["127.0.0.2"]) });
  const descriptor = await table.create();
  const connecting = rejection(table.connect(descriptor, { hostname: "silent.test", port: 1 }));
  await table.close(descriptor);
  assertEquals([table.ports, table.size], [0, 0]);
  assertEquals((await connecting).code, "ADDRESS_UNKNOWN_DESCRIPTOR");
});

test("AddressTable.addressOf() during connect tells the port that is tried (A6)", async () => {
  const { transport, table } = scene();
  const descriptor = await table.create();
  const connecting = table.connect(descriptor, TARGET);
  const { localPort } = transport.connects[0]!.options;
  assertEquals(table.addressOf(descriptor), { hostname: "127.0.0.2", port: localPort! });
  const { socket } = transport.connects[0]!.open();
  await connecting;
  assertEquals(table.addressOf(descriptor), socket.localAddress); // What the kernel really uses.
  await table.close(descriptor);
});

test("AddressTable.connect() leaves no listener at the signal, however it ends", async () => {
  const { transport, table } = scene();
  const { controller, listeners } = watchedSignal();
  const { signal } = controller;
  const standing = table.connect(TARGET, { signal });
  transport.connects[0]!.open();
  const socket = await standing;
  assertEquals(listeners(), 0);
  const failing = rejection(table.connect(TARGET, { signal }));
  transport.connects[1]!.fail(new Error("refused"));
  await failing;
  assertEquals(listeners(), 0);
  await socket.close();
  await table.closeAll();
});

test("SocketPool over an AddressTable: each socket has an address of its own (A1)", async () => {
  const transport = memoryTransport();
  const listener = await transport.listen();
  const served = echoServer(listener);
  const addresses = new AddressTable({
    transport,
    source: hostAddresses(["127.0.0.2", "127.0.0.3"]),
  });
  const pool = new SocketPool({ addresses, target: listener.address, maxSize: 2 });
  const leases = await Promise.all([pool.acquire(), pool.acquire()]);
  const hosts = leases.map(({ socket }) => socket.localAddress.hostname);
  assertEquals(hosts.sort(), ["127.0.0.2", "127.0.0.3"]);
  assertEquals([addresses.size, addresses.ports], [2, 2]);
  leases[0]!.discard();
  leases[1]!.release();
  await pool.close();
  await settle();
  assertEquals([addresses.size, addresses.ports], [0, 0]);
  await listener.close();
  await served;
  assertEquals(transport.openEnds, 0);
});

test("AddressTable keeps its rules in 20,000 random steps (A2, A7)", () =>
  withSeeds(Array.from({ length: 10 }, (_, at) => 200 + at), async (dice, seed) => {
    const clock = new VirtualClock();
    const faults = seededFaults({ seed, connect: 0.1, delay: 0.5, maxDelayMs: 20 });
    const transport = memoryTransport({ clock, faults });
    const listeners = [await transport.listen(), await transport.listen()];
    const served = listeners.map(echoServer);
    const targets = [...listeners.map(({ address }) => address), { hostname: "silent", port: 1 }];
    const table = new AddressTable({
      transport,
      source: hostAddresses(["127.0.0.2", "127.0.0.3"]),
      ports: { from: 40_000, to: 40_005 },
      maxDescriptors: 30,
      random: dice.random,
    });
    const descriptors: number[] = [];
    const sockets = new Set<Socket>();
    let pending = 0;
    const run = (operation: Promise<unknown>) => {
      pending++;
      operation.catch((error) => {
        const expected = isJackfieldError(error) || error === "gave up";
        assert(expected, `unexpected ${error}`);
      }).finally(() => pending--);
    };
    const connect = (connecting: Promise<Socket>) =>
      run(connecting.then((socket) => {
        sockets.add(socket);
        const gone = () => sockets.delete(socket);
        socket.closed.then(gone, gone);
      }));
    for (let step = 0; step < 2000; step++) {
      const descriptor = dice.oneOf(descriptors) ?? 0;
      const target = dice.oneOf(targets);
      const controller = new AbortController();
      const options = { signal: controller.signal, timeoutMs: 1 + dice.below(40) };
      const what = dice.below(100);
      if (what < 20) run(table.create().then((made) => descriptors.push(made)));
      else if (what < 32) run(table.bind(descriptor));
      else if (what < 52) connect(table.connect(descriptor, target, options));
      else if (what < 62) connect(table.connect(target, options));
      else if (what < 76) run(table.close(descriptor));
      else if (what < 84 && sockets.size > 0) {
        const socket = dice.oneOf([...sockets]);
        if (what < 80) void socket.close();
        else socket.abort();
      } else if (what < 92) await clock.advance(dice.below(10));
      else await settle();
      if (dice.random() < 0.1) controller.abort("gave up");
      const open = [...sockets].filter(({ state }) => state === "open");
      const tuples = open.map((socket) =>
        JSON.stringify([socket.localAddress, socket.remoteAddress])
      );
      assertEquals(new Set(tuples).size, tuples.length, `one tuple twice in step ${step}`);
      assert(table.ports >= open.length, `a port went back too early in step ${step}`);
      assert(table.size <= 30, `too many descriptors in step ${step}`);
    }
    const closing = table.closeAll();
    await clock.advance(1000);
    await closing;
    await settle();
    assertEquals([pending, table.size, table.ports, sockets.size], [0, 0, 0, 0]);
    for (const listener of listeners) await listener.close();
    await clock.advance(60_000);
    await Promise.all(served);
    assertEquals(transport.openEnds, 0);
  }));
