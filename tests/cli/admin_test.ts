// `jackfield serve --admin-port`, as its user sees it.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { systemTransport } from "../../mod.ts";
import { Folder } from "../download/tools.ts";
import { test } from "../harness.ts";
import { bytesOf, eventually, textOf } from "../transport/tools.ts";
import { startServer, withChildren } from "./tools.ts";

test("jackfield serve --admin-port shows the server, and drains it when it is told", async () => {
  const folder = new Folder();
  folder.write("a", "here");
  try {
    await withChildren(async (start) => {
      const words = ["--port", "0", "--admin-port", "0"];
      const server = start("serve", folder.path, ...words);
      const url = await startServer(server);
      const line = /admin at (http:\/\/127\.0\.0\.1:\d+\/)\n/;
      await eventually(() => line.test(server.stdout), () => server.stdout);
      const admin = line.exec(server.stdout)![1]!;
      assertEquals(await (await fetch(`${url}a`)).text(), "here");
      const state = await (await fetch(admin)).json();
      assertEquals([state.drain, state.downloads.finished], ["no", 1]);
      const page = await fetch(admin, { headers: { accept: "text/html" } });
      assertMatch(await page.text(), /^<!doctype html>/);
      const metrics = await (await fetch(`${admin}metrics`)).text();
      assertStringIncludes(metrics, "\njackfield_downloads_finished_total 1\n");
      assertEquals(await (await fetch(`${admin}ready`)).json(), { ready: true, notReady: [] });
      const method = "POST";
      const refused = await fetch(`${admin}drain`, { method, headers: { origin: "http://a" } });
      assertEquals(refused.status, 403);
      await refused.text();
      const { hostname, port } = new URL(admin);
      const stranger = await systemTransport().connect({ hostname, port: Number(port) });
      await stranger.write(
        bytesOf("GET //127.0.0.1/metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
      );
      const buffer = new Uint8Array(1024);
      const count = await stranger.read(buffer);
      assertMatch(textOf(buffer.subarray(0, count!)), /^HTTP\/1\.1 403 /);
      stranger.abort();
      const drained = await fetch(`${admin}drain`, { method, body: "x".repeat(200_000) });
      assertEquals([drained.status, await drained.json()], [202, { drain: "draining" }]);
      const { code, stdout, stderr } = await server.ended;
      assertEquals([code, stderr], [0, ""]);
      assertStringIncludes(stdout, "Ending after 0 downloads");
    });
  } finally {
    folder.remove();
  }
});

test("jackfield serve says in one line when the admin port is taken, and ends", async () => {
  const listener = await systemTransport().listen({ hostname: "127.0.0.1", port: 0 });
  try {
    await withChildren(async (start) => {
      const port = String(listener.address.port);
      const { code, stderr } = await start("serve", "--port", "0", "--admin-port", port).ended;
      assertEquals(code, 1);
      assertMatch(stderr, /^jackfield: Cannot listen [^\n]*in use[^\n]*\n$/);
      const wrong = await start("serve", "--port", "0", "--admin-port", "x").ended;
      assertEquals(wrong.code, 2);
      assert(wrong.stderr.includes("'--admin-port' is 'x'"), wrong.stderr);
    });
  } finally {
    await listener.close();
  }
});
