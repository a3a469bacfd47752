// Network namespaces of our own (network_namespaces(7)): each is held by a process that sleeps, so
// that nothing is left of it when the tests end, however they end.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime } from "../harness.ts";

const ROOT = process.platform !== "win32" && process.getuid?.() === 0;

/** The words that start a program in new namespaces. */
const ANEW = ROOT ? ["unshare", "-n"] : ["unshare", "-U", "-r", "-n"];

/** Why the tests of a folder are left out here, or `false`. */
export const noNamespaces: string | false = whatIsMissing();

function whatIsMissing(): string | false {
  if (process.platform !== "linux") return "needs Linux";
  const script =
    "ip link add near type veth peer name far && ip rule add from 10.0.0.1 lookup 100 && ss -t";
  const { status } = spawnSync(ANEW[0]!, [...ANEW.slice(1), "sh", "-c", script]);
  return status !== 0 && "needs ip(8), ss(8), and root or user namespaces";
}

/** A network namespace. */
export class Namespace {
  #holder: ChildProcess;
  #children: ChildProcess[] = [];

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
  }

  /** Make one; `beside` is another of the same test. */
  static async create(beside?: Namespace): Promise<Namespace> {
    const words = beside === undefined ? ANEW : [...beside.#enter(), "unshare", "-n"];
    const script = "ip link set lo up && echo ready && exec sleep 120";
    const holder = spawn(words[0]!, [...words.slice(1), "sh", "-c", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve, reject) => {
      holder.stdout!.once("data", () => resolve());
      holder.once("close", (code) => reject(new Error(`no namespace: ended with ${code}`)));
    });
    return new Namespace(holder);
  }

  /** Run a line of the shell; gives what it prints. */
  run(line: string): string {
    const [command, ...args] = [...this.#enter(), "sh", "-c", line];
    const { status, stdout, stderr } = spawnSync(command!, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${line}: ended with ${status}: ${stderr}`);
    return stdout;
  }

  /** Join this one and another by a cable, whose ends have these names. */
  connect(end: string, other: Namespace, otherEnd: string): void {
    this.run(`ip link add ${end} type veth peer name ${otherEnd} netns ${other.#holder.pid}`);
    this.run(`ip link set ${end} up`);
    other.run(`ip link set ${otherEnd} up`);
  }

  /** Start a script in the runtime that runs the tests, in Deno with these permissions. */
  start(
    script: string,
    args: readonly string[] = [],
    permissions: readonly string[] = ["--allow-all"],
  ): Child {
    const flags = {
      deno: ["run", "--quiet", "--no-check", "--no-prompt", ...permissions],
      bun: [],
      node: ["--disable-warning=ExperimentalWarning"], // Once for each program that types are new.
    }[runtime];
    const path = fileURLToPath(new URL(script, import.meta.url));
    const [command, ...words] = [...this.#enter(), process.execPath, ...flags, path, ...args];
    const child = spawn(command!, words, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
    });
    this.#children.push(child);
    return new Child(child);
  }

  /** End it, and what was started in it. */
  async remove(): Promise<void> {
    await Promise.all(this.#children.map(end));
    await kill(this.#holder);
  }

  #enter(): string[] {
    const user = ROOT ? [] : ["-U", "--preserve-credentials"];
    return ["nsenter", "-t", String(this.#holder.pid), ...user, "-n"];
  }
}

/** End a process at once. */
function kill(child: ChildProcess): Promise<void> | void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  return new Promise((resolve) => {
    child.once("close", () => resolve());
    child.stdin?.destroy();
    child.kill("SIGKILL");
  });
}

/** Let a script end by itself, if it does so soon. */
async function end(child: ChildProcess): Promise<void> {
  const late = setTimeout(() => child.kill("SIGKILL"), 2000);
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise<void>((resolve) => {
      child.once("close", () => resolve());
      child.stdin!.end();
    });
  }
  clearTimeout(late);
}

/** A script that runs in a namespace: it is told words line by line, and answers in lines of JSON. */
export class Child {
  #process: ChildProcess;
  #lines: string[] = [];
  #failure = "";
  #ended = false;
  #look: () => void = () => {};

  /** Of a process with three pipes. */
  constructor(child: ChildProcess) {
    this.#process = child;
    let rest = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.#lines.push(...lines);
      this.#look();
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => this.#failure += text);
    child.once("close", () => {
      this.#ended = true;
      this.#look();
    });
  }

  /** Its next line. */
  async answer<T>(): Promise<T> {
    while (this.#lines.length === 0) {
      if (this.#ended) throw new Error(`the child ended: ${this.#failure}`);
      await new Promise<void>((resolve) => this.#look = resolve);
    }
    return JSON.parse(this.#lines.shift()!);
  }

  /** Tell it to do something, and wait for its answer. */
  async ask<T>(question: unknown): Promise<T> {
    this.#process.stdin!.write(`${JSON.stringify(question)}\n`);
    return await this.answer<T>();
  }

  /** End it at once, without a chance to clean up. */
  async kill(): Promise<void> {
    await kill(this.#process);
  }
}

/** Run with namespaces, of which nothing is left. */
export async function withNamespaces(
  run: (create: () => Promise<Namespace>) => Promise<void>,
): Promise<void> {
  const all: Namespace[] = [];
  try {
    await run(async () => {
      const made = await Namespace.create(all[0]);
      all.push(made);
      return made;
    });
  } finally {
    await Promise.all(all.map((namespace) => namespace.remove()));
  }
}

/** Wait until something holds. */
export async function until(holds: () => boolean, limitMs: number, what: string): Promise<number> {
  const start = performance.now();
  while (!holds()) {
    if (performance.now() - start > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return performance.now() - start;
}
