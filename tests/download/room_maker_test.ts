// Room for those who wait, at the cost of those who only keep a connection.
import { assertEquals } from "@std/assert";
import { serveDownloads } from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { pattern } from "../transport/tools.ts";
import { MemoryFiles } from "./memory_files.ts";
import { Client } from "./tools.ts";

/** A server with room for two, and two clients that have had an answer and stay. */
async function full(
  run: (
    parts: { clock: VirtualClock; stay: Client[]; connect(): Promise<Client> },
  ) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const host = { files: new MemoryFiles({ a: pattern(100, 1) }) };
  const transport = memoryTransport({ clock, host });
  const server = await serveDownloads({ transport, root: "/root", clock, maxConnections: 2 });
  const clients: Client[] = [];
  const connect = async () => {
    const client = new Client(await transport.connect(server.address));
    clients.push(client);
    return client;
  };
  const stay = [await connect(), await connect()];
  for (const client of stay) {
    assertEquals((await client.request("GET /a")).fields.get("connection"), "keep-alive");
  }
  await run({ clock, stay, connect });
  for (const client of clients) client.socket.abort();
  await server.close();
  await clock.runAll();
}

test("serveDownloads() ends idle connections a second after it was full, the oldest one first", () =>
  full(async ({ clock, stay, connect }) => {
    const late = await connect();
    const answer = late.request("GET /a");
    await clock.advance(999);
    assertEquals(stay.map(({ socket }) => socket.state), ["open", "open"]);
    await clock.advance(1);
    assertEquals(await stay[0]!.countUntilEnd(), 0);
    assertEquals((await answer).status, 200);
    assertEquals((await stay[1]!.request("GET /a")).fields.get("connection"), "keep-alive");
  }));

test("serveDownloads() leaves a client alone that has asked for nothing yet", async () => {
  await full(async ({ clock, stay, connect }) => {
    const [first, second] = stay;
    await first!.send("GET /a", { Connection: "close" });
    await first!.answer();
    await first!.countUntilEnd();
    const fresh = await connect();
    await clock.advance(1000);
    assertEquals(await second!.countUntilEnd(), 0);
    assertEquals((await fresh.request("GET /a")).status, 200);
  });
});
