// Sockets that other code opened with the runtime's own API come under the library's rules.
import { connect, createServer, type Server } from "node:net";
import { once } from "node:events";
import { assertEquals } from "@std/assert";
import { fromConn } from "../../src/adapters/deno/mod.ts";
import { fromSocket } from "../../src/adapters/node/mod.ts";
import type { DenoConn } from "../../src/adapters/deno/mod.ts";
import type { Socket } from "../../src/core.ts";
import { runtime, test } from "../harness.ts";
import { bytesOf, countDescriptors, descriptorsBack, readAll, textOf } from "../transport/tools.ts";

async function echoing(): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as { port: number }).port };
}

async function roundTrip(socket: Socket, port: number): Promise<void> {
  assertEquals(socket.remoteAddress, { hostname: "127.0.0.1", port });
  assertEquals(socket.state, "open");
  await socket.write(bytesOf("there and back"));
  await socket.closeWrite();
  assertEquals(textOf(await readAll(socket)), "there and back");
  await socket.closed;
}

test("fromSocket() makes a Socket of a connected socket of node:net", async () => {
  const { server, port } = await echoing();
  let before: number | undefined;
  for (let times = 0; times < 3; times++) {
    const own = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    await once(own, "connect");
    await roundTrip(fromSocket(own), port);
    before ??= countDescriptors(); // Bun opens one for good with its first socket.
  }
  server.close();
  await once(server, "close");
  await descriptorsBack(before);
});

interface Connecting {
  connect(options: { hostname: string; port: number }): Promise<DenoConn>;
}

test("fromConn() makes a Socket of a Deno.Conn", {
  skip: runtime !== "deno" && "needs Deno",
}, async () => {
  const before = countDescriptors();
  const { server, port } = await echoing();
  const { Deno: deno } = globalThis as unknown as { Deno: Connecting };
  await roundTrip(fromConn(await deno.connect({ hostname: "127.0.0.1", port })), port);
  server.close();
  await once(server, "close");
  await descriptorsBack(before);
});
