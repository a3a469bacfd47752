import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** What one run took. */
export interface Taken {
  /** From the start of the process to its end, in seconds. */
  readonly wallS: number;
  /** When it ended, in milliseconds since 1970. */
  readonly endedMs: number;
  /** Processor time of the process and its children, in seconds. */
  readonly cpuS: number;
}

/** Run a command to its end, and see what it took (time(1)). */
export async function measure(
  command: readonly string[],
  folder: string,
  limitMs: number,
): Promise<Taken> {
  const report = join(folder, "time.txt");
  const startedMs = Date.now();
  await new Promise<void>((resolve, reject) => {
    const child = spawn("/usr/bin/time", ["-f", "%U %S", "-o", report, ...command], {
      stdio: ["ignore", "ignore", "inherit"],
      cwd: folder,
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(new Error(`Cannot measure "${command.join(" ")}": it ended with ${code}`));
    });
  });
  const endedMs = Date.now();
  const [user, system] = readFileSync(report, "utf8").trim().split(" ").map(Number);
  rmSync(report);
  return { wallS: (endedMs - startedMs) / 1000, endedMs, cpuS: user! + system! };
}
