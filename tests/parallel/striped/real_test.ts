// Bundles over the kernel's sockets; at length in tests/long/striped_transfer_test.ts.
import { assert, assertEquals } from "@std/assert";
import { connectStriped, listenStriped } from "../../../src/parallel/striped/mod.ts";
import { systemTransport } from "../../../src/system_transport.ts";
import { runtime, test } from "../../harness.ts";
import { fixture, pattern, readAll } from "../../transport/tools.ts";
import { type Runtime, transferBetween } from "./runtimes.ts";
import { receive, send } from "./transfer.ts";

const MIB = 2 ** 20;

test("connectStriped() brings 64 MiB over 8 sockets of which one is ended every 50 ms", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const receiving = receive(resolve);
  const transfer = { bytes: 64 * MIB, sockets: 8, killEveryMs: 50, seed: 3 };
  const sent = await send(await promise, transfer);
  const received = await receiving;
  assertEquals(received.bytes, 64 * MIB);
  assertEquals(received.digest, sent.digest);
  assert(sent.kills > 0);
});

test("connectStriped() brings every byte while one socket after the other stands still", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const receiving = receive(resolve);
  const transfer = { bytes: 48 * MIB, sockets: 4, holdEveryMs: 50, resendAfterMs: 100, seed: 4 };
  const sent = await send(await promise, transfer);
  assertEquals((await receiving).digest, sent.digest);
  assert(sent.holds > 0);
});

test("connectStriped() secures every socket with TLS", async () => {
  const transport = systemTransport();
  const cert = { cert: fixture("tls/server.pem"), key: fixture("tls/server.key") };
  const listener = await listenStriped({ transport, tls: cert });
  const tls = { caCerts: [fixture("tls/ca.pem")] };
  const { hostname, port } = listener.address;
  const near = await connectStriped({ hostname, port, tls }, { transport, sockets: 3 });
  const far = await listener.accept();
  const bytes = pattern(3 * MIB, 6);
  const sending = near.write(bytes).then(() => near.closeWrite());
  assertEquals(await readAll(far), bytes);
  await sending;
  await Promise.all([near.close(), far.close()]);
  await listener.close();
});

for (const [from, to] of [["deno", "bun"], ["bun", "deno"]] as [Runtime, Runtime][]) {
  test(
    `connectStriped() in ${from} and listenStriped() in ${to} understand each other`,
    { skip: runtime !== "deno" && "once is enough: in Deno" },
    async () => {
      const transfer = { bytes: 32 * MIB, sockets: 8, killEveryMs: 50, seed: 5 };
      const { sent, received } = await transferBetween(from, to, transfer);
      assertEquals([received.bytes, received.digest], [32 * MIB, sent.digest]);
    },
  );
}
