import { type ChildProcess, spawn } from "node:child_process";
import { permissionDenied } from "../../transport/mod.ts";

/** How a program ended. */
export interface Ended {
  /** 0 when it did what it was asked for. */
  readonly code: number;
  /** What it printed. */
  readonly stdout: string;
  /** What it complained about. */
  readonly stderr: string;
}

/** No program of ours takes that long; one that hangs must not hang us. */
const LIMIT_MS = 10_000;

/** A child of `Deno.Command`. */
interface DenoChild {
  readonly stdin: WritableStream<Uint8Array>;
  output(): Promise<{ code: number; stdout: Uint8Array; stderr: Uint8Array }>;
  kill(signal: "SIGKILL"): void;
}

/** The part of Deno that starts programs; `node:child_process` wants the whole environment there. */
interface DenoLike {
  readonly Command: new (command: string, options: {
    readonly args: readonly string[];
    readonly stdin: "piped" | "null";
    readonly stdout: "piped";
    readonly stderr: "piped";
  }) => { spawn(): DenoChild };
  readonly permissions: {
    querySync(permission: { readonly name: "run"; readonly command: string }): {
      readonly state: string;
    };
  };
}

const deno = (globalThis as unknown as { readonly Deno?: DenoLike }).Deno;

/** Whether the runtime permits to start a program; it is never asked at a terminal. */
export function mayRun(command: string): boolean {
  return deno === undefined || deno.permissions.querySync({ name: "run", command }).state ===
      "granted";
}

/**
 * Throw where the runtime does not permit to start a program.
 *
 * @throws {JackfieldError} `PERMISSION_DENIED`, with the flag to run with.
 */
export function needRun(command: string, operation: string, words: string): void {
  if (!mayRun(command)) throw permissionDenied(operation, `--allow-run=${command}`, { words });
}

/**
 * Run a program to its end, with a text on its standard input.
 *
 * Rejects with the runtime's own error where it cannot be started, or hangs.
 */
export function runProgram(
  command: string,
  args: readonly string[],
  input?: string,
): Promise<Ended> {
  return deno === undefined
    ? runChild(command, args, input)
    : runInDeno(deno, command, args, input);
}

function runChild(command: string, args: readonly string[], input?: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const stdio = [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] as const;
    const child: ChildProcess = spawn(command, args, { stdio: [...stdio] });
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    const printed = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]!.setEncoding("utf8").on("data", (text: string) => printed[name] += text);
    }
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      if (code === null) reject(new Error(`${command} was ended by a signal`));
      else resolve({ code, ...printed });
    });
    child.stdin?.on("error", () => {}); // It has ended before it read everything: `close` tells.
    child.stdin?.end(input);
  });
}

async function runInDeno(
  { Command }: DenoLike,
  command: string,
  args: readonly string[],
  input?: string,
): Promise<Ended> {
  const stdin = input === undefined ? "null" : "piped";
  const child = new Command(command, { args, stdin, stdout: "piped", stderr: "piped" }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  try {
    const ended = child.output();
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      // It may have ended before it read everything: its exit code tells.
      await writer.write(new TextEncoder().encode(input)).catch(() => {});
      await writer.close().catch(() => {});
    }
    const { code, stdout, stderr } = await ended;
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    clearTimeout(timer);
  }
}
