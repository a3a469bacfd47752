// Clients that vanish, and files that change, disappear or cannot be opened.
import { assert, assertEquals } from "@std/assert";
import { renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { JackfieldError, systemTransport, type Transport } from "../../mod.ts";
import type { Files } from "../../src/core.ts";
import { test } from "../harness.ts";
import { countDescriptors, descriptorsBack, sleep } from "../transport/tools.ts";
import { expectStats, serving } from "./tools.ts";

const BIG = 24 * 2 ** 20;

test("serveDownloads() frees place and descriptors of clients that vanish in the middle", () =>
  serving(async ({ folder, server, errors, connect }) => {
    folder.fill("big", BIG);
    folder.write("a", "here");
    const lasting = await connect();
    assertEquals((await lasting.request("GET /a")).status, 200);
    await sleep(100); // The socket may still be on its way back to the front.
    const before = countDescriptors();
    for (let round = 0; round < 10; round++) {
      const clients = [await connect(), await connect()];
      for (const client of clients) {
        await client.send("GET /big");
        await client.answerHead();
        await client.take(100_000);
      }
      await expectStats(server, { active: 2 });
      for (const client of clients) client.socket.abort();
      await expectStats(server, { active: 0 });
    }
    assertEquals((await lasting.request("GET /a")).status, 200);
    await expectStats(server, { connections: 1, finished: 22 });
    assertEquals(errors.length, 20);
    await descriptorsBack(before);
  }, { maxActive: 2, maxQueued: 0 }));

test("serveDownloads() serves who waits behind a client that vanished in the queue", () =>
  serving(async ({ folder, server, connect }) => {
    folder.fill("big", BIG);
    folder.write("a", "here");
    const first = await connect();
    await first.send("GET /big");
    await first.answerHead();
    const vanishing = await connect();
    await vanishing.send("GET /big");
    await expectStats(server, { queued: 1 });
    const last = await connect();
    await last.send("GET /a");
    await expectStats(server, { queued: 2 });
    vanishing.socket.abort();
    first.socket.abort();
    assertEquals((await last.answer()).status, 200);
    await expectStats(server, { connections: 1, active: 0, finished: 3 });
  }, { maxActive: 1 }));

test("serveDownloads() breaks off when a file shrinks: no wrong body under a right length", () =>
  serving(async ({ folder, server, errors, connect }) => {
    folder.fill("big", BIG);
    folder.write("a", "here");
    const client = await connect();
    await client.send("GET /big");
    const { fields } = await client.answerHead();
    assertEquals(fields.get("content-length"), String(BIG));
    truncateSync(folder.at("big"), 1000);
    assert(await client.countUntilEnd() < BIG);
    await expectStats(server, { connections: 0, active: 0 });
    assertEquals(errors, ["FILE_CHANGED"]);
    assertEquals((await (await connect()).request("GET /a")).status, 200);
  }));

test("serveDownloads() breaks off when a file grows or is written anew", () =>
  serving(async ({ folder, server, errors, connect }) => {
    for (const flag of ["a", "r+"]) {
      folder.fill("big", BIG);
      const client = await connect();
      await client.send("GET /big");
      await client.answerHead();
      writeFileSync(folder.at("big"), "tail", { flag }); // behind the end, or over the beginning
      assert(await client.countUntilEnd() < BIG);
    }
    await expectStats(server, { connections: 0, active: 0 });
    assertEquals(errors, ["FILE_CHANGED", "FILE_CHANGED"]);
  }));

test("serveDownloads() serves the old file to its end when another one takes its name", () =>
  serving(async ({ folder, errors, connect }) => {
    const bytes = folder.fill("big", BIG);
    folder.fill("new", BIG, 2);
    const client = await connect();
    await client.send("GET /big");
    await client.answerHead();
    renameSync(folder.at("new"), folder.at("big"));
    assertEquals(await client.take(BIG), bytes);
    assertEquals(errors, []);
  }));

test("serveDownloads() finishes a file that is removed while it is being sent", () =>
  serving(async ({ folder, connect }) => {
    const bytes = folder.fill("big", BIG);
    const client = await connect();
    await client.send("GET /big");
    await client.answerHead();
    rmSync(folder.at("big"));
    assertEquals(await client.take(BIG), bytes);
    assertEquals((await client.request("GET /big")).status, 404);
  }));

/** The runtime's transport, with a host whose files fail to open. */
function failingToOpen(osCode: string): Transport {
  const transport = systemTransport();
  const files: Files = {
    ...transport.host.files!,
    open: () => Promise.reject(new JackfieldError("FILE_FAILED", `no: ${osCode}`, { osCode })),
  };
  return new Proxy(transport, {
    get: (target, name) => {
      if (name === "host") return { ...target.host, files };
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("serveDownloads() answers for a file that cannot be opened, on the same connection", async () => {
  const cases: [string, number, string[]][] = [
    ["ENOENT", 404, []], // removed after it was found
    ["EACCES", 404, []],
    ["EIO", 500, ["FILE_FAILED"]],
  ];
  for (const [osCode, expected, reported] of cases) {
    await serving(async ({ folder, server, errors, connect }) => {
      folder.write("a", "here");
      const client = await connect();
      for (let round = 0; round < 2; round++) {
        const { status, body } = await client.request("GET /a");
        assertEquals([status, body.byteLength > 0], [expected, true], osCode);
      }
      assertEquals(errors, [...reported, ...reported], osCode);
      assertEquals(server.stats().connections, 1);
    }, { transport: failingToOpen(osCode) });
  }
});
