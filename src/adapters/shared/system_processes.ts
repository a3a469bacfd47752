import { type ChildProcess, fork } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  type JackfieldError,
  type OwnerEnd,
  type Owners,
  type StartedOwner,
  type StartOptions,
  unsupported,
} from "../../transport/mod.ts";
import { missing } from "./granted.ts";
import { type IpcEnd, IpcLink } from "./ipc_link.ts";
import { scriptUrl } from "./script_url.ts";

const inDeno = "Deno" in globalThis;

/**
 * Scripts in child processes, by `fork` of `node:child_process`.
 *
 * A child in Deno needs --allow-run (for Deno itself) and --allow-env here, and has all permissions.
 */
export const systemProcesses: Owners = {
  start(script, options = {}) {
    const refusal = refusalOf(script, options);
    if (refusal !== undefined) throw refusal;
    const url = scriptUrl(script, options.url);
    // Deno takes the address of the script wherever it lies; the others take a path.
    return new ChildOwner(forkScript(inDeno ? url.href : fileURLToPath(url)));
  },
  check: (script, options = {}) => refusalOf(script, options),
};

function refusalOf(script: string, options: StartOptions): JackfieldError | undefined {
  const url = scriptUrl(script, options.url);
  if (!inDeno && url.protocol !== "file:") {
    return unsupported("processes", `this runtime starts none from ${url.protocol}`);
  }
  return missingForProcess(`start "${script}" as a process`);
}

/** The error for a permission of Deno without which no process can be started. Never asks. */
export function missingForProcess(words: string): JackfieldError | undefined {
  return missing({ name: "run", command: process.execPath }, "start", words) ??
    missing({ name: "env" }, "start", words);
}

/** Run a script in a process with a channel. */
export function forkScript(
  script: string,
  args: readonly string[] = [],
  variables: Readonly<Record<string, string>> = {},
): ChildProcess {
  return fork(script, [...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, ...variables },
  });
}

/** The way to a child. */
export class ChildOwner extends IpcLink implements StartedOwner {
  #child: ChildProcess;
  #terminated: () => void;

  /** It has just been started. */
  constructor(child: ChildProcess) {
    const { promise, terminated } = endOf(child);
    super(child as IpcEnd, promise, true);
    this.#child = child;
    this.#terminated = terminated;
  }

  terminate(): Promise<OwnerEnd> {
    this.#terminated();
    this.#child.kill("SIGKILL");
    return this.ended;
  }

  ref(): void {
    this.#child.ref();
    this.#child.channel?.ref?.(); // Bun's channel goes with the child.
  }

  unref(): void {
    this.#child.unref();
    this.#child.channel?.unref?.();
  }
}

/** What a child has sent before its end comes within this time after it. */
const LATE_MS = 500;

/** Its end: when it has been reaped, and everything that it sent has come. */
function endOf(child: ChildProcess): { promise: Promise<OwnerEnd>; terminated(): void } {
  let terminated = false;
  const promise = new Promise<OwnerEnd>((resolve) => {
    let exit: Pick<OwnerEnd, "exitCode" | "signal"> | undefined;
    let connected = true;
    const settle = () => {
      if (exit === undefined || connected) return;
      const reason = terminated ? "terminated" : exit.exitCode === 0 ? "exited" : "failed";
      resolve({ reason, ...exit });
    };
    const disconnected = () => {
      connected = false;
      settle();
    };
    child.on("exit", (code, signal) => {
      exit = {
        ...(code === null ? {} : { exitCode: code }),
        ...(signal === null ? {} : { signal }),
      };
      connected &&= child.connected;
      settle();
      // Deno says nothing of the end of a channel that was written to after it.
      if (connected) setTimeout(disconnected, LATE_MS);
    });
    child.on("disconnect", disconnected);
    child.on("error", (error) => {
      if (child.pid === undefined) resolve({ reason: "failed", error });
    });
  });
  return { promise, terminated: () => terminated = true };
}
