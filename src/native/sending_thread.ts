import type { FilePiece, PieceTold } from "../download/mod.ts";
import type { StartedOwner, StartOptions } from "../transport/mod.ts";
import type { LentDescriptor } from "../adapters/shared/system_file.ts";
import { systemWorkers } from "../adapters/shared/system_workers.ts";
import { EAGAIN } from "./layouts.ts";
import { failureOf } from "./main_sender.ts";
import type { OwnDescriptor } from "./own_descriptor.ts";
import { COLD, JobGiver, type JobResult, MAX_JOBS, newRing, NO_DESCRIPTOR } from "./send_ring.ts";

/** The script of the thread, in `src/roots/`. */
export const SCRIPT = "send_files";

/** Its last job has this slot. */
const LAST_SLOT = MAX_JOBS - 1;

/** A piece that a thread has. */
export interface LentPiece {
  readonly piece: FilePiece;
  readonly told: PieceTold;
  /** A duplicate: the socket may end at any moment, and its number be given to another one. */
  readonly to: OwnDescriptor;
  readonly file: LentDescriptor;
}

/** Is told how a thread goes. */
export interface ThreadWatcher {
  /** It takes pieces. */
  ready(): void;
  /** It has ended, and nobody had told it to. */
  ended(error: unknown): void;
}

/**
 * A thread that calls sendfile(2), seen from the one that has started it.
 *
 * `starting`, `ready` and `ended`, in this order. Whoever lends a piece is told once what became of
 * it, also when the thread ends: a piece that it had not begun is as if the socket were full, so that
 * it is sent in another way; of one that it had begun nobody knows how far it has come.
 */
export class SendingThread {
  #state: "starting" | "ready" | "ended" = "starting";
  #thread: StartedOwner;
  #jobs: JobGiver;
  #free: number[] = Array.from({ length: LAST_SLOT }, (_, slot) => slot);
  #lent: (LentPiece | undefined)[] = new Array(MAX_JOBS).fill(undefined);
  #watcher: ThreadWatcher;

  /** Starts the thread. */
  constructor(script: StartOptions, watcher: ThreadWatcher) {
    this.#watcher = watcher;
    const words = newRing();
    this.#jobs = new JobGiver(words, (slot, result) => this.#done(slot, result));
    this.#thread = systemWorkers.start(SCRIPT, script);
    this.#thread.receive({
      message: () => {
        if (this.#state !== "starting") return;
        this.#state = "ready";
        watcher.ready();
      },
    });
    this.#thread.post(words);
    this.#thread.unref();
    void this.#thread.ended.then(({ error }) => this.#ended(error));
  }

  /** Whether it takes another piece. */
  get hasRoom(): boolean {
    return this.#state === "ready" && this.#free.length > 0;
  }

  /** Whether it works. */
  get isReady(): boolean {
    return this.#state === "ready";
  }

  /** Lend it a piece; there must be room. */
  lend(lent: LentPiece): void {
    const slot = this.#free.pop()!;
    this.#lent[slot] = lent;
    const { piece: { offset, length }, to, file } = lent;
    this.#jobs.give(slot, { to: to.number, from: file.descriptor, offset, length });
  }

  /** It ends when it has done what it has. */
  close(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    const job = { to: NO_DESCRIPTOR, from: NO_DESCRIPTOR, offset: 0, length: 0 };
    this.#jobs.give(LAST_SLOT, job);
  }

  #done(slot: number, { sent, errno }: JobResult): void {
    if (slot === LAST_SLOT) return; // The thread has heard that it is to end.
    const { piece, told } = this.#giveBack(slot);
    this.#free.push(slot);
    const all = sent + (piece.before?.byteLength ?? 0);
    if (sent === piece.length) told(all, "sent");
    else if (errno === COLD) told(all, "cold");
    else if (errno === 0 || errno === EAGAIN) told(all, "full");
    else told(all, "full", failureOf(piece.socket, errno));
  }

  #ended(error: unknown): void {
    const wasClosed = this.#state === "ended";
    this.#state = "ended";
    this.#jobs.end();
    for (const [slot, lent] of this.#lent.entries()) {
      if (lent === undefined) continue;
      const isWhole = this.#jobs.withdraw(slot);
      const { piece, told } = this.#giveBack(slot);
      const before = piece.before?.byteLength ?? 0;
      if (isWhole) told(before, "full");
      else told(before, "full", error ?? failureOf(piece.socket, 0));
    }
    if (!wasClosed) this.#watcher.ended(error);
  }

  #giveBack(slot: number): LentPiece {
    const lent = this.#lent[slot]!;
    this.#lent[slot] = undefined;
    lent.to.release();
    lent.file.giveBack();
    return lent;
  }
}
