import process from "node:process";
import { isMainThread, parentPort } from "node:worker_threads";
import type { OwnerEnd, OwnerLink } from "../../transport/mod.ts";
import { type IpcEnd, IpcLink } from "./ipc_link.ts";
import { ThreadLink } from "./thread_link.ts";

/** What a thread of Deno or Bun has in its global scope. */
interface WebScope {
  readonly Deno?: unknown;
  readonly Bun?: { readonly isMainThread: boolean };
  readonly WorkerGlobalScope?: unknown;
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  addEventListener(type: "message", told: (event: { data: unknown }) => void): void;
  addEventListener(type: "unload", told: () => void): void;
}

const scope = globalThis as unknown as WebScope;
let link: OwnerLink | undefined;

/** The link to who has started this thread or process; `undefined` where nobody has. */
export function systemParent(): OwnerLink | undefined {
  return link ??= isWebThread() ? webParent() : isNodeThread() ? nodeParent() : processParent();
}

/** Whether this is the main thread of its process. */
export function isOnMainThread(): boolean {
  return !isWebThread() && !isNodeThread();
}

function isWebThread(): boolean {
  if (scope.Bun !== undefined) return !scope.Bun.isMainThread;
  return scope.Deno !== undefined && scope.WorkerGlobalScope !== undefined;
}

function isNodeThread(): boolean {
  return scope.Bun === undefined && scope.Deno === undefined && !isMainThread;
}

/** A thread ends with its parent, and sees nothing of it. */
const NEVER: Promise<OwnerEnd> = new Promise(() => {});

function webParent(): OwnerLink {
  const parent = new ThreadLink({
    postMessage: (message, transfer) => scope.postMessage(message, transfer),
    listen: (receive) => scope.addEventListener("message", ({ data }) => receive(data)),
  }, NEVER);
  // Deno tells nobody that a thread has ended itself.
  if (scope.Deno !== undefined) scope.addEventListener("unload", () => parent.sayBye());
  return parent;
}

function nodeParent(): OwnerLink {
  return new ThreadLink({
    postMessage: (message, transfer) => parentPort!.postMessage(message, transfer),
    listen: (receive) => void parentPort!.on("message", receive),
  }, NEVER);
}

function processParent(): OwnerLink | undefined {
  if (process.send === undefined) return undefined;
  const ended = new Promise<OwnerEnd>((resolve) => {
    process.on("disconnect", () => resolve({ reason: "exited" }));
  });
  return new IpcLink(process as unknown as IpcEnd, ended, false);
}
