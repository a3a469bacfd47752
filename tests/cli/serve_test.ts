// What `jackfield serve` makes of its words, as its user sees it.
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { systemTransport } from "../../mod.ts";
import { test } from "../harness.ts";
import { Client, Folder } from "../download/tools.ts";
import { textOf } from "../transport/tools.ts";
import { startServer, withChildren } from "./tools.ts";

const pem = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));

test("jackfield serve --cert --key --list serves https and shows folders", async () => {
  const folder = new Folder();
  folder.write("inner/a.txt", "here");
  try {
    await withChildren(async (start) => {
      const words = ["--cert", pem("server.pem"), "--key", pem("server.key"), "--list"];
      const server = start("serve", folder.path, "--port", "0", ...words);
      const url = new URL(await startServer(server));
      assertEquals(url.protocol, "https:");
      const socket = await systemTransport().connect({
        hostname: url.hostname,
        port: Number(url.port),
        tls: { caCerts: [readFileSync(pem("ca.pem"), "utf8")], serverName: "localhost" },
      });
      const client = new Client(socket);
      assertStringIncludes(textOf((await client.request("GET /inner/")).body), "./a.txt");
      assertEquals(textOf((await client.request("GET /inner/a.txt")).body), "here");
      await socket.close();
      server.signal("SIGTERM");
      assertEquals((await server.ended).code, 0);
    });
  } finally {
    folder.remove();
  }
});

test("jackfield serve says in one line what is wrong with a certificate", () =>
  withChildren(async (start) => {
    const [alone, missing, noPem, mixed] = await Promise.all([
      start("serve", "--cert", pem("server.pem")).ended,
      start("serve", "--cert", "/nowhere.pem", "--key", pem("server.key")).ended,
      start("serve", "--cert", pem("README.md"), "--key", pem("server.key")).ended,
      start("serve", "--port", "0", "--cert", pem("server.pem"), "--key", pem("ca.pem")).ended,
    ]);
    assertEquals([alone, missing, noPem].map(({ code }) => code), [2, 2, 2]);
    assertEquals(
      alone!.stderr,
      "jackfield: Option '--cert' needs '--key' beside it; try: jackfield serve --help\n",
    );
    assertStringIncludes(missing!.stderr, "/nowhere.pem");
    assertStringIncludes(noPem!.stderr, "expected a file in PEM");
    assertEquals(mixed!.code, 1);
    assertStringIncludes(mixed!.stderr, "the certificate or its key cannot be used: ");
    for (const { stderr } of [alone!, missing!, noPem!, mixed!]) {
      assertMatch(stderr, /^jackfield: [^\n]+\n$/);
    }
  }));
