// The command lines of the clients: each leaves the whole file behind and resolves to its path.
import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { denoCommand } from "../support/tools.ts";
import { downloadWithChromium } from "./chromium.ts";

/** What a client is given. */
export interface Job {
  /** The file's URL. */
  readonly url: string;
  /** The file itself, for the clients that go on with a part of it. */
  readonly original: string;
  /** Its length. */
  readonly size: number;
  /** Where to put things. */
  readonly folder: string;
}

/** One way of fetching the file. */
export interface Client {
  /** What stands in the table. */
  readonly name: string;
  /** The Debian package that it needs, and the program in it. */
  readonly needs?: { readonly program: string; readonly package: string };
  /** Fetch; resolves to the file that was written. */
  fetch(job: Job): Promise<string>;
}

const LIMIT_MS = 60_000;

/** Run a program; rejects with the end of its output when it fails. */
export function run(command: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on(
        "data",
        (text: string) => output = (output + text).slice(-4000),
      );
    }
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command[0]} exited with ${code}: ${output.slice(-300)}`));
    });
  });
}

/** Which programs of these clients are missing. */
export function missingPackages(clients: readonly Client[]): string[] {
  const missing = clients.filter(({ needs }) =>
    needs !== undefined && spawnSync(needs.program, ["--version"]).error !== undefined
  );
  return [...new Set(missing.map(({ needs }) => needs!.package))];
}

const curl = { program: "curl", package: "curl" };
const wget = { program: "wget", package: "wget" };

/** A file that holds the first part of the original. */
function firstPart(job: Job, name: string): string {
  const path = join(job.folder, name);
  copyFileSync(job.original, path);
  truncateSync(path, Math.floor(job.size / 3));
  return path;
}

/** Every client. */
export const CLIENTS: readonly Client[] = [
  {
    name: "curl",
    needs: curl,
    async fetch({ url, folder }) {
      await run(["curl", "-sSf", "-o", "curl.bin", url], folder);
      return join(folder, "curl.bin");
    },
  },
  {
    name: "curl -r, four ranges",
    needs: curl,
    async fetch({ url, folder, size }) {
      const quarter = Math.ceil(size / 4);
      const parts = [0, 1, 2, 3].map((part) => `range${part}.bin`);
      await Promise.all(parts.map((name, part) => {
        const range = `${part * quarter}-${Math.min((part + 1) * quarter, size) - 1}`;
        return run(["curl", "-sSf", "-r", range, "-o", name, url], folder);
      }));
      const whole = join(folder, "ranges.bin");
      writeFileSync(whole, "");
      for (const name of parts) {
        writeFileSync(whole, readFileSync(join(folder, name)), { flag: "a" });
      }
      return whole;
    },
  },
  {
    name: "curl -C -, goes on",
    needs: curl,
    async fetch(job) {
      const path = firstPart(job, "continued.bin");
      await run(["curl", "-sSf", "-C", "-", "-o", path, job.url], job.folder);
      return path;
    },
  },
  {
    name: "curl -I, then all",
    needs: curl,
    async fetch({ url, folder, size }) {
      const head = await run(["curl", "-sSf", "-I", url], folder);
      const length = /^content-length: (\d+)/im.exec(head)?.[1];
      if (Number(length) !== size) throw new Error(`HEAD said ${length} bytes, expected ${size}`);
      if (!/^accept-ranges: bytes/im.test(head)) throw new Error("HEAD did not offer ranges");
      await run(["curl", "-sSf", "-o", "head.bin", url], folder);
      return join(folder, "head.bin");
    },
  },
  {
    name: "wget -c, goes on",
    needs: wget,
    async fetch(job) {
      const path = firstPart(job, "wget.bin");
      await run(["wget", "-q", "-c", "-O", path, job.url], job.folder);
      return path;
    },
  },
  {
    name: "aria2c -x8",
    needs: { program: "aria2c", package: "aria2" },
    async fetch({ url, folder }) {
      const flags = ["-q", "-x8", "-s8", "-k1M", "--file-allocation=none", "-o", "aria2.bin"];
      await run(["aria2c", ...flags, url], folder);
      return join(folder, "aria2.bin");
    },
  },
  {
    name: "chromium",
    needs: { program: "chromium", package: "chromium" },
    fetch: ({ url, folder }) => downloadWithChromium(url, folder),
  },
  {
    name: "jackfield get, 2 addresses",
    async fetch({ url, folder }) {
      const program = new URL("../../src/cli/mod.ts", import.meta.url).href;
      const flags = ["-o", "jackfield.bin", "--sockets", "4", "--addresses", "127.0.0.2,127.0.0.3"];
      const output = await run(
        [...denoCommand(), "run", "-A", program, "get", url, ...flags],
        folder,
      );
      if (!output.includes("127.0.0.3")) throw new Error("the second address was not used");
      return join(folder, "jackfield.bin");
    },
  },
];
