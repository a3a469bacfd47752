// A session that begins in the clear and goes on over TLS, as in SMTP, LDAP or PostgreSQL.
import { assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { type Socket, SocketPool } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { bytesOf, readExactly, textOf } from "../transport/tools.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), "utf8");

test("SocketPool.prepare may put TLS on top of the connection, and each lease has that socket", async () => {
  const transport = systemTransport();
  // The far end is secured from its first byte, which to it is the first one after the words here.
  const listener = await transport.listen({
    tls: { cert: fixture("server.pem"), key: fixture("server.key") },
  });
  const serving = (async () => {
    for await (const socket of listener) {
      void socket.readable.pipeTo(socket.writable).catch(() => {});
    }
  })();
  const { port } = listener.address;
  const plain: Socket[] = [];
  const pool = new SocketPool({
    transport,
    target: { hostname: "localhost", port },
    maxSize: 1,
    prepare: async (socket, { replaceSocket }) => {
      plain.push(socket);
      const secured = await socket.startTls({
        serverName: "localhost",
        caCerts: [fixture("ca.pem")],
      });
      replaceSocket(secured);
      return secured;
    },
  });
  for (const word of ["one", "two"]) {
    await pool.use(async ({ socket, session }) => {
      assertEquals(socket === session, true);
      await socket.write(bytesOf(word));
      assertEquals(textOf(await readExactly(socket, 3)), word);
    });
  }
  assertEquals([plain.length, plain[0]!.state, pool.stats().idle], [1, "gone", 1]);
  await pool.close();
  await listener.close();
  await serving;
});
