// The table on the kernel's own sockets. On Linux every address of 127.0.0.0/8 is on the host.
import { assert, assertEquals } from "@std/assert";
import {
  AddressTable,
  hostAddresses,
  type Listener,
  type Socket,
  SocketPool,
} from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { eventually, rejection } from "../transport/tools.ts";
import { skipUnlessLocal } from "./real.ts";

const transport = systemTransport();

const skip = await skipUnlessLocal();

/** A listener and what it accepted. */
async function peer(hostname = "127.0.0.1"): Promise<{
  listener: Listener;
  sockets: Socket[];
  end(): Promise<void>;
}> {
  const listener = await transport.listen({ hostname });
  const sockets: Socket[] = [];
  const accepting = (async () => {
    for await (const socket of listener) sockets.push(socket);
  })();
  return {
    listener,
    sockets,
    async end() {
      await listener.close();
      await accepting;
      await Promise.all(sockets.map((socket) => socket.close()));
    },
  };
}

test(
  "AddressTable, real sockets: two addresses of one host, two peers (A1)",
  { skip },
  async () => {
    const [one, two] = [await peer(), await peer()];
    const source = hostAddresses(["127.0.0.2", "127.0.0.3"]);
    const table = new AddressTable({ transport, source });
    const sockets = await Promise.all([
      table.connect(one.listener.address),
      table.connect(two.listener.address),
    ]);
    await eventually(() => one.sockets.length + two.sockets.length === 2, () => "two accepted");
    const seen = [one, two].map(({ sockets }) => sockets[0]!.remoteAddress);
    assertEquals(seen.map(({ hostname }) => hostname), ["127.0.0.2", "127.0.0.3"]);
    assertEquals(seen, sockets.map(({ localAddress }) => localAddress));
    await Promise.all(sockets.map((socket) => socket.close()));
    await eventually(() => table.ports === 0 && table.size === 0, () => `${table.ports} ports`);
    await one.end();
    await two.end();
  },
);

test("AddressTable, real sockets: the five operations (A2, A3, A5, A6, A7)", { skip }, async () => {
  const { listener, sockets, end } = await peer();
  const table = new AddressTable({ transport, source: hostAddresses(["127.0.0.2"]) });
  const descriptor = await table.create();
  const bound = await table.bind(descriptor);
  const socket = await table.connect(descriptor, listener.address);
  await eventually(() => sockets.length === 1, () => "accepted");
  assertEquals(table.addressOf(descriptor), bound);
  assertEquals(sockets[0]!.remoteAddress, bound); // What the kernel really uses.
  await table.close(descriptor);
  assertEquals([socket.state, table.size, table.ports], ["closed", 0, 0]);
  await end();
});

test("AddressTable, real sockets: one port serves for several destinations", { skip }, async () => {
  const peers = [await peer(), await peer(), await peer()];
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const ports = { from: port, to: port + 15 };
  const table = new AddressTable({ transport, source: hostAddresses(["127.0.0.2"]), ports });
  const sockets = await Promise.all(
    peers.flatMap(({ listener }) =>
      Array.from({ length: 12 }, () => table.connect(listener.address))
    ),
  );
  assertEquals(table.ports, 36); // More than the range has, but for three destinations.
  const local = sockets.map(({ localAddress }) => localAddress.port);
  assert(new Set(local).size <= 16, `${new Set(local).size} ports`);
  await Promise.all(sockets.map((socket) => socket.close()));
  await table.closeAll();
  for (const { end } of peers) await end();
});

test(
  "AddressTable, real sockets: ports that others have are met by another one",
  { skip },
  async () => {
    const { listener, end } = await peer();
    const { address: target } = listener;
    const from = 20_000 + Math.floor(Math.random() * 10_000);
    const range = { from, to: from + 7 };
    const occupied: (Socket | Listener)[] = [];
    // Two tuples are connected by somebody else, and two ports are listened on.
    for (const localPort of [from, from + 1]) {
      occupied.push(await transport.connect(target, { localAddress: "127.0.0.2", localPort }));
    }
    for (const port of [from + 2, from + 3]) {
      occupied.push(await transport.listen({ hostname: "127.0.0.2", port }));
    }
    const table = new AddressTable({
      transport,
      source: hostAddresses(["127.0.0.2"]),
      ports: range,
      random: () => 0, // The search begins where the ports are taken.
    });
    const sockets: Socket[] = [];
    for (let at = 0; at < 4; at++) sockets.push(await table.connect(target));
    assertEquals(
      sockets.map(({ localAddress }) => localAddress.port).sort(),
      [4, 5, 6, 7].map((
        offset,
      ) => from + offset),
    );
    let released = 0;
    const error = await rejection(table.connect(target, { onReleased: () => released++ }));
    assert(error.code === "CONNECT_FAILED" || error.code === "ADDRESS_EXHAUSTED", String(error));
    assertEquals([released, table.ports], [1, 4]);
    await Promise.all([...sockets, ...occupied].map((one) => one.close()));
    await table.closeAll();
    await end();
  },
);

test(
  "SocketPool over an AddressTable, real sockets: peers see its addresses (A1, P1)",
  { skip },
  async () => {
    const { listener, sockets, end } = await peer();
    const source = hostAddresses(["127.0.0.2", "127.0.0.3"]);
    const addresses = new AddressTable({ transport, source });
    const pool = new SocketPool({ addresses, target: listener.address, maxSize: 4 });
    const leases = await Promise.all(Array.from({ length: 4 }, () => pool.acquire()));
    await eventually(() => sockets.length === 4, () => `${sockets.length} accepted`);
    const hosts = sockets.map(({ remoteAddress }) => remoteAddress.hostname).sort();
    assertEquals(hosts, ["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3"]);
    for (const lease of leases) lease.release();
    await pool.close();
    await eventually(() => addresses.ports === 0, () => `${addresses.ports} ports`);
    await end();
  },
);
