// Real clients against a manager in its own thread, in another thread, and in a process, in Deno, Bun
// and Node: every copy must have the file's SHA-256, and the kernel must know one connection only
// while a client downloads, however often the socket changes hands. It installs nothing.
//
//   deno run -A tests/clients/placements.ts
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bunCommand, denoCommand, nodeCommand } from "../support/tools.ts";
import { run } from "./commands.ts";

const SIZE = 64 * 2 ** 20;
const PROGRAM = fileURLToPath(new URL("placed_server.ts", import.meta.url));
/** Each fetches a URL with one connection, into `file.bin` of the current folder. */
const CLIENTS: Readonly<Record<string, (url: string) => string[]>> = {
  curl: (url) => ["curl", "-sSf", "-o", "file.bin", url],
  wget: (url) => ["wget", "-q", "-O", "file.bin", url],
  aria2c: (url) => ["aria2c", "-q", "-x1", "-o", "file.bin", url],
};
const SERVERS: Readonly<Record<string, { command: readonly string[]; placements: string[] }>> = {
  Deno: {
    command: [...denoCommand(), "run", "-A", "--no-check"],
    placements: ["inline", "thread", "process"],
  },
  Bun: { command: bunCommand(), placements: ["inline", "thread", "process"] },
  Node: { command: nodeCommand(), placements: ["inline", "process"] },
};

interface Server {
  readonly url: string;
  readonly port: number;
  end(): Promise<void>;
}

/** Start a server and wait for the URL that it prints. */
function startServer(command: readonly string[], folder: string, placement: string) {
  const child = spawn(command[0]!, [...command.slice(1), PROGRAM, folder, placement], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true, // npx starts a child of its own: the group is ended together
  });
  return new Promise<Server>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("server did not start in 60 s")), 60_000);
    let output = "";
    child.on("error", reject);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const url = new RegExp(`^${placement} at (http:\\S+)`).exec(output)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve({ url, port: Number(new URL(url).port), end: () => endGroup(child) });
    });
  });
}

function endGroup(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("close", () => resolve());
    process.kill(-child.pid!, "SIGTERM");
  });
}

/** Which clients' ports are connected to a port now. */
function clientPorts(port: number): string[] {
  const { stdout } = spawnSync("ss", ["-Htn", "state", "established", `( dport = :${port} )`]);
  return String(stdout).split("\n").filter((line) => line !== "").map((line) =>
    /:(\d+)\s/.exec(line)![1]!
  );
}

/** How many ports a client has used until it ended. */
async function watch(port: number, fetching: Promise<unknown>): Promise<number> {
  const seen = new Set<string>();
  const timer = setInterval(() => clientPorts(port).forEach((one) => seen.add(one)), 30);
  try {
    await fetching;
    return seen.size;
  } finally {
    clearInterval(timer);
  }
}

const missing = Object.keys(CLIENTS).filter((name) =>
  spawnSync(name, ["--version"]).error !== undefined
);
if (missing.length > 0) {
  console.log(`Missing: ${missing.join(", ")} (Debian packages curl, wget, aria2)`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "jackfield-placements-"));
let [passed, failed] = [0, 0];
try {
  const original = join(folder, "file.bin");
  const bytes = randomFillSync(new Uint8Array(SIZE));
  writeFileSync(original, bytes);
  const digestOf = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
  const expected = digestOf(bytes);
  for (const [name, { command, placements }] of Object.entries(SERVERS)) {
    for (const placement of placements) {
      const server = await startServer(command, folder, placement);
      try {
        for (const [client, commandFor] of Object.entries(CLIENTS)) {
          const work = mkdtempSync(join(folder, "work-"));
          let verdict: string;
          try {
            const ports = await watch(server.port, run(commandFor(`${server.url}file.bin`), work));
            const equal = digestOf(readFileSync(join(work, "file.bin"))) === expected;
            verdict = `${equal ? "equal" : "DIFFERENT"}, ${ports} connection`;
          } catch (error) {
            verdict = `FAILED: ${(error as Error).message}`;
          }
          if (verdict === "equal, 1 connection") passed++;
          else failed++;
          console.log(
            `${name.padEnd(5)} ${placement.padEnd(8)} ${client.padEnd(7)} ${verdict}`,
          );
          rmSync(work, { recursive: true, force: true });
        }
      } finally {
        await server.end();
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
