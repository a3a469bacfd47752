// Packs the library, installs the tarball into fresh projects outside the checkout, and has Deno,
// Bun and Node each open a socket with it. Also: `require`, and a consumer's tsc.
//
//   deno run -A tests/pack/install_check.ts
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bunCommand, denoCommand, nodeCommand } from "../support/tools.ts";

const TOP = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const LIMIT_MS = 120_000;
const { name, version, exports } = JSON.parse(readFileSync(join(TOP, "package.json"), "utf8"));

const ECHO = `
import { systemTransport } from "${name}";

const transport = systemTransport();
const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 });
const { port } = listener.address;
const [client, server] = await Promise.all([
  transport.connect({ hostname: "127.0.0.1", port }),
  listener.accept(),
]);

async function readAll(socket) {
  const bytes = [];
  const buffer = new Uint8Array(1024);
  for (let count; (count = await socket.read(buffer)) !== null;) bytes.push(...buffer.slice(0, count));
  return new Uint8Array(bytes);
}

const echo = readAll(server).then(async (bytes) => {
  await server.write(bytes);
  await server.closeWrite();
});
await client.write(new TextEncoder().encode("echo, please"));
await client.closeWrite();
const text = new TextDecoder().decode(await readAll(client));
await echo;
await client.close();
await server.close();
await listener.close();
if (text !== "echo, please") throw new Error("Cannot echo: got " + JSON.stringify(text));
console.log("echo ok");
`;

/** A server whose manager is a script of the package, in a thread and in a process. */
const PLACED = `
import { serveDownloads } from "${name}";

const inNode = !("Deno" in globalThis) && !("Bun" in globalThis);
for (const placement of inNode ? ["process"] : ["thread", "process"]) {
  const server = await serveDownloads({ root: ".", placement });
  const response = await fetch(server.url + "package.json", { headers: { connection: "close" } });
  const { name } = await response.json();
  if (!name.startsWith("consumer-") || server.placement !== placement) throw new Error(name);
  await server.close();
}
console.log("placed ok");
`;

const REQUIRE = `
const { systemTransport } = require("${name}");
if (typeof systemTransport !== "function") throw new Error("Cannot require ${name}");
console.log("require ok");
`;

/** A consumer that touches every entry, with a strict tsc and no runtime's types. */
const CONSUMER = `
import { systemTransport } from "${name}";
${
  Object.keys(exports).filter((path) => path !== "." && path !== "./package.json")
    .map((path, at) => `import type * as entry${at} from "${path.replace(".", name)}";`).join("\n")
}

export const transport: ReturnType<typeof systemTransport> = systemTransport();
export async function port(): Promise<number> {
  const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.address.port;
}
`;

const CONSUMER_CONFIG = {
  compilerOptions: {
    target: "ESNext",
    lib: ["ESNext", "DOM"],
    module: "NodeNext",
    moduleResolution: "NodeNext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    types: [],
  },
  include: ["consumer.ts"],
};

const work = mkdtempSync(join(tmpdir(), "jackfield-install-"));
try {
  check();
  console.log(`installed ${name} ${version} in Deno, Bun and Node`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function check(): void {
  run(TOP, ["npm", "pack", "--silent", "--pack-destination", work]);
  const tarball = readdirSync(work).find((file) => file.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("Cannot pack: npm left no tarball");
  const packed = join(work, tarball);

  const node = project("node");
  run(node, ["npm", "install", "--silent", "--no-audit", "--no-fund", packed]);
  expect(run(node, [...nodeCommand(), "echo.mjs"]), "echo ok");
  expect(run(node, [...nodeCommand(), "placed.mjs"]), "placed ok");
  expect(run(node, [...nodeCommand(), "require.cjs"]), "require ok");

  // Deno cannot install a tarball by itself: npm does, and Deno runs on the result.
  const deno = project("deno");
  run(deno, ["npm", "install", "--silent", "--no-audit", "--no-fund", packed]);
  expect(run(deno, [...denoCommand(), "run", "-A", "echo.mjs"]), "echo ok");
  expect(run(deno, [...denoCommand(), "run", "-A", "placed.mjs"]), "placed ok");

  const bun = project("bun");
  run(bun, [...bunCommand(), "add", packed]);
  expect(run(bun, [...bunCommand(), "run", "echo.mjs"]), "echo ok");
  expect(run(bun, [...bunCommand(), "run", "placed.mjs"]), "placed ok");

  run(node, [join(TOP, "node_modules", ".bin", "tsc"), "-p", "."]);
}

/** A fresh project that has the programs, and not yet the library. */
function project(runtime: string): string {
  const folder = join(work, runtime);
  mkdirSync(folder);
  const manifest = { name: `consumer-${runtime}`, version: "1.0.0", private: true, type: "module" };
  const files = {
    "package.json": JSON.stringify(manifest),
    "echo.mjs": ECHO,
    "placed.mjs": PLACED,
    "require.cjs": REQUIRE,
    "consumer.ts": CONSUMER,
    "tsconfig.json": JSON.stringify(CONSUMER_CONFIG),
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

/** Run a command to its end; anything but status 0 ends the check. */
function run(cwd: string, [command, ...args]: string[]): string {
  console.log(`$ ${[command, ...args].join(" ")}`);
  const { status, signal, stdout, stderr, error } = spawnSync(command!, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  if (status === 0) return stdout;
  console.log(stdout ?? "", stderr ?? "");
  throw new Error(`Cannot run ${command}: ${error?.message ?? `status ${status ?? signal}`}`);
}

function expect(output: string, line: string): void {
  if (!output.split("\n").includes(line)) throw new Error(`Cannot find "${line}" in ${output}`);
}
