// Runs the workerd adapter in workerd itself, against servers on loopback, and prints one total.
//
//   deno task test:workerd
//
// It needs the npm package `workerd` (160 MB, pinned below), which npx fetches and keeps, and Bun,
// which bundles. That is why these cases are not among the everyday tests. Linux and macOS.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { denoTransport } from "../../src/adapters/deno/mod.ts";
import { nodeTransport } from "../../src/adapters/node/mod.ts";
import type { Listener, ListenOptions, Socket, Transport } from "../../src/core.ts";
import { bunCommand } from "../support/tools.ts";
import { silentPort } from "../transport/silent_host.ts";
import { bytesOf, echo, fixture, readAll } from "../transport/tools.ts";
import type { Ports } from "./cases.ts";

/** The workerd that the cases run in. */
const WORKERD = "workerd@1.20261117.1";
/** For everything, the first download included. */
const LIMIT_MS = 300_000;

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .mainWorker),
    (name = "net", network = (
      allow = ["public", "private", "local"],
      tlsOptions = (trustedCertificates = [embed "ca.pem"]),
    )),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const mainWorker :Workerd.Worker = (
  modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
  compatibilityDate = "2026-01-01",
  globalOutbound = "net",
);
`;

const work = mkdtempSync(join(tmpdir(), "jackfield-workerd-"));
const listeners: Listener[] = [];
let child: ChildProcess | undefined;
let log = "";
let passed = 0;
let failed = 0;
setTimeout(() => {
  console.log(`# killed after ${LIMIT_MS / 1000} s`);
  failed++;
  finish();
}, LIMIT_MS);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    failed++;
    finish();
  });
}

try {
  bundle();
  const silent = await silentPort();
  const ports: Ports = { ...await startServers(), silent: silent.port };
  const origin = `http://127.0.0.1:${await startWorkerd()}`;
  for (const name of await ask<string[]>(origin)) {
    await runCase(origin, name, ports);
  }
  await silent.end();
} catch (error) {
  console.log(error);
  failed++;
}
finish();

/** Put the worker and what it imports into one file, beside its configuration. */
function bundle(): void {
  const [command, ...args] = bunCommand();
  const { status, stderr } = spawnSync(command!, [
    ...args,
    "build",
    fileURLToPath(new URL("worker.ts", import.meta.url)),
    "--format=esm",
    "--target=browser",
    "--external=cloudflare:*",
    `--outfile=${join(work, "worker.mjs")}`,
  ], { encoding: "utf8", timeout: 120_000 });
  if (status !== 0) throw new Error(`Cannot bundle worker: ${stderr}`);
  writeFileSync(join(work, "config.capnp"), CONFIG);
  copyFileSync(new URL("../fixtures/tls/ca.pem", import.meta.url), join(work, "ca.pem"));
}

/** Start one server for each behaviour that the cases need. */
async function startServers(): Promise<Omit<Ports, "silent">> {
  const [net, deno] = [nodeTransport(), denoTransport()];
  const tls = { cert: fixture("tls/server.pem"), key: fixture("tls/server.key") };
  const closed = await net.listen();
  await closed.close();
  return {
    echo: await serve(net, {}, echo),
    echo6: await serve(net, { hostname: "::1" }, echo),
    secure: await serve(deno, { tls }, echo),
    reset: await serve(net, {}, async (socket) => {
      await socket.read(new Uint8Array(1));
      socket.abort();
    }),
    deaf: await serve(net, {}, () => Promise.resolve()),
    greeting: await serve(net, {}, async (socket) => {
      await socket.write(bytesOf("welcome"));
      await socket.closeWrite();
      await readAll(socket);
    }),
    closed: closed.address.port,
  };
}

/** Listen on a free port and give each client to `behave`. */
async function serve(
  transport: Transport,
  options: ListenOptions,
  behave: (socket: Socket) => Promise<void>,
): Promise<number> {
  const listener = await transport.listen({ ...options, onError: () => {} });
  listeners.push(listener);
  void (async () => {
    for await (const socket of listener) behave(socket).catch(() => socket.abort());
  })();
  return listener.address.port;
}

/** Start workerd, and wait until it says on which port it answers. */
function startWorkerd(): Promise<number> {
  return new Promise((resolve, reject) => {
    const config = join(work, "config.capnp");
    child = spawn("npx", ["-y", WORKERD, "serve", config, "--control-fd=1"], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own, so that npx's child ends with it
    });
    let said = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const port = /"socket":"http","port":(\d+)/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => void (log += text));
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`workerd ended with status ${code}\n${log}`)));
  });
}

/** What the worker answers. */
async function ask<T>(origin: string, query: Record<string, string> = {}): Promise<T> {
  const response = await fetch(`${origin}/?${new URLSearchParams(query)}`, {
    signal: AbortSignal.timeout(20_000),
  });
  return await response.json();
}

/** Run one case and count it. */
async function runCase(origin: string, name: string, ports: Ports): Promise<void> {
  const logged = log.length;
  const result = await ask<{ ok: boolean; error?: string }>(origin, {
    name,
    ports: JSON.stringify(ports),
  }).catch((error) => ({ ok: false, error: String(error) }));
  console.log(`workerd transport: ${name} ... ${result.ok ? "ok" : "FAILED"}`);
  if (result.ok) {
    passed++;
  } else {
    failed++;
    console.log(`${result.error}\n${log.slice(logged)}`);
  }
}

/** End what was started, print the total, and leave. */
function finish(): never {
  try {
    if (child?.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
  for (const listener of listeners) void listener.close();
  rmSync(work, { recursive: true, force: true });
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}
