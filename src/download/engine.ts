import type { FileFacts, OpenFile, Socket } from "../transport/mod.ts";
import type { DownloadServer } from "./download_server.ts";
import type { ServeDownloadsOptions } from "./serve_options.ts";

/** What became of a piece of a file that was to be sent. */
export type PieceEnd =
  /** The kernel has taken all of it. */
  | "sent"
  /** The kernel takes no more now, or the file has ended. */
  | "full"
  /** The next bytes are not in memory: to send them would mean to wait for the disk. */
  | "cold";

/** A piece of a file, and where it goes. */
export interface FilePiece {
  /** Nobody else writes to it meanwhile. */
  readonly socket: Socket;
  /** What goes before it, such as the head of an answer; it counts among the bytes that were sent. */
  readonly before: Uint8Array | undefined;
  /** Stays open meanwhile. */
  readonly file: OpenFile;
  /** Where in the file it begins. */
  readonly offset: number;
  /** How long it is, in bytes; at least 1. */
  readonly length: number;
}

/** Is told once how many bytes of a piece the kernel has taken, and why no more. */
export type PieceTold = (sentBytes: number, end: PieceEnd, failure?: unknown) => void;

/** A shorter way from files to sockets than to read and to write. */
export interface FileSender {
  /**
   * Send a piece without ever waiting for the socket or for the disk; `told` may be called within
   * this call. `false` when this socket or file cannot go this way: nothing was sent then.
   */
  send(piece: FilePiece, told: PieceTold): boolean;
  /** Whether a part of a file can be read without waiting for the disk. */
  isWarm(file: OpenFile, offset: number, length: number): boolean;
  /** How many bytes may be sent in one turn of the event loop before others must have theirs. */
  readonly turnBytes: number;
  /** Call back when the events that wait have had their turn. */
  afterEvents(resume: () => void): void;
}

/** What an engine brings for one desk. */
export interface EngineParts {
  /** Sends what is in memory. @default {nobody: it is read and written} */
  readonly sender?: FileSender;
  /** Answers again what was answered before. @default {the desk's own, out of memory} */
  readonly short?: ShortAnswers;
  /** Bytes of a turn of the scheduler. @default {the scheduler's} */
  readonly quantumBytes?: number;
  /** How it works now, where that may change. @default {as the engine has said} */
  report?(): Pick<EngineReport, "mode" | "reason">;
  /** Give everything back. Nothing is being sent any more. */
  close(): void;
}

/** An answer that may be given again as long as its file is what it was. */
export interface ShortAnswer {
  /** The target of the request. */
  readonly target: string;
  /** The head, with its field Date. */
  readonly head: Uint8Array;
  /** Where in the head the date begins. */
  readonly dateOffset: number;
  /** What follows it, whole. */
  readonly file: OpenFile;
  /** What is known of the file, and went into the head. */
  readonly facts: FileFacts;
  /** The path that leads to it. */
  readonly path: string;
  /** Endings of neighbours that would be sent in its place; it must have none. */
  readonly endings: readonly string[];
}

/** The answers of small files that were given before, and may be given again. */
export interface ShortAnswers {
  /** How many files it holds open at most; may be lowered. Left out where it holds none. */
  maxKept?: number;
  /** The longest file whose answer is kept, in bytes. */
  readonly maxBytes: number;
  /** Remember an answer, if it can be known later whether it is still right. */
  learn(answer: ShortAnswer): void;
  /** Forget the answer to a target. */
  forget(target: string): void;
  /**
   * Send the answer again, if it is still right, its file no longer than `mostBytes`, and nobody has
   * to wait for it; `undefined` when the long way must be gone: nothing was sent then.
   */
  send(
    socket: Socket,
    target: string,
    nowMs: number,
    mostBytes: number,
  ): ShortResult | undefined | Promise<ShortResult | undefined>;
}

/** What was sent of a short answer. */
export interface ShortResult {
  /** How long its body is. */
  readonly bodyBytes: number;
  /** What the kernel has not taken: to be written next. */
  readonly rest: Uint8Array | undefined;
}

/** Which engine works, and how it came to it. */
export interface EngineReport {
  /** `copy` reads and writes; `sendfile` lets the kernel move the bytes. */
  readonly name: "copy" | "sendfile";
  /**
   * Where `sendfile` is called: in the thread of the desk, for long files in one of its own, or in one
   * that accepts and reads requests, too.
   */
  readonly mode?: "main" | "hybrid" | "accept";
  /** Why it is not what was asked for. */
  readonly reason?: string;
}

/**
 * How downloads are sent. A value: each desk begins its own.
 *
 * Whatever the engine, the scheduler decides whose turn it is and how many bytes it allows, and the
 * desk what becomes of a download.
 */
export interface DownloadEngine extends EngineReport {
  /** Begin to work for a desk; left out for the engine that reads and writes. */
  readonly start?: () => EngineParts;
  /**
   * Serve in another thread, which listens by itself; or why that cannot be with these options: they
   * are served here then. Left out for engines that do not.
   */
  readonly serve?: (options: ServeDownloadsOptions) => Promise<DownloadServer> | string;
}

/**
 * The engine that reads files and writes to sockets, in every runtime, with TLS, and without
 * permissions beyond those.
 *
 * @example
 * ```ts
 * import { copyEngine } from "@jackfield/jackfield/core";
 *
 * if (copyEngine().name !== "copy") throw new Error("unexpected");
 * ```
 */
export function copyEngine(): DownloadEngine {
  return { name: "copy" };
}
