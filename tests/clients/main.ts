// `deno task test:clients`: real clients fetch one file of 256 MiB from `jackfield serve` in Deno and
// in Bun, and every copy must have the file's SHA-256. It installs nothing.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import {
  closeSync,
  createReadStream,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bunCommand, denoCommand } from "../support/tools.ts";
import { CLIENTS, missingPackages } from "./commands.ts";

const SIZE = 256 * 2 ** 20;
const PROGRAM = fileURLToPath(new URL("../../src/cli/mod.ts", import.meta.url));

const SERVERS: Readonly<Record<string, readonly string[]>> = {
  Deno: [...denoCommand(), "run", "--allow-net", "--allow-read", PROGRAM],
  Bun: [...bunCommand(), PROGRAM],
};

function makeFile(path: string): void {
  const file = openSync(path, "w");
  const block = new Uint8Array(2 ** 20);
  for (let written = 0; written < SIZE; written += block.byteLength) {
    writeSync(file, randomFillSync(block));
  }
  closeSync(file);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
  return hash.digest("hex");
}

interface Server {
  readonly url: string;
  end(): Promise<void>;
}

/** Start `jackfield serve` and wait for the URL that it prints. */
function startServer(command: readonly string[], folder: string): Promise<Server> {
  const child = spawn(command[0]!, [...command.slice(1), "serve", folder, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true, // npx starts a child of its own: the group is ended together
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("server did not start in 60 s")), 60_000);
    let output = "";
    child.on("error", reject);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const url = /at (http:\S+)/.exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve({ url, end: () => endGroup(child) });
    });
  });
}

function endGroup(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("close", () => resolve());
    process.kill(-child.pid!, "SIGTERM");
  });
}

const missing = missingPackages(CLIENTS);
if (missing.length > 0) {
  console.log(`Missing Debian packages: ${missing.join(" ")}`);
  console.log(`Install them with: apt-get install ${missing.join(" ")}`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "jackfield-clients-"));
let passed = 0;
let failed = 0;
try {
  const original = join(folder, "file.bin");
  makeFile(original);
  const expected = await sha256(original);
  console.log(`256 MiB, SHA-256 ${expected}`);
  for (const [name, command] of Object.entries(SERVERS)) {
    const server = await startServer(command, folder);
    try {
      for (const client of CLIENTS) {
        const work = mkdtempSync(join(folder, "work-"));
        const job = { url: `${server.url}file.bin`, original, size: SIZE, folder: work };
        const start = performance.now();
        let verdict: string;
        try {
          const path = await client.fetch(job);
          const equal = statSync(path).size === SIZE && await sha256(path) === expected;
          verdict = equal ? "equal" : "DIFFERENT";
        } catch (error) {
          verdict = `FAILED: ${(error as Error).message}`;
        }
        if (verdict === "equal") passed++;
        else failed++;
        const seconds = ((performance.now() - start) / 1000).toFixed(2).padStart(6);
        console.log(`${name.padEnd(5)} ${client.name.padEnd(27)} ${seconds} s  ${verdict}`);
        rmSync(work, { recursive: true, force: true });
      }
    } finally {
      await server.end();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
