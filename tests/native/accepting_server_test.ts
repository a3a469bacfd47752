// A server in a thread that accepts by itself, seen from the thread that has started it.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { serveDownloads, systemTransport } from "../../mod.ts";
import type { DownloadServer, ServeDownloadsOptions } from "../../mod.ts";
import { systemWorkers } from "../../src/adapters/shared/system_workers.ts";
import type { Owners, StartedOwner } from "../../src/transport/mod.ts";
import { sendfileEngine } from "../../src/native/mod.ts";
import { test } from "../harness.ts";
import { eventually, rejection, sleep } from "../transport/tools.ts";
import { Client, Folder } from "../download/tools.ts";

const { name, reason } = sendfileEngine();
const options = { skip: name === "copy" && reason!, sanitize: false };

async function accepting(
  run: (server: DownloadServer, folder: Folder, errors: unknown[]) => Promise<void>,
  more: Partial<ServeDownloadsOptions> = {},
): Promise<void> {
  const folder = new Folder();
  folder.write("a", "here");
  const errors: unknown[] = [];
  const engine = sendfileEngine({ mode: "accept" });
  const onError = (error: unknown) => errors.push((error as { code?: string }).code ?? error);
  const server = await serveDownloads({ root: folder.path, engine, onError, ...more });
  try {
    await run(server, folder, errors);
  } finally {
    server.abort();
    await server.close();
    folder.remove();
  }
}

const ask = async (server: DownloadServer): Promise<string> =>
  await (await fetch(`${server.url}a`)).text();

test(
  "sendfileEngine({ mode: accept }) serves in a thread, which listens by itself",
  options,
  () =>
    accepting(async (server, folder) => {
      const { engine, connections } = server.stats();
      assertEquals([engine.name, engine.mode, engine.reason], ["sendfile", "accept", undefined]);
      assertEquals([connections, server.placement, server.downloads()], [0, "thread", []]);
      assert(server.address.port > 0);
      const client = await Client.connect(server.address);
      for (let round = 0; round < 3; round++) {
        assertEquals((await client.request("GET /a")).body.byteLength, 4);
      }
      await eventually(() => server.stats().finished === 3, () => "it tells");
      assertEquals([server.stats().connections, server.stats().bytes], [1, 12]);
      assertEquals((await rejection(server.handOver()) as { code?: string }).code, "UNSUPPORTED");
      assertThrows(() => server.maxBytesPerSecond = 0, RangeError);
      server.maxBytesPerSecond = 2e6;
      folder.fill("big", 2 ** 20);
      // A request may be faster than the word of the limit.
      let ms = 0;
      for (let round = 0; ms < 100; round++) {
        assert(round < 20, "its limit is not kept");
        const beganMs = performance.now();
        assertEquals((await client.request("GET /big")).body.byteLength, 2 ** 20);
        ms = performance.now() - beganMs;
      }
      client.socket.abort();
    }),
);

test(
  "a server in a thread finishes what it sends, and gives its port back",
  options,
  () =>
    accepting(async (server, folder) => {
      const bytes = folder.fill("big", 12 * 2 ** 20);
      const client = await Client.connect(server.address);
      await client.send("GET /big");
      await client.answerHead();
      const closing = server.close();
      assertEquals(server.close(), closing);
      assertEquals((await client.take(bytes.byteLength)).byteLength, bytes.byteLength);
      await closing;
      const listener = await systemTransport().listen({ port: server.address.port });
      await listener.close();
    }),
);

test(
  "a server in a thread tells of what fails, and refuses what cannot be served",
  options,
  () =>
    accepting(async (server, folder, errors) => {
      folder.fill("big", 12 * 2 ** 20);
      const client = await Client.connect(server.address);
      await client.send("GET /big");
      await client.answerHead();
      client.socket.abort();
      await eventually(() => errors.length === 1, () => `${errors}`);
      assertEquals(errors, ["SOCKET_RESET"]);
      const engine = sendfileEngine({ mode: "accept" });
      const missing = await rejection(serveDownloads({ root: folder.at("no"), engine }));
      assertEquals((missing as { code?: string }).code, "FILE_FAILED");
      const { port } = server.address;
      const taken = await rejection(serveDownloads({ root: folder.path, port, engine }));
      assertEquals((taken as { code?: string }).code, "LISTEN_FAILED");
    }),
);

test("a server in a thread listens again when the thread has died", options, async () => {
  const start = systemWorkers.start;
  const workers = systemWorkers as { start: Owners["start"] };
  const threads: StartedOwner[] = [];
  workers.start = (...words) => threads[threads.push(start(...words)) - 1]!;
  try {
    await accepting(async (server, _folder, errors) => {
      const { port } = server.address;
      assertEquals(await ask(server), "here");
      await threads[0]!.terminate();
      await eventually(() => errors.length > 0, () => "it is told of");
      assertEquals(errors, ["DOWNLOAD_LOST"]);
      await eventually(() => threads.length === 2, () => "another one is started");
      for (let answer = ""; answer !== "here"; await sleep(5)) {
        answer = await ask(server).catch(() => "");
      }
      assertEquals(server.address.port, port);
    });
  } finally {
    workers.start = start;
  }
});

test(
  "sendfileEngine({ mode: accept }) serves here what cannot go to a thread, and says why",
  options,
  async () => {
    const cases: [Partial<ServeDownloadsOptions>, string][] = [
      [{ authorize: () => true }, "a thread is given plain options, and authorize is none"],
      [{ upgradable: true }, "what is in a thread cannot be handed over"],
    ];
    for (const [more, expected] of cases) {
      await accepting(async (server) => {
        const { mode, reason } = server.stats().engine;
        assertEquals([mode, reason, server.placement], ["main", expected, "inline"]);
        assertEquals(await ask(server), "here");
      }, more);
    }
    const folder = new Folder();
    const transport = { ...systemTransport(), name: "own" };
    const engine = sendfileEngine({ mode: "accept" });
    const server = await serveDownloads({ root: folder.path, engine, transport });
    assertEquals(server.stats().engine.reason, "the thread has the sockets of the system only");
    await server.close();
    folder.remove();
  },
);
