import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** An nginx of our own: one port as fast as it can, one with a limit for each connection. */
export interface Nginx {
  /** The folder that it serves. */
  readonly root: string;
  /** The URL of a file there. */
  url(name: string, isLimited: boolean): string;
  /** When the first request began that came since the last call, in milliseconds since 1970. */
  firstRequestMs(): Promise<number>;
  /** End it. */
  stop(): Promise<void>;
}

/** Start it in a folder; `rate` is nginx's word for the limit, such as `2m`. */
export async function startNginx(folder: string, rate: string): Promise<Nginx> {
  const root = join(folder, "www");
  const log = join(folder, "access.log");
  mkdirSync(root, { recursive: true });
  const [open, limited] = [await freePort(), await freePort()];
  writeFileSync(log, "");
  writeFileSync(
    join(folder, "nginx.conf"),
    `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 512; }
http {
  log_format begin '$msec $request_time';
  access_log ${log} begin;
  sendfile on; tcp_nopush on; keepalive_requests 100000;
  root ${root};
  server { listen 127.0.0.1:${open}; }
  server { listen 127.0.0.1:${limited}; limit_rate ${rate}; }
}
`,
  );
  const child = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], {
    stdio: "ignore",
  });
  await listening(open, child);
  let seen = 0;
  return {
    root,
    url: (name, isLimited) => `http://127.0.0.1:${isLimited ? limited : open}/${name}`,
    async firstRequestMs() {
      await sleep(50); // A request is logged when it ends.
      const lines = readFileSync(log, "utf8").trimEnd().split("\n");
      const starts = lines.slice(seen).filter((line) => line !== "").map((line) => {
        const [endedS, tookS] = line.split(" ").map(Number) as [number, number];
        return (endedS - tookS) * 1000;
      });
      seen = lines.length;
      return Math.min(...starts);
    },
    stop() {
      child.kill("SIGTERM");
      return new Promise((resolve) => {
        if (child.exitCode !== null) resolve();
        else child.once("close", () => resolve());
      });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) throw new Error("Cannot measure: nginx ended at once");
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isThere) return;
    await sleep(50);
  }
  throw new Error("Cannot measure: nginx does not listen");
}
