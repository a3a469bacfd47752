// Where managers can work, where they cannot, and what they say then.
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DownloadManager, JackfieldError, serveDownloads, systemTransport } from "../../../mod.ts";
import { DownloadManager as CoreManager } from "../../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../../src/testing/mod.ts";
import { runtime, test } from "../../harness.ts";
import { bytesOf, readAll, textOf } from "../../transport/tools.ts";
import { Client, expectErrors, expectStats, Folder, serving } from "../tools.ts";
import { cert, key, trusting } from "./tls.ts";

const hasThreads = runtime !== "node";
// Opened once in a program, and kept.
if (hasThreads) await systemTransport().host.descriptors?.();

/** The placements that there are besides inline. */
const PLACEMENTS = hasThreads ? ["thread", "process"] as const : ["process"] as const;

test("DownloadManager() says where it cannot work, and why", async () => {
  const make = (options: object) => () => new DownloadManager({ root: ".", ...options });
  if (!hasThreads) {
    const error = assertThrows(make({ placement: "thread" }), JackfieldError);
    assertEquals([error.code, error.feature], ["UNSUPPORTED", 'placement "thread"']);
    assertEquals(
      error.message,
      'Cannot use placement "thread": a live connection cannot be duplicated for another thread here',
    );
  }
  const clock = new VirtualClock();
  for (const placement of PLACEMENTS) {
    assertThrows(make({ placement, clock }), TypeError, "clock");
    assertThrows(make({ placement, maxActive: 0 }), RangeError, 'maxActive "0"');
    const transport = memoryTransport({ clock, host: systemTransport().host });
    assertThrows(
      () => new CoreManager({ root: ".", placement, transport }),
      TypeError,
      'transport "memory"',
    );
  }
  assertThrows(make({ placement: "moon" }), TypeError, 'placement "moon"');
  assertThrows(make({ placement: null }), TypeError, 'placement "null"');
  assertEquals(new DownloadManager({ root: ".", placement: "auto", clock }).placement, "inline");
  const inline = new DownloadManager({ root: "." });
  const error = assertThrows(() => inline.door(), JackfieldError);
  assertEquals([inline.placement, error.code], ["inline", "UNSUPPORTED"]);
  await inline.close();
});

test("placement auto is a thread where there can be one, else a process, but not in Deno", async () => {
  const manager = new DownloadManager({ root: ".", placement: "auto" });
  assertEquals(manager.placement, { deno: "thread", bun: "thread", node: "process" }[runtime]);
  await manager.close();
});

for (const placement of PLACEMENTS) {
  test(`serveDownloads() says what is wrong with the folder, ${placement}`, async () => {
    const folder = new Folder();
    try {
      const root = folder.at("none");
      const error = await serveDownloads({ root, placement }).catch((error) => error);
      assertEquals([error instanceof JackfieldError, error.code], [true, "FILE_FAILED"]);
      assert(error.message.includes(root), error.message);
      assertEquals(error.osCode, "ENOENT");
    } finally {
      folder.remove();
    }
  });

  test(`a connection with TLS is served where it was accepted, ${placement}`, () =>
    serving(async ({ folder, server }) => {
      const bytes = folder.fill("a.bin", 300_000);
      const { hostname, port } = server.address;
      const socket = await systemTransport().connect({ hostname, port, tls: trusting });
      const client = new Client(socket);
      for (let round = 0; round < 2; round++) {
        assertEquals((await client.request("GET /a.bin")).body, bytes);
      }
      await expectStats(server, { finished: 2, active: 0, bytes: 600_000 });
      assertEquals(server.placement, placement);
      await socket.close();
    }, { placement, tls: { cert, key } }));

  test(`errors of hooks keep their code and facts on the way, ${placement}`, () => {
    const errors: unknown[] = [];
    return serving(async ({ folder, connect }) => {
      folder.write("a", "here");
      assertEquals((await (await connect()).request("GET /a")).status, 500);
      assertEquals((await (await connect()).request("GET /a?range")).status, 500);
      assertEquals((await (await connect()).request("GET /a?odd")).status, 500);
      await expectErrors(errors, 3);
      const [known, range, odd] = errors as [JackfieldError, RangeError, unknown];
      assert(known instanceof JackfieldError && range instanceof RangeError);
      assertEquals([known.code, known.message, known.limit], ["POOL_TIMEOUT", "Cannot ask", 7]);
      assertEquals((known.cause as Error).message, "why");
      assertEquals([range.message, odd], ["too much", "a word"]);
    }, {
      placement,
      onError: (error) => errors.push(error),
      authorize: ({ target }) => {
        if (target.endsWith("range")) throw new RangeError("too much");
        // deno-lint-ignore no-throw-literal
        if (target.endsWith("odd")) throw "a word";
        const facts = { limit: 7, cause: new Error("why") };
        throw new JackfieldError("POOL_TIMEOUT", "Cannot ask", facts);
      },
    });
  });

  test(`a socket that was not made to travel is served in its place, ${placement}`, async () => {
    const folder = new Folder();
    const transport = systemTransport();
    const listener = await transport.listen();
    const manager = new DownloadManager({ root: folder.path, placement });
    try {
      folder.write("a", "here");
      const client = await transport.connect(listener.address);
      const socket = await listener.accept();
      const unread = bytesOf("more");
      const taken = await manager.take(socket, { target: "/a", keepAlive: true, unread });
      assertEquals(taken.status, 200);
      const buffer = new Uint8Array(4);
      await taken.socket!.read(buffer);
      assertEquals(textOf(buffer), "more");
      await taken.socket!.close();
      assert(textOf(await readAll(client)).endsWith("here"));
      await client.close();
      assertEquals([manager.stats().finished, manager.downloads()], [1, []]);
    } finally {
      await manager.close();
      await listener.close();
      folder.remove();
    }
  });

  test(`a program ends that never closes its idle manager, ${placement}`, async () => {
    const script = fileURLToPath(new URL("../../fixtures/unclosed_manager.ts", import.meta.url));
    const flags = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
    const { output, code, ms } = await run([...flags, script, placement]);
    assertEquals([output, code], [`${placement} 200 true\n`, 0]);
    assert(ms < 20_000, `it took ${ms} ms`);
  });
}

test("placements take what is granted, never ask, and name the flag that is missing", {
  skip: runtime === "deno" ? false : "permissions are Deno's",
}, async () => {
  const folder = new Folder();
  try {
    const script = fileURLToPath(new URL("../../fixtures/permitted_manager.ts", import.meta.url));
    const look = async (...flags: string[]) => {
      const all = ["run", "--no-check", "--allow-net", "--allow-read", ...flags];
      const { output } = await run([...all, script, folder.path]);
      return output.trimEnd().split("\n");
    };
    assertEquals(await look(), [
      "thread: PERMISSION_DENIED --allow-ffi true",
      `process: PERMISSION_DENIED --allow-run=${process.execPath} true`,
      "auto: inline",
    ]);
    assertEquals(await look("--allow-ffi"), [
      "thread: thread",
      `process: PERMISSION_DENIED --allow-run=${process.execPath} true`,
      "auto: thread",
    ]);
    assertEquals(await look("--allow-run", "--allow-env"), [
      "thread: PERMISSION_DENIED --allow-ffi true",
      "process: process",
      "auto: inline",
    ]);
  } finally {
    folder.remove();
  }
});

/** Run this runtime to its end; the terminal is not there to be asked. */
function run(args: string[]): Promise<{ output: string; code: number | null; ms: number }> {
  const beganMs = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
  const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ output, code, ms: performance.now() - beganMs });
    });
  });
}
