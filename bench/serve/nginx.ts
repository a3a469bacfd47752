import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { familyOf } from "./process_facts.ts";
import { ended, type ServerProcess, spawnWithDescriptors } from "./server_process.ts";

/** What nginx is told. */
export interface NginxOptions {
  /** The folder that it serves. */
  readonly root: string;
  /** For each connection. @default {none} */
  readonly bytesPerSecond?: number;
  /** Keep open files and what is known of them for 20 s. @default {false} */
  readonly openFileCache?: boolean;
  /** Serve TLS 1.3 instead, without sendfile; files in PEM. @default {none} */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Start nginx with sendfile and one worker; `undefined` when it is not installed. */
export async function startNginx(options: NginxOptions): Promise<ServerProcess | undefined> {
  const { stderr, error } = spawnSync("nginx", ["-v"], { encoding: "utf8" });
  if (error !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "jackfield-nginx-"));
  const port = await freePort();
  writeFileSync(join(folder, "nginx.conf"), configuration(port, options));
  // It does not look at its standard input: the shell does, so that it ends with the bench.
  const untilInputEnds = '"$@" & cat > /dev/null; kill $!; wait $!';
  const words = ["nginx", "-p", folder, "-c", "nginx.conf", "-e", "stderr"];
  const child = spawnWithDescriptors(["sh", "-c", untilInputEnds, "sh", ...words], "inherit");
  const end = async (): Promise<void> => {
    await ended(child, () => child.stdin!.end());
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilItListens(port);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    port,
    version: stderr.trim().replace(/^.*nginx\//, "nginx "),
    pids: () => familyOf(Number(readFileSync(join(folder, "nginx.pid"), "utf8"))),
    facts: () => Promise.resolve(undefined),
    end,
  };
}

function configuration(
  port: number,
  { root, bytesPerSecond, openFileCache = false, tls }: NginxOptions,
): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${name};`).join(" ");
  const rate = bytesPerSecond === undefined ? "" : `limit_rate ${Math.floor(bytesPerSecond)};`;
  const cache = openFileCache
    ? "open_file_cache max=1000 inactive=20s; open_file_cache_valid 20s;"
    : "";
  const secure = tls === undefined
    ? ""
    : `ssl_certificate "${tls.cert}"; ssl_certificate_key "${tls.key}"; ssl_protocols TLSv1.3;`;
  const user = process.getuid?.() === 0 ? "user root;" : ""; // The folder may be root's alone.
  return `
daemon off; worker_processes 1; pid nginx.pid; error_log stderr error; ${user}
events { worker_connections 16000; }
http {
  sendfile ${tls === undefined ? "on" : "off"}; tcp_nopush on; access_log off;
  keepalive_requests 1000000; ${temporary} ${rate} ${cache} ${secure}
  server { listen 127.0.0.1:${port} backlog=4096 ${
    tls === undefined ? "" : "ssl"
  }; root "${root}"; }
}
`;
}

/** nginx cannot be asked which port the kernel chose. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function untilItListens(port: number): Promise<void> {
  for (let times = 0; times < 100; times++) {
    const stands = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      }).once("error", () => resolve(false));
    });
    if (stands) return;
    await sleep(50);
  }
  throw new Error("Cannot start nginx: it does not listen");
}
