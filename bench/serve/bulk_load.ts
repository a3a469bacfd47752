import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What came of a load. */
export interface Load {
  /** How long it was. */
  readonly seconds: number;
  /** What was received: of bodies, and in wrk of heads, too. */
  readonly bytes: number;
  /** Whole answers. */
  readonly answers: number;
  /** How long half of the answers took at most; below 0 or no number where none came to its end. */
  readonly p50Ms: number;
  /** The same for 99 of a hundred. */
  readonly p99Ms: number;
  /** Answers and connections that failed; `load.c` ends at the first one. */
  readonly errors?: number;
}

/** Download over so many connections, as fast as the server sends; `program` is load.c, built. */
export function runBulk(
  program: string,
  port: number,
  path: string,
  connections: number,
  ms: number,
): Promise<Load> {
  const words = ["--port", port, "--path", path, "--connections", connections, "--ms", ms];
  return run([program, ...words.map(String)], ms + 30_000);
}

/** Ask again and again with wrk(1), which knows whole seconds only; `fields` are such as `A: b`. */
export function runWrk(
  url: string,
  connections: number,
  seconds: number,
  environment: Readonly<Record<string, string>> = {},
  fields: readonly string[] = [],
): Promise<Load> {
  const script = fileURLToPath(new URL("wrk_report.lua", import.meta.url));
  const headers = fields.flatMap((field) => ["-H", field]);
  const words = ["wrk", "-t1", `-c${connections}`, `-d${seconds}s`, ...headers, "-s", script, url];
  return run(words, seconds * 1000 + 30_000, environment);
}

/** Run a load to its end; the last line that it prints is its report. */
async function run(
  words: readonly string[],
  limitMs: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<Load> {
  const child = spawn(words[0]!, words.slice(1), {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  const late = setTimeout(() => child.kill("SIGKILL"), limitMs);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).finally(() => clearTimeout(late));
  if (status !== 0) throw new Error(`Cannot load with "${words.join(" ")}": status ${status}`);
  // Without a whole answer wrk has no percentiles.
  const report = output.trim().split("\n").at(-1)!.replaceAll(/-?nan/g, "-1");
  return JSON.parse(report);
}
