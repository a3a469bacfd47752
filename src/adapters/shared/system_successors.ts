import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { StartedSuccessor, SuccessorOptions, Successors } from "../../transport/mod.ts";
import { ChildOwner, forkScript, missingForProcess } from "./system_processes.ts";

/** Tells a process that it is a successor, and of which process: that one's children are none. */
export const SUCCESSOR_VARIABLE = "JACKFIELD_SUCCESSOR";

/**
 * Successors in child processes, by `fork` of `node:child_process`: the program's own script with the
 * program's own arguments.
 *
 * In Deno it needs --allow-run (for Deno itself) and --allow-env here, and the successor has all
 * permissions.
 */
export const systemSuccessors: Successors = {
  start({ script, args = process.argv.slice(2) } = {}) {
    const refusal = systemSuccessors.check();
    if (refusal !== undefined) throw refusal;
    return new ChildSuccessor(
      forkScript(scriptOf(script), args, { [SUCCESSOR_VARIABLE]: `${process.pid}` }),
    );
  },
  check: () => missingForProcess("start a successor"),
};

const { Deno } = globalThis as unknown as { readonly Deno?: { readonly mainModule: string } };

function scriptOf(script: SuccessorOptions["script"]): string {
  // In Deno the argument is no path when the program came over http(s).
  const wanted = String(script ?? Deno?.mainModule ?? process.argv[1]);
  // Deno takes an address as it is; the others take a path.
  return Deno === undefined && wanted.startsWith("file:") ? fileURLToPath(wanted) : wanted;
}

class ChildSuccessor extends ChildOwner implements StartedSuccessor {
  readonly pid: number;
  #child: ChildProcess;

  constructor(child: ChildProcess) {
    super(child);
    this.#child = child;
    this.pid = child.pid ?? 0;
  }

  leave(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.unref();
  }
}
