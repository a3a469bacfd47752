// What is left when thousands of clients have come and gone. tests/long/serve_leak_test.ts does the
// same at length, with a server in a process of its own, and looks at its memory.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import { runtime, test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { countDescriptors, descriptorsBack, eventually } from "../transport/tools.ts";
import { sendRequestMix } from "./request_mix.ts";
import { expectStats, serving } from "./tools.ts";

/** What a client may cause by leaving, the last two before it was accepted; else would be news. */
const VANISHED = ["SOCKET_RESET", "SOCKET_CLOSED", "SOCKET_FAILED", "ENOTCONN", "ECONNABORTED"];

test("serveDownloads() has nothing left after 1,000 requests of clients good and bad", () =>
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
      const { requests, kinds } = await sendRequestMix({ port, files, dice, requests: 1000 });
      assert(requests >= 1000);
      assertEquals(Object.keys(kinds).length, 8);
      await expectStats(server, { active: 0, queued: 0, connections: 0 });
      await descriptorsBack(descriptors);
      const now = () => process.getActiveResourcesInfo();
      await eventually(() => now().length <= resources, () => `${now()}, ${resources} before`);
      assertEquals(errors.filter((code) => !VANISHED.includes(code)), []);
    })));

/** A program: fifty clients that connect, send the beginning of a head, and reset. */
const resettingClients = (port: number): string => `
import("node:net").then(({ connect }) => {
  for (let at = 0; at < 50; at++) {
    const socket = connect(${port}, "127.0.0.1", () => {
      socket.write("GET /");
      socket.resetAndDestroy();
    });
  }
});`;

test("serveDownloads() has nothing left of clients that reset before they were accepted", () =>
  serving(async ({ folder, server, errors, connect }) => {
    folder.write("a", "here");
    const words = [runtime === "deno" ? "eval" : "-e", resettingClients(server.address.port)];
    let descriptors: number | undefined;
    for (let round = 0; round < 2; round++) {
      // This process does not accept meanwhile: they come and go in the kernel's queue.
      const options = { stdio: "ignore", timeout: 30_000 } as const;
      assertEquals(spawnSync(process.execPath, words, options).status, 0);
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
