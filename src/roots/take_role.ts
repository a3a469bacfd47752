import process from "node:process";
import * as threads from "node:worker_threads";
import { startDesk } from "./start_desk.ts";
import { startSending } from "./start_sending.ts";
import { startServing } from "./start_serving.ts";

/** What each role does, by the name of its script. */
const ROLES: Readonly<Record<string, () => void>> = {
  download_desk: startDesk,
  send_files: startSending,
  serve_files: startServing,
};

/**
 * Take the role for which this thread or process was started: for programs that are compiled into a
 * single file, in which there is no script to start. Call it first, and do nothing else when it says
 * `true`: the program is a part of the one that has started it then.
 *
 * A process runs the compiled program again by itself. For a thread, say so with
 * `workerUrl: import.meta.url`, where the manager or its engine is made.
 *
 * @example
 * ```ts
 * import { takeRole } from "@jackfield/jackfield";
 *
 * async function main(): Promise<void> {
 *   // const server = await serveDownloads({ root: "./files", placement: "process" });
 * }
 * if (!takeRole()) await main();
 * ```
 */
export function takeRole(): boolean {
  const role = roleOfThread() ?? roleOfProcess();
  const run = role === undefined ? undefined : ROLES[role];
  run?.();
  return run !== undefined;
}

/** The name that a thread was given; it stands in the global scope, in Bun beside it. */
function roleOfThread(): string | undefined {
  const { name, WorkerGlobalScope } = globalThis as {
    readonly name?: string;
    readonly WorkerGlobalScope?: unknown;
  };
  // Deno takes the web's workers for main threads here.
  if (threads.isMainThread && WorkerGlobalScope === undefined) return undefined;
  return name ?? (threads as { readonly threadName?: string }).threadName;
}

/** A compiled program is given the path of the script that it was to run as its first argument. */
function roleOfProcess(): string | undefined {
  if (process.send === undefined) return undefined;
  const path = process.argv.slice(1, 3).find((word) => SCRIPT.test(word));
  return SCRIPT.exec(path ?? "")?.[1];
}

const SCRIPT = /[\\/]roots[\\/]([a-z_]+)\.[jt]s$/;
