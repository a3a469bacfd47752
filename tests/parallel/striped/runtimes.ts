// The two ends of a transfer, each in a process and a runtime of its own.
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bunCommand, denoCommand, nodeCommand } from "../../support/tools.ts";
import type { Outcome, Transfer } from "./transfer.ts";

/** A runtime that a child runs in. */
export type Runtime = "deno" | "bun" | "node";

/** Send from one runtime to another; the receiver's outcome and the sender's. */
export async function transferBetween(
  from: Runtime,
  to: Runtime,
  transfer: Transfer,
): Promise<{ sent: Outcome; received: Outcome }> {
  const receiver = start(to, {});
  try {
    const { port } = await receiver.next() as { port: number };
    const sender = start(from, { ...transfer, port });
    try {
      const [sent, received] = await Promise.all([sender.next(), receiver.next()]);
      return { sent: sent as Outcome, received: received as Outcome };
    } finally {
      await sender.end();
    }
  } finally {
    await receiver.end();
  }
}

function start(runtime: Runtime, task: object): { next(): Promise<object>; end(): Promise<void> } {
  const script = fileURLToPath(new URL("./transfer_child.ts", import.meta.url));
  const [command, ...words] = [...commandOf(runtime), script, JSON.stringify(task)];
  const child = spawn(command!, words, {
    stdio: ["ignore", "pipe", "inherit"],
    detached: process.platform !== "win32", // A group of its own, so that npx's child ends with it.
    env: { ...process.env, NO_COLOR: "1", npm_config_loglevel: "error" },
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines: object[] = [];
  let rest = "";
  let look = (): void => {};
  let hasEnded = false;
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    lines.push(...parts.map((part) => JSON.parse(part)));
    look();
  });
  void closed.then(() => {
    hasEnded = true;
    look();
  });
  return {
    async next() {
      while (lines.length === 0) {
        if (hasEnded) throw new Error(`the ${runtime} child ended with ${child.exitCode}`);
        await new Promise<void>((resolve) => look = resolve);
      }
      return lines.shift()!;
    },
    async end() {
      kill(child);
      await closed;
    },
  };
}

function commandOf(runtime: Runtime): string[] {
  if (runtime === "deno") return [...denoCommand(), "run", "--quiet", "-A", "--no-check"];
  return runtime === "bun" ? bunCommand() : nodeCommand();
}

function kill(child: ChildProcess): void {
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid!, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
