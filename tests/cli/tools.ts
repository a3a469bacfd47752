// Runs the command line: in this process, or as a child of the runtime that runs the tests.
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { main } from "../../src/cli/mod.ts";
import { runtime } from "../harness.ts";
import { eventually } from "../transport/tools.ts";

/** The top of the checkout. */
export const TOP: string = fileURLToPath(new URL("../../", import.meta.url));

const CLI = fileURLToPath(new URL("../../src/cli/mod.ts", import.meta.url));

/** What a run has printed, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The arguments with which the current runtime starts a program of ours. */
function runtimeArguments(): string[] {
  if (runtime === "deno") return ["run", "--no-check", "-A"];
  // Node 22 says once for each program that stripping types is new.
  return runtime === "node" ? ["--disable-warning=ExperimentalWarning"] : [];
}

/** The command that runs the command line with these words in a process of its own. */
export function commandOf(words: readonly string[]): [command: string, ...rest: string[]] {
  return [process.execPath, ...runtimeArguments(), CLI, ...words];
}

/** A child that runs the command line. */
export class Child {
  /** What it printed so far. */
  stdout = "";
  /** What it complained about so far. */
  stderr = "";
  /** How it ended. */
  readonly ended: Promise<Ended>;
  #process: ChildProcess;

  /** Start it with these words; `program` is a compiled one. */
  constructor(words: readonly string[], program?: string) {
    const [command, ...rest] = program === undefined ? commandOf(words) : [program, ...words];
    this.#process = spawn(command, rest, {
      cwd: TOP,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
    });
    for (const name of ["stdout", "stderr"] as const) {
      this.#process[name]!.setEncoding("utf8").on("data", (text: string) => this[name] += text);
    }
    this.ended = new Promise((resolve, reject) => {
      this.#process.once("error", reject);
      this.#process.once("close", (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Send it a signal. */
  signal(name: "SIGINT" | "SIGTERM" | "SIGUSR2"): void {
    // In Deno a child that was told by `kill` to end has no exit code, whatever it ends with.
    process.kill(this.#process.pid!, name);
  }

  /** Read what it prints no more, as `head` does. */
  stopReading(): void {
    this.#process.stdout!.destroy();
    this.#process.stderr!.destroy();
  }

  /** Wait until standard output matches; resolves to the match. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null;
    const holds = () => (match = pattern.exec(this.stdout)) !== null;
    await eventually(holds, () => `${pattern}: ${this.stdout}${this.stderr}`, 20_000);
    return match!;
  }

  /** End it, whatever it does. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.ended.catch(() => {});
  }
}

/** Run with children, none of which outlives the run. */
export async function withChildren(
  run: (start: (...words: string[]) => Child) => Promise<void>,
): Promise<void> {
  const children: Child[] = [];
  try {
    await run((...words) => {
      const child = new Child(words);
      children.push(child);
      return child;
    });
  } finally {
    await Promise.all(children.map((child) => child.kill()));
  }
}

/** Start a server in a child; resolves to its URL, with a slash at the end. */
export async function startServer(child: Child): Promise<string> {
  const [, url] = await child.prints(/ at (https?:\S+\/)\n/);
  return url!;
}

/** Run in this process, and catch what is printed. */
export async function runMain(...words: string[]): Promise<Ended> {
  const printed = { stdout: "", stderr: "" };
  const names = ["stdout", "stderr"] as const;
  const originals = names.map((name) => process[name].write);
  for (const [at, name] of names.entries()) {
    // Our program prints text; a test runner may print its reports, as bytes, at the same time.
    const write = (chunk: unknown, ...rest: unknown[]) => {
      if (typeof chunk === "string") {
        printed[name] += chunk;
        return true;
      }
      return Reflect.apply(originals[at]!, process[name], [chunk, ...rest]);
    };
    process[name].write = write as typeof process.stdout.write;
  }
  try {
    return { code: await main(words), ...printed };
  } finally {
    for (const [at, name] of names.entries()) process[name].write = originals[at]!;
  }
}
