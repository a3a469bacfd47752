// A pool on the runtime's own diagnostics channels.
import { assertEquals } from "@std/assert";
import { channel, type ChannelListener } from "node:diagnostics_channel";
import {
  type Diagnostics,
  diagnosticsObserver,
  type PoolCandidate,
  SocketPool,
} from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { echoServer } from "../transport/tools.ts";
import { idle, poolOnFakes } from "./tools.ts";

test("diagnosticsObserver publishes on the runtime's own channels, to those who listen", async () => {
  const transport = systemTransport();
  const listener = await transport.listen();
  const served = echoServer(listener);
  const heard: [string, unknown][] = [];
  const listen: ChannelListener = (message, name) => void heard.push([String(name), message]);
  const names = ["connected", "leased", "released", "closed", "waiting"].map((event) =>
    `jackfield:pool:${event}`
  );
  const diagnostics = transport.host.diagnostics!;
  const observer = diagnosticsObserver(diagnostics);
  const pool = new SocketPool({ transport, target: listener.address, observer });
  await idle(pool, 1); // Nobody listens yet.
  for (const name of names) channel(name).subscribe(listen);
  const mine = await pool.acquire();
  mine.discard();
  await idle(pool, 1);
  await pool.close();
  for (const name of names) channel(name).unsubscribe(listen);
  assertEquals(heard.map(([name]) => name.slice("jackfield:pool:".length)), [
    "leased",
    "released",
    "closed",
    "waiting",
    "connected",
    "leased",
    "released",
    "closed",
  ]);
  const { socket, waitedMs } = heard[0]![1] as { socket: PoolCandidate; waitedMs: number };
  assertEquals([socket.remoteAddress, socket.leases, waitedMs], [listener.address, 2, 0]);
  assertEquals((heard[2]![1] as { reason: string }).reason, "discarded");
  await listener.close();
  await served;
});

test("diagnosticsObserver takes a name of its own, and looks before it makes a message", async () => {
  const published: string[] = [];
  let listens = false;
  const diagnostics: Diagnostics = {
    channel: (name) => ({
      get hasSubscribers() {
        return listens;
      },
      publish: () => void published.push(name),
    }),
  };
  const { pool } = poolOnFakes({ observer: diagnosticsObserver(diagnostics, "shop:db") });
  await idle(pool, 1);
  assertEquals(published, []);
  listens = true;
  await idle(pool, 1);
  assertEquals(published, ["shop:db:leased", "shop:db:released"]);
  await pool.close();
});
