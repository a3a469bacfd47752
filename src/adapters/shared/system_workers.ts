import { fileURLToPath } from "node:url";
import { Worker as NodeWorker } from "node:worker_threads";
import {
  type JackfieldError,
  type OwnerEnd,
  type Owners,
  type StartedOwner,
  type StartOptions,
  unsupported,
} from "../../transport/mod.ts";
import { missing } from "./granted.ts";
import { scriptUrl } from "./script_url.ts";
import { type ThreadEnd, ThreadLink } from "./thread_link.ts";

/** The Worker of Deno and Bun; Bun's has more. */
interface WebWorker {
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  terminate(): void;
  ref?(): void;
  unref?(): void;
  addEventListener(type: "message", told: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", told: (event: { code?: number }) => void): void;
  addEventListener(
    type: "error",
    told: (event: { message: string; error?: unknown; preventDefault(): void }) => void,
  ): void;
}

interface Globals {
  readonly Deno?: unknown;
  readonly Bun?: unknown;
  readonly Worker: new (url: string, options: { type: "module"; name: string }) => WebWorker;
}

const globals = globalThis as unknown as Globals;
const inDeno = globals.Deno !== undefined;
const isWeb = inDeno || globals.Bun !== undefined;

/**
 * Scripts in threads: by the global `Worker` in Deno and Bun, by `node:worker_threads` in Node.
 *
 * A thread in Deno needs --allow-read for its script and what that imports, which is the folder of this
 * package (or --allow-import where it was loaded from an address). It has the permissions of who
 * starts it. It keeps the program running until it ends: Deno has no other way.
 */
export const systemWorkers: Owners = {
  start(script, options = {}) {
    const refusal = refusalOf(script, options);
    if (refusal !== undefined) throw refusal;
    const url = scriptUrl(script, options.url);
    return new ThreadOwner(isWeb ? webThread(url, script) : nodeThread(url, script));
  },
  check: (script, options = {}) => refusalOf(script, options),
};

function refusalOf(script: string, options: StartOptions): JackfieldError | undefined {
  const url = scriptUrl(script, options.url);
  if (!isWeb && url.protocol !== "file:") {
    return unsupported("workers", `this runtime starts none from ${url.protocol}`);
  }
  const words = `start "${script}" as a thread`;
  if (url.protocol === "file:") {
    // A thread reads whatever its script imports, which for our own is this package.
    const folder = options.url === undefined ? new URL("../../", import.meta.url) : url;
    return missing({ name: "read", path: fileURLToPath(folder) }, "start", words);
  }
  const isRemote = url.protocol === "http:" || url.protocol === "https:";
  return isRemote ? missing({ name: "import", host: url.host }, "start", words) : undefined;
}

/** What differs between the two kinds of worker. */
interface Thread {
  readonly end: ThreadEnd;
  /** Say how it ends; the first one counts. */
  onEnd(told: (end: OwnerEnd) => void): void;
  /** Whether `onEnd` is told of `stop` too. */
  readonly tellsStop: boolean;
  stop(): void;
  ref(): void;
  unref(): void;
}

class ThreadOwner extends ThreadLink implements StartedOwner {
  // Deno 2.9.6: `terminate` leaves a busy thread running, seconds later too.
  readonly mayHoldOn: boolean = inDeno;
  #thread: Thread;
  #settle: (end: OwnerEnd) => void;
  #state: { terminated: boolean };

  constructor(thread: Thread) {
    const { promise, resolve } = Promise.withResolvers<OwnerEnd>();
    const state = { terminated: false };
    const settle = (end: OwnerEnd) =>
      resolve(state.terminated ? { ...end, reason: "terminated" } : end);
    super(thread.end, promise, (exitCode) => {
      settle({ reason: exitCode ? "failed" : "exited", ...codeOf(exitCode) });
      thread.stop();
    });
    this.#thread = thread;
    this.#settle = settle;
    this.#state = state;
    thread.onEnd(settle);
  }

  terminate(): Promise<OwnerEnd> {
    this.#state.terminated = true;
    this.#thread.stop();
    if (!this.#thread.tellsStop) this.#settle({ reason: "terminated" });
    return this.ended;
  }

  ref(): void {
    this.#thread.ref();
  }

  unref(): void {
    this.#thread.unref();
  }
}

function webThread(url: URL, name: string): Thread {
  const worker = new globals.Worker(url.href, { type: "module", name });
  return {
    end: {
      postMessage: (message, transfer) => worker.postMessage(message, transfer),
      listen: (receive) => worker.addEventListener("message", ({ data }) => receive(data)),
    },
    onEnd(told) {
      worker.addEventListener("error", (event) => {
        event.preventDefault(); // It is told by `ended`; Deno would end the program.
        told({ reason: "failed", error: event.error ?? new Error(event.message) });
        worker.terminate(); // Bun goes on after an error.
      });
      worker.addEventListener("close", ({ code }) => {
        told({ reason: code ? "failed" : "exited", ...codeOf(code) });
      });
    },
    tellsStop: !inDeno,
    stop: () => worker.terminate(),
    ref: () => worker.ref?.(),
    unref: () => worker.unref?.(),
  };
}

function nodeThread(url: URL, name: string): Thread {
  const worker = new NodeWorker(url, { name });
  return {
    end: {
      postMessage: (message, transfer) => worker.postMessage(message, transfer),
      listen: (receive) => worker.on("message", receive),
    },
    onEnd(told) {
      worker.on("error", (error) => told({ reason: "failed", error }));
      worker.on("exit", (code) => told({ reason: code ? "failed" : "exited", ...codeOf(code) }));
    },
    tellsStop: true,
    stop: () => void worker.terminate(),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
  };
}

function codeOf(exitCode: number | undefined): { readonly exitCode?: number } {
  return exitCode === undefined ? {} : { exitCode };
}
