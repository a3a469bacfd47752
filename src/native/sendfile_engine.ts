import type { DownloadEngine, EngineParts, ServeDownloadsOptions } from "../download/mod.ts";
import { isBun } from "../adapters/bun/runtime.ts";
import { systemWorkers } from "../adapters/shared/system_workers.ts";
import type { StartOptions } from "../transport/mod.ts";
import { SERVE_SCRIPT, serveInThread } from "./accepting_server.ts";
import { HybridSender } from "./hybrid_sender.ts";
import type { Libc } from "./libc.ts";
import { provideNoDelay } from "./listener_no_delay.ts";
import { MainSender } from "./main_sender.ts";
import { PageCache } from "./page_cache.ts";
import { SCRIPT } from "./sending_thread.ts";
import { KeptAnswers } from "./short_answers.ts";
import { libcOrReason } from "./supported.ts";

/** Each piece costs two messages between threads, which is worth it from so many bytes on. */
const HYBRID_QUANTUM_BYTES = 1024 * 1024;

const MODES: readonly string[] = ["main", "hybrid", "accept"];
/** Transports that a thread has, too. */
const RUNTIMES: readonly string[] = ["deno", "bun"];
/** What travels to a thread as it is. */
const PLAIN: readonly string[] = ["string", "number", "boolean", "undefined"];

/** Options of {@linkcode sendfileEngine}. */
export interface SendfileEngineOptions {
  /**
   * Where files are sent: in the thread of the desk (`main`), or long ones in a thread of their own
   * (`hybrid`), or all of it in a thread that listens, accepts and reads requests by itself, and has
   * another one for long files (`accept`): for a server with plain options, without hooks and TLS,
   * whose downloads cannot be seen from here. A thread needs --allow-read for this package in Deno.
   *
   * @default {"hybrid", where a thread can be started}
   */
  readonly mode?: "main" | "hybrid" | "accept";
  /**
   * The script of the engine's thread, for programs that were bundled into files of their own, or
   * compiled into one that calls `takeRole`.
   *
   * @default {the package's `src/roots/send_files.ts` or `serve_files.ts`, wherever it lies}
   */
  readonly workerUrl?: string | URL;
}

/**
 * The engine that lets the kernel move files to sockets, by sendfile(2) through the foreign
 * functions of Deno (--allow-ffi) and Bun, on Linux.
 *
 * Where it cannot be, and for connections with TLS, it is the engine that reads and writes, and its
 * `reason` says why. It never asks for a permission. In Deno, TLS listeners that come after it switch
 * Nagle's algorithm off, which Deno itself cannot.
 *
 * @example
 * ```ts
 * import { sendfileEngine } from "@jackfield/jackfield/native";
 *
 * const { name, reason } = sendfileEngine();
 * if (name === "copy" && reason === undefined) throw new Error("unexpected");
 * ```
 */
export function sendfileEngine(
  { mode, workerUrl: url }: SendfileEngineOptions = {},
): DownloadEngine {
  if (mode !== undefined && !MODES.includes(mode)) {
    throw new TypeError(`Cannot use mode "${mode}": expected "main", "hybrid" or "accept"`);
  }
  const libc = libcOrReason();
  if (typeof libc === "string") return { name: "copy", reason: libc };
  if (!isBun()) provideNoDelay(libc);
  if (mode === "accept") return acceptingEngine(libc, { url });
  const refusal = mode === "main" ? undefined : systemWorkers.check(SCRIPT, { url });
  const isHybrid = mode !== "main" && refusal === undefined;
  return {
    name: "sendfile",
    mode: isHybrid ? "hybrid" : "main",
    ...(refusal === undefined ? {} : { reason: refusal.message }),
    start: () => startParts(libc, isHybrid ? { url } : undefined),
  };
}

/** A manager that has no server around it sends in its own thread. */
function acceptingEngine(libc: Libc, thread: StartOptions): DownloadEngine {
  const refusal = systemWorkers.check(SERVE_SCRIPT, thread);
  return {
    name: "sendfile",
    mode: "main",
    reason: refusal?.message ?? "a manager without a server does not accept",
    start: () => startParts(libc),
    serve: (options) => refusal?.message ?? whyNotPlain(options) ?? serveInThread(options, thread),
  };
}

/** Why a server with such options cannot work in a thread; `undefined` when it can. */
function whyNotPlain(options: ServeDownloadsOptions): string | undefined {
  const { transport, placement = "inline", upgradable, engine: _, onError: __, ...rest } = options;
  if (!RUNTIMES.includes(transport.name)) return "the thread has the sockets of the system only";
  if (placement !== "inline") return `the placement is ${String(placement)}`;
  if (upgradable) return "what is in a thread cannot be handed over";
  if ((rest.maxGenerations ?? 1) > 1) return "a thread starts no other processes";
  const own = Object.entries(rest).find(([, value]) => !PLAIN.includes(typeof value));
  return own && `a thread is given plain options, and ${own[0]} is none`;
}

/** Without a thread, the desk's own thread sends. */
function startParts(libc: Libc, thread?: StartOptions): EngineParts {
  const cache = new PageCache(libc);
  const short = new KeptAnswers(libc, cache);
  const here = new MainSender(libc, cache);
  if (thread === undefined) return { sender: here, short, close: () => short.close() };
  const sender = new HybridSender(libc, here, thread);
  return {
    sender,
    short,
    quantumBytes: HYBRID_QUANTUM_BYTES,
    report: () => sender.report,
    close() {
      sender.close();
      short.close();
    },
  };
}
