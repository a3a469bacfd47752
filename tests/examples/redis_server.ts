// A real redis-server on loopback, for one test.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TRIES = 5;

/** The reason for leaving a test out, where there is no Redis. */
export const noRedis: string | false =
  spawnSync("redis-server", ["--version"], { stdio: "ignore" }).status === 0
    ? false
    : "redis-server is not installed (apt-get install redis-server)";

/** Run a test beside a Redis of its own, with no data in it, and end it. */
export async function withRedis(run: (port: number) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "jackfield-redis-"));
  try {
    const { server, port } = await start(folder);
    const ended = once(server, "close");
    try {
      await run(port);
    } finally {
      server.kill("SIGKILL");
      await ended;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  listener.close();
  await once(listener, "close");
  return port;
}

async function start(folder: string): Promise<{ server: ChildProcess; port: number }> {
  let output = "";
  for (let i = 0; i < TRIES; i++) {
    const port = await freePort();
    const options = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
    const server = spawn("redis-server", [...options, "--save", "", "--appendonly", "no"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ready = await new Promise<boolean>((resolve) => {
      server.stdout!.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (output.includes("Ready to accept connections")) resolve(true);
      });
      server.once("close", () => resolve(false)); // Somebody took the port meanwhile.
    });
    if (ready) return { server, port };
  }
  throw new Error(`Cannot start redis-server:\n${output}`);
}
