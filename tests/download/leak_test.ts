// What is left when thousands of clients have come and gone. tests/long/serve_leak_test.ts does the
// same at length, with a server in a process of its own, and looks at its memory.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { nodeCommand } from "../support/tools.ts";
import { countDescriptors, descriptorsBack, eventually } from "../transport/tools.ts";
import { sendRequestMix } from "./request_mix.ts";
import { expectStats, serving } from "./tools.ts";

/** What a client may cause by leaving, the last two before it was accepted; else would be news. */
const VANISHED = ["SOCKET_RESET", "SOCKET_CLOSED", "SOCKET_FAILED", "ENOTCONN", "ECONNABORTED"];

test("serveDownloads() has nothing left after 3,000 requests of clients good and bad", () =>
  withSeeds([6], (dice) =>
    serving(async ({ folder, server, errors }) => {
      const files = {
        small: folder.write("small.txt", "a few bytes"),
        medium: folder.fill("medium.bin", 40_000),
        big: folder.fill("big.bin", 8 * 2 ** 20),
      };
      const { port } = server.address;
      // What is opened once and kept is no leak.
      await sendRequestMix({ port, files, dice, requests: 200 });
      await expectStats(server, { active: 0, queued: 0, connections: 0 });
      const descriptors = countDescriptors();
      const resources = process.getActiveResourcesInfo().length;
      const { requests, kinds } = await sendRequestMix({ port, files, dice, requests: 3000 });
      assert(requests >= 3000);
      assertEquals(Object.keys(kinds).length, 8);
      await expectStats(server, { active: 0, queued: 0, connections: 0 });
      await descriptorsBack(descriptors);
      const now = () => process.getActiveResourcesInfo();
      await eventually(() => now().length <= resources, () => `${now()}, ${resources} before`);
      assertEquals(errors.filter((code) => !VANISHED.includes(code)), []);
    })));

const RESETTING = 50;
/** As many as it is told connect, send the beginning of a head, and reset. */
const RESETTING_CLIENTS = `
const [port, count] = process.argv.slice(1).map(Number);
for (let at = 0; at < count; at++) {
  const socket = require("node:net").connect(port, "127.0.0.1", () => {
    socket.write("GET /");
    socket.resetAndDestroy();
  });
}`;

test("serveDownloads() has nothing left of clients that reset before they were accepted", () =>
  serving(async ({ folder, server, errors, connect }) => {
    folder.write("a", "here");
    const { port } = server.address;
    const [node, ...words] = nodeCommand();
    const all = [...words, "-e", RESETTING_CLIENTS, String(port), String(RESETTING)];
    let descriptors: number | undefined;
    for (let round = 0; round < 2; round++) {
      // This process does not accept meanwhile: they come and go in the kernel's queue.
      assertEquals(spawnSync(node!, all, { stdio: "ignore", timeout: 30_000 }).status, 0);
      const client = await connect(); // It is accepted behind them.
      assertEquals((await client.request("GET /a")).status, 200);
      await expectStats(server, { active: 0, queued: 0, connections: 1 });
      client.socket.abort();
      await expectStats(server, { connections: 0 });
      if (round === 0) descriptors = countDescriptors(); // What is opened once and kept is no leak.
      else await descriptorsBack(descriptors);
    }
    assertEquals(errors.filter((code) => !VANISHED.includes(code)), []);
  }));
