// The program as its user starts it: a child of its own.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readdirSync, readFileSync, renameSync } from "node:fs";
import { test } from "../harness.ts";
import { Client, Folder } from "../download/tools.ts";
import { withServer } from "../parallel/tools.ts";
import { sha256 } from "../transport/tools.ts";
import { startServer, withChildren } from "./tools.ts";

/** Run with a folder and with children. */
async function inFolder(
  run: (
    folder: Folder,
    start: Parameters<Parameters<typeof withChildren>[0]>[0],
  ) => Promise<void>,
): Promise<void> {
  const folder = new Folder();
  try {
    await withChildren((start) => run(folder, start));
  } finally {
    folder.remove();
  }
}

test("jackfield serve and get bring a file across, byte for byte", () =>
  inFolder(async (folder, start) => {
    const bytes = folder.fill("files/a b.bin", 5_000_001);
    const server = start("--", "serve", folder.at("files"), "--port", "0");
    const url = await startServer(server);
    assertStringIncludes(server.stdout, `Serving ${folder.at("files")}\n`);
    await server.prints(/try curl -O \S+/); // It is printed after the line that was waited for.
    assertStringIncludes(server.stdout, `try curl -O ${url}`);
    const to = folder.at("copy.bin");
    const get = await start("get", `${url}a%20b.bin`, "-o", to, "--unit", "256K").ended;
    assertEquals([get.code, sha256(readFileSync(to))], [0, sha256(bytes)], get.stderr);
    assertStringIncludes(get.stdout, sha256(bytes));
    server.signal("SIGTERM");
    assertEquals((await server.ended).code, 0);
  }));

test("jackfield serve without a folder serves the sample", () =>
  inFolder(async (_folder, start) => {
    const server = start("serve", "--port=0");
    const response = await fetch(`${await startServer(server)}numbers.txt`);
    assertEquals(response.status, 200);
    assertEquals((await response.text()).length > 0, true);
  }));

test("jackfield ends with its exit codes, and prints no stack trace", () =>
  inFolder(async (folder, start) => {
    const children = [
      start("--version"),
      start("nonsense"),
      start("serve", folder.at("none")),
      start("get", "http://127.0.0.1:1/x", "-o", folder.at("f")),
      start("get"),
    ];
    const ended = await Promise.all(children.map((child) => child.ended));
    assertEquals(ended.map(({ code }) => code), [0, 2, 1, 3, 2]);
    assertEquals(ended[0]!.stderr, "");
    for (const { stdout, stderr } of ended.slice(1)) {
      assertEquals(stdout, "");
      assertMatch(stderr, /^jackfield: [^\n]+\n$/);
    }
    assertEquals(readdirSync(folder.path), []);
  }));

test("jackfield serve finishes its downloads on SIGINT and takes no new ones", () =>
  inFolder(async (folder, start) => {
    const bytes = folder.fill("big", 24 * 2 ** 20);
    const server = start("serve", folder.path, "--port", "0");
    const { port } = new URL(await startServer(server));
    const address = { hostname: "127.0.0.1", port: Number(port) };
    const client = await Client.connect(address);
    const idle = await Client.connect(address);
    try {
      await client.send("GET /big");
      await client.answerHead();
      server.signal("SIGINT");
      await server.prints(/Ending after 1 download, within 30 s; once more to end now\n/);
      assertEquals(await idle.countUntilEnd(), 0);
      assertEquals(sha256(await client.take(bytes.byteLength)), sha256(bytes));
      assertEquals((await server.ended).code, 0);
      assertEquals(server.stderr, "");
    } finally {
      client.socket.abort();
      idle.socket.abort();
    }
  }));

test("jackfield serve says what is left after SIGTERM, and ends at once on a second one", () =>
  inFolder(async (folder, start) => {
    folder.fill("big", 24 * 2 ** 20);
    const server = start("serve", folder.path, "--port", "0");
    const { port } = new URL(await startServer(server));
    const client = await Client.connect({ hostname: "127.0.0.1", port: Number(port) });
    try {
      await client.send("GET /big");
      await client.answerHead(); // and reads no more
      server.signal("SIGTERM");
      await server.prints(/Ending after 1 download, within 30 s/);
      await server.prints(/\n1 download left, [12]\d\.\d MiB, 2\d s\n/);
      const start = performance.now();
      server.signal("SIGTERM");
      const { code, stdout } = await server.ended;
      assertEquals(code, 0);
      assertMatch(stdout, /\nEnding now, with 1 download, [12]\d\.\d MiB unsent\n$/);
      assert(performance.now() - start < 10_000, "it waited for the download");
    } finally {
      client.socket.abort();
    }
  }));

test("jackfield get leaves nothing on SIGINT and ends with 130", () =>
  inFolder(async (folder, start) => {
    let asked!: () => void;
    const begun = new Promise<void>((resolve) => asked = resolve);
    await withServer(() => asked(), async ({ url }) => { // and answers nothing
      const get = start("get", url, "-o", folder.at("f"));
      await begun;
      assertEquals(readdirSync(folder.path), ["f.part"]);
      get.signal("SIGINT");
      const { code, stdout, stderr } = await get.ended;
      assertEquals([code, stdout], [130, ""]);
      assertMatch(stderr, /^jackfield: Interrupted[^\n]*\n$/);
      assertEquals(readdirSync(folder.path), []);
    });
  }));

test("jackfield get names what it was doing when the server's file disappears", () =>
  inFolder(async (folder, start) => {
    folder.fill("files/a", 5000);
    const server = start("serve", folder.at("files"), "--port", "0");
    const url = await startServer(server);
    renameSync(folder.at("files/a"), folder.at("files/b"));
    const { code, stderr } = await start("get", `${url}a`, "-o", folder.at("f")).ended;
    assertEquals(code, 4);
    assertStringIncludes(stderr, "no such file");
    assertEquals(server.stderr, "");
  }));

test("jackfield get saves its file although nobody reads what it prints", () =>
  inFolder(async (folder, start) => {
    const bytes = folder.fill("files/a", 3_000_000);
    const url = await startServer(start("serve", folder.at("files"), "--port", "0"));
    const get = start("get", `${url}a`, "-o", folder.at("f"), "--unit", "64K");
    const piped = start("get", `${url}a`, "-o", "-");
    get.stopReading();
    piped.stopReading(); // here the file itself is lost
    assertEquals([(await get.ended).code, (await piped.ended).code], [0, 6]);
    assertEquals(sha256(readFileSync(folder.at("f"))), sha256(bytes));
  }));
