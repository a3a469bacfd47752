// The program in this process: what it prints, and its exit codes.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { systemTransport } from "../../mod.ts";
import { test } from "../harness.ts";
import { Folder, serving } from "../download/tools.ts";
import { sha256 } from "../transport/tools.ts";
import { withServer } from "../parallel/tools.ts";
import { type Ended, runMain } from "./tools.ts";

/** One clear line on standard error, and nothing else. */
function assertOneLine(
  { code, stdout, stderr }: Ended,
  expected: number,
  ...texts: string[]
): void {
  assertEquals([code, stdout], [expected, ""], stderr);
  assertMatch(stderr, /^jackfield: [^\n]{10,250}\n$/);
  assertEquals(/\bat .*:\d+:\d+|Error:|undefined|\[object/.test(stderr), false, stderr);
  for (const text of texts) assertStringIncludes(stderr, text);
}

// `serve` opens the C library, which stays open: before a test is watched for what it leaves.
await systemTransport().host.descriptors?.();

test("jackfield --help of all fits 80 columns and names every flag", async () => {
  const cases: [string[], string[]][] = [
    [["--help"], ["serve", "get", "--version", "Exit codes"]],
    [[], ["serve", "get"]],
    [["help"], ["serve", "get"]],
    [["serve", "--help"], ["--hostname", "--port", "Exit codes"]],
    [["serve", "-h"], ["--hostname"]],
    [["get", "--help"], ["--output", "--sockets", "--unit", "--addresses", "--strategy", "130"]],
  ];
  for (const [words, texts] of cases) {
    const { code, stdout, stderr } = await runMain(...words);
    assertEquals([code, stderr], [0, ""]);
    for (const line of stdout.split("\n")) assert(line.length <= 80, line);
    for (const text of texts) assertStringIncludes(stdout, text);
  }
});

test("jackfield --version prints the version of the package", async () => {
  const { version } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  const { code, stdout } = await runMain("--version");
  assertEquals([code, stdout], [0, `jackfield ${version}\n`]);
});

test("jackfield says so in a Node that is too old", async () => {
  const { withResolvers } = Promise;
  Reflect.deleteProperty(Promise, "withResolvers");
  const run = runMain("--version");
  Promise.withResolvers = withResolvers; // `main` has looked before its first await
  assertOneLine(await run, 1, "22.18");
});

test("jackfield ignores a leading --", async () => {
  assertEquals((await runMain("--", "--version")).code, 0);
  assertStringIncludes((await runMain("--", "get", "--", "--help")).stdout, "jackfield get");
});

test("jackfield says what is wrong with its words, with exit code 2", async () => {
  const url = "http://127.0.0.1:9/x";
  const cases: [string[], string][] = [
    [["fetch"], "'fetch'"],
    [["toString"], "'toString'"],
    [["--nonsense"], "'--nonsense'"],
    [["serve", "--nonsense"], "--nonsense"],
    [["serve", "a", "b"], "'b'"],
    [["serve", "--port", "x"], "'x'"],
    [["serve", "--port", "65536"], "'65536'"],
    [["serve", "--port"], "--port"],
    [["serve", "--hostname", ""], 'hostname ""'],
    [["serve", "deno.json"], "deno.json"],
    [["get"], "URL is missing"],
    [["get", url], "-o"],
    [["get", url, "more", "-o", "f"], "'more'"],
    [["get", url, "-o"], "-o"],
    [["get", url, "-o", ""], '""'],
    [["get", url, "-o", "f", "--nonsense"], "--nonsense"],
    [["get", url, "-o", "f", "--sockets", "0"], "'0'"],
    [["get", url, "-o", "f", "--sockets", "65"], "'65'"],
    [["get", url, "-o", "f", "--unit", "5"], "'5'"],
    [["get", url, "-o", "f", "--strategy", "luck"], '"luck"'],
    [["get", url, "-o", "f", "--addresses", "nowhere"], "nowhere"],
    [["get", url, "-o", "f", "--addresses", ""], '""'],
    [["get", url, "-o", "f", "--addresses", "127.0.0.1,127.0.0.1"], "twice"],
    [["get", "nonsense", "-o", "f"], "nonsense"],
    [["get", "ftp://127.0.0.1/x", "-o", "f"], "ftp:"],
  ];
  for (const [words, text] of cases) assertOneLine(await runMain(...words), 2, text);
  assertStringIncludes((await runMain("get")).stderr, "jackfield get --help");
  assertStringIncludes((await runMain("fetch")).stderr, "jackfield --help");
});

test("jackfield serve says why it cannot start, with exit code 1", () =>
  serving(async ({ server }) => {
    assertOneLine(await runMain("serve", "nowhere/at-all"), 1, "nowhere/at-all");
    const port = String(server.address.port);
    assertOneLine(await runMain("serve", "examples", "--port", port), 1, port, "in use");
    for (const hostname of ["999.1.2.3", "name.invalid", "192.0.2.1"]) {
      assertOneLine(await runMain("serve", ".", "--port=0", "--hostname", hostname), 1, hostname);
    }
  }));

test("jackfield get says what failed, with its exit code, and leaves no file", () =>
  serving(async ({ folder, server }) => {
    folder.fill("a.bin", 5000);
    const to = folder.at("copy.bin");
    const url = `${server.url}a.bin`;
    assertOneLine(await runMain("get", `${server.url}none`, "-o", to), 4, "no such file");
    assertOneLine(await runMain("get", url, "-o", folder.at("no/f")), 6, folder.at("no/f"));
    assertOneLine(await runMain("get", url, "-o", folder.at("a.bin/f")), 6, "a.bin/f");
    assertOneLine(await runMain("get", url, "-o", folder.path), 6, "directory");
    const foreign = ["get", url, "-o", to, "--addresses", "192.0.2.1"];
    assertOneLine(await runMain(...foreign), 3, "192.0.2.1");
    assertOneLine(await runMain("get", "http://name.invalid/x", "-o", to), 3, "name.invalid");
    await server.close();
    assertOneLine(await runMain("get", url, "-o", to), 3, String(server.address.port));
    assertEquals(readdirSync(folder.path), ["a.bin"]);
  }));

test("jackfield get says that the server vanished, with exit code 3", async () => {
  const folder = new Folder();
  try {
    const vanishing = (_asked: unknown, server: { vanish(): void }) => server.vanish();
    await withServer(vanishing, async ({ url }) => {
      assertOneLine(await runMain("get", url, "-o", folder.at("f")), 3);
    });
    assertEquals(readdirSync(folder.path), []);
  } finally {
    folder.remove();
  }
});

test("jackfield get prints plain lines, the digest and what each socket carried", () =>
  serving(async ({ folder, server }) => {
    const bytes = folder.fill("a.bin", 900_000);
    const to = folder.at("copy.bin");
    const list = "127.0.0.2,127.0.0.3";
    const words = ["--sockets", "2", "--unit=64K", "--addresses", list, "--strategy", "random"];
    const { code, stdout, stderr } = await runMain("get", `${server.url}a.bin`, "-o", to, ...words);
    assertEquals(code, 0, stderr);
    assertEquals(sha256(readFileSync(to)), sha256(bytes));
    assertStringIncludes(stdout, `SHA-256 ${sha256(bytes)}\n`);
    assertStringIncludes(stdout, `saved ${to}\n`);
    for (const address of list.split(",")) {
      assertMatch(stdout, new RegExp(`^  from ${address}  \\d.* in \\d+ units$`, "m"));
    }
    for (const printed of [stdout, stderr]) {
      assertEquals(printed.includes("\r") || printed.includes("\x1b"), false);
    }
    assertMatch(stderr, /^(\[#*\.*\] +\d+ % .*\n)+$/);
    assertStringIncludes(stderr, "100 %");
    for (const line of stderr.split("\n")) assert(line.length <= 79, line);
  }));
