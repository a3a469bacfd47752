import { clearTimeout, setTimeout } from "node:timers";
import type { EngineReport, FilePiece, FileSender, PieceTold } from "../download/mod.ts";
import type { OpenFile, StartOptions } from "../transport/mod.ts";
import { lendDescriptor } from "../adapters/shared/system_file.ts";
import type { Libc } from "./libc.ts";
import type { MainSender } from "./main_sender.ts";
import { SendingThread } from "./sending_thread.ts";
import { duplicateOf } from "./socket_descriptor.ts";

/** A shorter piece is the end of a file: two messages between threads cost more than to send it. */
const LEAST_BYTES = 1024 * 1024;
/** So much is sent here between other events; what comes then, the thread has. */
const TURN_BYTES = 2 * 1024 * 1024;
/** How long after the end of a thread the next one is started. */
const AGAIN_MS = 1000;

/**
 * Lets one thread call sendfile(2), so that this one has its time for requests.
 *
 * The thread only does what it is told, a piece at a time and in order: whose turn it is, and for how
 * many bytes, has been decided here. Until it is there, files are sent here; also when it should end
 * by an error, until another one is there. One that has never worked is not started again.
 */
export class HybridSender implements FileSender {
  #libc: Libc;
  #here: MainSender;
  #script: StartOptions;
  #againMs: number;
  #thread: SendingThread;
  #again: ReturnType<typeof setTimeout> | undefined;
  #failure: string | undefined;
  /** What was given to be sent here since other events had their turn. */
  #hereBytes = 0;
  #endTurn: () => void = () => {
    this.#hereBytes = 0;
  };

  /** Starts the thread. */
  constructor(
    libc: Libc,
    here: MainSender,
    script: StartOptions = {},
    againMs: number = AGAIN_MS,
  ) {
    this.#libc = libc;
    this.#here = here;
    this.#script = script;
    this.#againMs = againMs;
    this.#thread = this.#start();
  }

  /** Where it sends long files now. */
  get report(): Pick<EngineReport, "mode" | "reason"> {
    return this.#failure === undefined
      ? { mode: "hybrid" }
      : { mode: "main", reason: this.#failure };
  }

  get turnBytes(): number {
    return this.#thread.isReady ? Infinity : this.#here.turnBytes;
  }

  send(piece: FilePiece, told: PieceTold): boolean {
    const thread = this.#thread;
    if (!thread.hasRoom || this.#isShort(piece.length)) return this.#here.send(piece, told);
    const file = lendDescriptor(piece.file);
    if (file === undefined) return false;
    const to = duplicateOf(this.#libc, piece.socket);
    if (to === undefined) {
      file.giveBack();
      return false;
    }
    const { socket, before } = piece;
    if (before === undefined || this.#here.sendBefore(socket, to.number, before, told)) {
      thread.lend({ piece, told, to, file });
    } else {
      file.giveBack();
      to.release();
    }
    return true;
  }

  isWarm(file: OpenFile, offset: number, length: number): boolean {
    return this.#here.isWarm(file, offset, length);
  }

  afterEvents(resume: () => void): void {
    this.#here.afterEvents(resume);
  }

  /** The thread ends when it has done what it has. */
  close(): void {
    clearTimeout(this.#again);
    this.#thread.close();
  }

  /** Whether a piece is better sent here. */
  #isShort(length: number): boolean {
    if (length >= LEAST_BYTES || this.#hereBytes + length > TURN_BYTES) return false;
    if (this.#hereBytes === 0) this.#here.afterEvents(this.#endTurn);
    this.#hereBytes += length;
    return true;
  }

  #start(): SendingThread {
    let wasReady = false;
    return new SendingThread(this.#script, {
      ready: () => {
        wasReady = true;
        this.#failure = undefined;
      },
      ended: (error) => {
        this.#failure = `its thread has ended${error === undefined ? "" : ` (${String(error)})`}`;
        if (!wasReady) return;
        this.#again = setTimeout(() => this.#thread = this.#start(), this.#againMs).unref();
      },
    });
  }
}
