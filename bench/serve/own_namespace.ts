import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { denoCommand } from "../../tests/support/tools.ts";

/** What says to the program that it runs in a namespace of the bench. */
const INSIDE = "JACKFIELD_BENCH_NAMESPACE";

/** The congestion control of this run, if it is one in a namespace; `default` for the system's. */
export function congestionInside(): string | undefined {
  return process.env[INSIDE];
}

/**
 * Run a program of this folder in a network namespace of its own, under one of TCP's congestion
 * controls; `default` is what the system gives to a new namespace. Resolves to the status, 130 when a
 * signal has ended it.
 */
export function runInNamespace(
  file: string,
  args: readonly string[],
  congestion: string,
): Promise<number> {
  const setting = "/proc/sys/net/ipv4/tcp_congestion_control";
  const choose = congestion === "default" ? "" : `echo ${congestion} > ${setting} && `;
  const anew = process.getuid?.() === 0 ? ["unshare", "-n"] : ["unshare", "-U", "-r", "-n"];
  const program = fileURLToPath(new URL(file, import.meta.url));
  const words = [
    ...anew,
    "sh",
    "-c",
    `ip link set lo up && ${choose}exec "$@"`,
    "sh",
    ...denoCommand(),
    "run",
    "-A",
    "--no-check",
    program,
    ...args,
  ];
  const child = spawn(words[0]!, words.slice(1), {
    stdio: "inherit",
    // There is no network inside: npx must not ask the registry.
    env: { ...process.env, [INSIDE]: congestion, npm_config_offline: "true" },
  });
  // Ctrl-C reaches the child, too: it cleans up, and this waits for it.
  const pass = (): void => void child.kill("SIGTERM");
  process.on("SIGTERM", pass);
  const wait = (): void => {};
  process.on("SIGINT", wait);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      process.off("SIGTERM", pass).off("SIGINT", wait);
      resolve(status ?? 130);
    });
  });
}
