import { spawn } from "node:child_process";
import process from "node:process";
import { bunCommand, denoCommand, nodeCommand } from "../../tests/support/tools.ts";

/** A runtime that is measured. */
export type Runtime = "deno" | "bun" | "node";

/** All of them. */
export const RUNTIMES: readonly Runtime[] = ["deno", "bun", "node"];

/** Run a file in a runtime with one JSON argument, and read the JSON of its last line. */
export async function runChild<T>(
  runtime: Runtime,
  file: string,
  argument: unknown,
  limitMs: number,
): Promise<T> {
  const command = [...commandOf(runtime), file, JSON.stringify(argument)];
  const lines = (await run(command, limitMs)).trim().split("\n");
  return JSON.parse(lines.at(-1)!) as T;
}

function commandOf(runtime: Runtime): string[] {
  if (runtime === "deno") return [...denoCommand(), "run", "-A", "--no-check"];
  return runtime === "bun" ? bunCommand() : nodeCommand();
}

function run(command: readonly string[], limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const windows = process.platform === "win32";
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ["ignore", "pipe", "inherit"],
      detached: !windows, // A group of its own, so that npx's child ends with it.
      env: { ...process.env, NO_COLOR: "1", npm_config_loglevel: "error" },
    });
    const kill = (): void => {
      try {
        if (windows) child.kill("SIGKILL");
        else process.kill(-child.pid!, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    const interrupted = (): never => {
      kill();
      process.exit(130);
    };
    process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill();
    }, limitMs);
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
    const end = (fault: string | undefined): void => {
      clearTimeout(timer);
      process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
      if (fault === undefined) resolve(output);
      else reject(new Error(`Cannot measure with "${command[0]}": ${fault}`));
    };
    child.on("error", (error) => end(error.message));
    child.on("close", (code) => {
      if (late) end(`no end within ${limitMs} ms`);
      else end(code === 0 ? undefined : `it ended with status ${code}\n${output}`);
    });
  });
}
