// The scripts of threads and processes are found where the package lies, also behind an address: the
// files that would be published, served as the registry serves them, and Deno with no more
// permissions than the README names.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";
import { runtime, test } from "../../harness.ts";
import { Folder } from "../tools.ts";

const skip = runtime === "deno" ? false : "only Deno loads code over http";
const top = new URL("../../../", import.meta.url);
const { publish, imports } = JSON.parse(readFileSync(new URL("deno.json", top), "utf8")) as {
  publish: { include: string[] };
  imports: Record<string, string>;
};

/** A file of the published ones, with its imports of libraries as the registry writes them. */
function published(path: string): string | undefined {
  if (!publish.include.some((name) => name.endsWith("/") ? path.startsWith(name) : path === name)) {
    return undefined;
  }
  let text = readFileSync(new URL(path, top), "utf8");
  for (const [name, specifier] of Object.entries(imports)) {
    text = text.replaceAll(` from "${name}"`, ` from "${specifier}"`);
  }
  return text;
}

async function registry(): Promise<{ server: Server; host: string }> {
  const server = createServer((request, response) => {
    let text: string | undefined;
    try {
      text = published(request.url!.slice(1));
    } catch {
      // There is no such file.
    }
    if (text === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": "application/typescript" }).end(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const GRANTED: Readonly<Record<string, (root: string) => readonly string[]>> = {
  thread: () => ["--allow-ffi"],
  process: () => [`--allow-run=${process.execPath}`, "--allow-env"],
};

for (const placement of ["thread", "process"]) {
  test(`a manager's ${placement} is started from behind an address`, { skip }, async () => {
    const folder = new Folder();
    const { server, host } = await registry();
    try {
      folder.write("file.txt", "over http");
      const script = fileURLToPath(new URL("../../fixtures/placed_program.ts", import.meta.url));
      const args = [
        ...["run", "--quiet", "--no-check", "--no-prompt", "--no-lock", "--no-config"],
        ...["--allow-net=127.0.0.1", `--allow-read=${folder.path}`, `--allow-import=${host}`],
        ...GRANTED[placement]!(folder.path),
        ...[script, `http://${host}/mod.ts`, placement, folder.path],
      ];
      assertEquals(await run(args), { output: `${placement} 200 over http\n`, code: 0 });
    } finally {
      server.close();
      server.closeAllConnections();
      forget(host);
      folder.remove();
    }
  });
}

/** Take what Deno has kept of an address out of its cache. */
function forget(host: string): void {
  const { stdout } = spawnSync(process.execPath, ["info", "--json"]);
  const { modulesCache, typescriptCache } = JSON.parse(String(stdout)) as Record<string, string>;
  for (const cache of [modulesCache, typescriptCache]) {
    rmSync(join(cache!, "http", host.replace(":", "_PORT")), { recursive: true, force: true });
  }
}

/** Run this runtime to its end. */
function run(args: string[]): Promise<{ output: string; code: number | null }> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
  const timer = setTimeout(() => child.kill("SIGKILL"), 50_000);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ output, code });
    });
  });
}
