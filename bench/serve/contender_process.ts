import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import process from "node:process";
import { familyOf } from "./process_facts.ts";

/** How long a server may take to listen: npx may have to fetch a runtime. */
const START_MS = 60_000;
/** How long it may take to end. */
const END_MS = 1000;

/** A server of the comparison, in a process of its own. */
export interface Contender {
  /** Where it is. */
  readonly port: number;
  /** What it has printed so far; nginx prints nothing. */
  readonly said?: readonly string[];
  /** Its process and all below it. */
  pids(): number[];
  /** End it, and whatever it has started. */
  end(): Promise<void>;
}

/**
 * Start a server; `portOf` finds its port in a line of its output.
 *
 * It runs below a shell that leads a group of its own, reads a pipe of ours, and ends the group when
 * that pipe ends: with the bench, however that ends.
 */
export async function startContender(
  words: readonly string[],
  portOf: (line: string) => number | undefined,
): Promise<Contender> {
  // A full kill comes a little later, also for whoever waits for its connections to end.
  const script = 'ulimit -n "$(ulimit -Hn)"; "$@" < /dev/null & echo "pid $!"; cat > /dev/null; ' +
    `trap : TERM; kill 0; sleep ${END_MS / 1000}; kill -KILL 0`;
  const child = spawn("sh", ["-c", script, "sh", ...words], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
    env: { ...process.env, NO_COLOR: "1", npm_config_loglevel: "error" },
  });
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  child.once("close", () => resolve());
  const end = async (): Promise<void> => {
    child.stdin!.end();
    await closed;
  };
  try {
    const said: string[] = [];
    const { pid, port } = await readStart(child, said, portOf);
    return { port, said, pids: () => familyOf(pid), end };
  } catch (error) {
    await end();
    throw new Error(`Cannot start ${words.join(" ")}: ${(error as Error).message}`);
  }
}

/** The port in a line of JSON, as our own programs say it. */
export function portInJson(line: string): number | undefined {
  return line.startsWith("{") ? (JSON.parse(line) as { readonly port?: number }).port : undefined;
}

/** The port in the URL that a line shows. */
export function portInUrl(line: string): number | undefined {
  const port = /https?:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
  return port === undefined ? undefined : Number(port);
}

function readStart(
  child: ChildProcess,
  said: string[],
  portOf: (line: string) => number | undefined,
): Promise<{ readonly pid: number; readonly port: number }> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("it does not listen")), START_MS);
    let pid = 0;
    createInterface({ input: child.stdout! }).on("line", (line) => {
      pid ||= Number(/^pid (\d+)$/.exec(line)?.[1] ?? 0);
      said.push(line);
      const port = portOf(line);
      if (port === undefined) return;
      clearTimeout(late);
      resolve({ pid, port });
    });
    child.once("close", () => {
      clearTimeout(late);
      reject(new Error("it ended"));
    });
  });
}
