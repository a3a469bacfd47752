import type { DownloadEngine, EngineParts } from "../download/mod.ts";
import { isBun } from "../adapters/bun/runtime.ts";
import { systemWorkers } from "../adapters/shared/system_workers.ts";
import { HybridSender, SCRIPT } from "./hybrid_sender.ts";
import type { Libc } from "./libc.ts";
import { provideNoDelay } from "./listener_no_delay.ts";
import { MainSender } from "./main_sender.ts";
import { PageCache } from "./page_cache.ts";
import { KeptAnswers } from "./short_answers.ts";
import { libcOrReason } from "./supported.ts";

/** Each piece costs two messages between threads, which is worth it from so many bytes on. */
const HYBRID_QUANTUM_BYTES = 1024 * 1024;

/** Options of {@linkcode sendfileEngine}. */
export interface SendfileEngineOptions {
  /**
   * Where files are sent: in the thread of the desk (`main`), or long ones in a thread of their own
   * (`hybrid`), which needs --allow-read for this package in Deno.
   *
   * @default {"hybrid", where a thread can be started}
   */
  readonly mode?: "main" | "hybrid";
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
export function sendfileEngine({ mode }: SendfileEngineOptions = {}): DownloadEngine {
  if (mode !== undefined && mode !== "main" && mode !== "hybrid") {
    throw new TypeError(`Cannot use mode "${mode}": expected "main" or "hybrid"`);
  }
  const libc = libcOrReason();
  if (typeof libc === "string") return { name: "copy", reason: libc };
  if (!isBun()) provideNoDelay(libc);
  const refusal = mode === "main" ? undefined : systemWorkers.check(SCRIPT);
  const isHybrid = mode !== "main" && refusal === undefined;
  return {
    name: "sendfile",
    mode: isHybrid ? "hybrid" : "main",
    ...(refusal === undefined ? {} : { reason: refusal.message }),
    start: () => startParts(libc, isHybrid),
  };
}

function startParts(libc: Libc, isHybrid: boolean): EngineParts {
  const cache = new PageCache(libc);
  const short = new KeptAnswers(libc, cache);
  const here = new MainSender(libc, cache);
  if (!isHybrid) return { sender: here, short, close: () => short.close() };
  const sender = new HybridSender(libc, here);
  return {
    sender,
    short,
    quantumBytes: HYBRID_QUANTUM_BYTES,
    close() {
      sender.close();
      short.close();
    },
  };
}
