// SIGUSR2 and what it prints.
import { assertEquals, assertMatch } from "@std/assert";
import process from "node:process";
import { systemTransport } from "../../mod.ts";
import { test } from "../harness.ts";
import { RawClient } from "../download/raw_client.ts";
import { Folder, headOf } from "../download/tools.ts";
import { eventually } from "../transport/tools.ts";
import { startServer, withChildren } from "./tools.ts";

test("jackfield serve --upgradable hands over on SIGUSR2, and the old process ends", async () => {
  const folder = new Folder();
  folder.write("a.txt", "here");
  let next = 0;
  try {
    await withChildren(async (start) => {
      const admin = await freePort();
      const server = start(
        ...["serve", folder.path, "--port", "0", "--upgradable", "--admin-port", `${admin}`],
      );
      const { port } = new URL(await startServer(server));
      const client = await RawClient.connect(Number(port)); // It goes along.
      client.send(headOf("GET /a.txt"));
      assertEquals((await client.answer()).body.toString(), "here");
      server.signal("SIGUSR2");
      await eventually(() => /handed over to \d+/.test(server.stdout), () => server.stderr);
      const [, pid, to, count] = /Process (\d+) has handed over to (\d+), with (\d+)/.exec(
        server.stdout,
      )!;
      next = Number(to);
      assertEquals([pid === to, count], [false, "1"]);
      client.send(headOf("GET /a.txt"));
      assertEquals((await client.answer()).body.toString(), "here");
      await client.close();
      await gone(Number(pid));
      let status = 0;
      const ask = async () => {
        const answer = await fetch(`http://127.0.0.1:${admin}/health`);
        await answer.body?.cancel();
        status = answer.status;
      };
      await eventually(() => (ask().catch(() => {}), status === 200), () => `admin: ${status}`);
      process.kill(next, "SIGTERM");
      assertEquals((await server.ended).code, 0); // And nobody has its output any more.
    });
  } finally {
    if (next > 0) await gone(next);
    folder.remove();
  }
});

test("jackfield serve goes on after a SIGUSR2 that cannot be followed", async () => {
  const folder = new Folder();
  folder.write("a.txt", "here");
  try {
    await withChildren(async (start) => {
      const server = start("serve", folder.path, "--port", "0", "--upgradable");
      const { port } = new URL(await startServer(server));
      folder.remove(); // The next process finds nothing to serve.
      server.signal("SIGUSR2");
      await eventually(() => server.stderr.includes("goes on"), () => server.stderr, 20_000);
      assertMatch(server.stderr, /Cannot hand over: [^\n]*; process \d+ goes on\n$/);
      const client = await RawClient.connect(Number(port));
      client.send(headOf("GET /a.txt"));
      assertEquals((await client.answer()).status, 404);
      await client.close();
      server.signal("SIGTERM");
      assertEquals((await server.ended).code, 0);
    });
  } finally {
    folder.remove();
  }
});

async function freePort(): Promise<number> {
  const listener = await systemTransport().listen({ port: 0 });
  await listener.close();
  return listener.address.port;
}

/** Wait until a process has ended. */
async function gone(pid: number): Promise<void> {
  const isThere = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await eventually(() => !isThere(), () => `${pid} does not end`);
}
