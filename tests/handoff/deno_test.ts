// What threads and processes need in Deno, from the checkout and from where packages are loaded.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { createServer } from "node:http";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type DenoConn, fromConn } from "../../src/adapters/deno/mod.ts";
import { HandoffChannel } from "../../src/core.ts";
import { runtime, test } from "../harness.ts";
import { rejection } from "../transport/tools.ts";
import { FakeKernel, fakeLinks } from "./fake_owners.ts";
import { textOf } from "../transport/tools.ts";

const skip = runtime !== "deno" && "needs Deno";
const TOP = new URL("../../", import.meta.url);
const CHILD = "tests/fixtures/handoff_deno_child.ts";
const OWNER = fileURLToPath(new URL("tests/fixtures/handoff_deno_owner.ts", TOP));

interface Answer {
  value?: string;
  code?: string;
  message?: string;
  permission?: string;
}

/** The part of Deno that starts the child: `node:child_process` gives a Deno all permissions. */
interface DenoWithCommand {
  readonly Command: new (
    command: string,
    options: { args: readonly string[]; stdin: "null"; signal: AbortSignal },
  ) => { output(): Promise<{ code: number; stdout: Uint8Array; stderr: Uint8Array }> };
}

/** Have the child do something with these permissions; nobody answers it. */
async function ask(flags: readonly string[], act: string, from: string): Promise<Answer> {
  const { Command } = (globalThis as unknown as { Deno: DenoWithCommand }).Deno;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), 20_000);
  const args = ["run", "--quiet", "--no-config", ...flags, new URL(CHILD, from).href, act];
  const child = new Command(process.execPath, { args, stdin: "null", signal: limit.signal });
  const { stdout, stderr } = await child.output();
  clearTimeout(timer);
  const line = textOf(stdout).trim().split("\n").at(-1)!;
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`${line}\n${textOf(stderr)}`);
  }
}

test(
  "HandoffChannel.send() says what to do with a Deno.Conn, which cannot travel",
  { skip },
  async () => {
    const { Deno: deno } = globalThis as unknown as {
      Deno: {
        listen(options: { port: number; hostname: string }): {
          readonly addr: { readonly port: number };
          accept(): Promise<DenoConn>;
          close(): void;
        };
        connect(options: { port: number; hostname: string }): Promise<DenoConn>;
      };
    };
    const listener = deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [near, far] = await Promise.all([
      deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
      listener.accept(),
    ]);
    const socket = fromConn(far);
    for (const kind of ["thread", "process"] as const) {
      const kernel = new FakeKernel();
      const descriptors = kernel.descriptors("near");
      const channel = new HandoffChannel(fakeLinks(kind, kernel).near, { descriptors });
      const error = await rejection(channel.send(socket));
      assertEquals([error.code, socket.state], ["UNSUPPORTED", "open"]);
      assertStringIncludes(error.message, "`transferable: true` in `connect` or `listen`");
      assertStringIncludes(error.message, "node:net and `fromSocket`");
    }
    await socket.close();
    near.close();
    listener.close();
  },
);

test("Owners say which permission of Deno is missing, and never ask", { skip }, async () => {
  const cases: readonly (readonly [act: string, flags: readonly string[], permission: string])[] = [
    ["thread", [], `--allow-read=${OWNER}`],
    ["thread", [`--allow-read=${OWNER}`], "--allow-ffi"],
    ["descriptors", [], "--allow-ffi"],
    ["process", [], `--allow-run=${process.execPath}`],
    ["process", [`--allow-run=${process.execPath}`], "--allow-env"],
  ];
  const answers = await Promise.all(cases.map(([act, flags]) => ask(flags, act, TOP.href)));
  for (const [at, { code, message, permission }] of answers.entries()) {
    assertEquals([code, permission], ["PERMISSION_DENIED", cases[at]![2]], message);
    assertStringIncludes(message!, `run with ${permission}`);
  }
});

test("HandoffChannel needs no more permissions in Deno than the documents name", {
  skip,
}, async () => {
  const net = "--allow-net=127.0.0.1";
  assertEquals(
    await ask([net, `--allow-read=${fileURLToPath(TOP)}`, "--allow-ffi"], "thread", TOP.href),
    { value: "hello from a thread" },
  );
  assertEquals(
    await ask([net, `--allow-run=${process.execPath}`, "--allow-env"], "process", TOP.href),
    { value: "hello from a process" },
  );
});

test("HandoffChannel finds its scripts when the package is loaded over http", {
  skip,
  sanitize: false, // node:http closes a turn later.
}, async () => {
  const server = createServer((request, response) => {
    try {
      const body = readFileSync(new URL(`.${request.url}`, TOP));
      response.writeHead(200, { "content-type": "application/typescript" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const from = `http://127.0.0.1:${port}/`;
  const common = ["--reload", "--allow-net=127.0.0.1", `--allow-import=127.0.0.1:${port}`];
  assertEquals(await ask([...common, "--allow-ffi"], "thread", from), {
    value: "hello from a thread",
  });
  const run = [`--allow-run=${process.execPath}`, "--allow-env"];
  assertEquals(await ask([...common, ...run], "process", from), { value: "hello from a process" });
  server.close();
});
