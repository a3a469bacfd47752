import type { FilePiece, FileSender, PieceTold } from "../download/mod.ts";
import type { OpenFile, StartedOwner } from "../transport/mod.ts";
import { lendDescriptor, type LentDescriptor } from "../adapters/shared/system_file.ts";
import { systemWorkers } from "../adapters/shared/system_workers.ts";
import { EAGAIN } from "./layouts.ts";
import type { Libc } from "./libc.ts";
import { failureOf, type MainSender } from "./main_sender.ts";
import { COLD, JobGiver, type JobResult, MAX_JOBS, newRing, NO_DESCRIPTOR } from "./send_ring.ts";
import { duplicateOf } from "./socket_descriptor.ts";

/** The script of the thread, in `src/roots/`. */
export const SCRIPT = "send_files";

/** Its last job has this slot. */
const LAST_SLOT = MAX_JOBS - 1;

/** A shorter piece is the end of a file: two messages between threads cost more than to send it. */
const LEAST_BYTES = 1024 * 1024;
/** So much is sent here between other events; what comes then, the thread has. */
const TURN_BYTES = 2 * 1024 * 1024;

/** A piece that the thread has. */
interface Lent {
  readonly piece: FilePiece;
  readonly told: PieceTold;
  /** A duplicate: the socket may end at any moment, and its number be given to another one. */
  readonly to: number;
  readonly file: LentDescriptor;
}

/**
 * Lets one thread call sendfile(2), so that this one has its time for requests.
 *
 * The thread only does what it is told, a piece at a time and in order: whose turn it is, and for how
 * many bytes, has been decided here. Until it is there, and if it should end, files are sent here.
 */
export class HybridSender implements FileSender {
  #libc: Libc;
  #here: MainSender;
  #jobs: JobGiver;
  #thread: StartedOwner;
  #isReady = false;
  #isClosed = false;
  /** What was given to be sent here since other events had their turn. */
  #hereBytes = 0;
  #endTurn: () => void = () => {
    this.#hereBytes = 0;
  };
  #free: number[] = Array.from({ length: LAST_SLOT }, (_, slot) => slot);
  #lent: (Lent | undefined)[] = new Array(MAX_JOBS).fill(undefined);

  /** Starts the thread. */
  constructor(libc: Libc, here: MainSender) {
    this.#libc = libc;
    this.#here = here;
    const words = newRing();
    this.#jobs = new JobGiver(words, (slot, result) => this.#done(slot, result));
    this.#thread = systemWorkers.start(SCRIPT);
    this.#thread.receive({ message: () => this.#isReady = !this.#isClosed });
    this.#thread.post(words);
    this.#thread.unref();
    void this.#thread.ended.then(({ error }) => this.#ended(error));
  }

  get turnBytes(): number {
    return this.#isReady ? Infinity : this.#here.turnBytes;
  }

  send(piece: FilePiece, told: PieceTold): boolean {
    if (this.#isReady && this.#isShort(piece.length)) return this.#here.send(piece, told);
    const slot = this.#isReady ? this.#free.pop() : undefined;
    if (slot === undefined) return this.#here.send(piece, told);
    const file = lendDescriptor(piece.file);
    const to = file === undefined ? NO_DESCRIPTOR : duplicateOf(this.#libc, piece.socket);
    if (file === undefined || to < 0) {
      file?.giveBack();
      this.#free.push(slot);
      return false;
    }
    const { socket, before, offset, length } = piece;
    if (before !== undefined && !this.#here.sendBefore(socket, to, before, told)) {
      file.giveBack();
      this.#libc.close(to);
      this.#free.push(slot);
      return true;
    }
    this.#lent[slot] = { piece, told, to, file };
    this.#jobs.give(slot, { to, from: file.descriptor, offset, length });
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
    if (this.#isClosed) return;
    this.#isClosed = true;
    const job = { to: NO_DESCRIPTOR, from: NO_DESCRIPTOR, offset: 0, length: 0 };
    this.#jobs.give(LAST_SLOT, job);
    this.#isReady = false;
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

  /** Whether a piece is better sent here. */
  #isShort(length: number): boolean {
    if (length >= LEAST_BYTES || this.#hereBytes + length > TURN_BYTES) return false;
    if (this.#hereBytes === 0) this.#here.afterEvents(this.#endTurn);
    this.#hereBytes += length;
    return true;
  }

  /** Nobody knows how far the pieces have come that it had. */
  #ended(error: unknown): void {
    this.#isReady = false;
    this.#jobs.take();
    for (const [slot, lent] of this.#lent.entries()) {
      if (lent === undefined) continue;
      const { piece, told } = this.#giveBack(slot);
      told(0, "full", error ?? failureOf(piece.socket, 0));
    }
  }

  #giveBack(slot: number): Lent {
    const lent = this.#lent[slot]!;
    this.#lent[slot] = undefined;
    this.#libc.close(lent.to);
    lent.file.giveBack();
    return lent;
  }
}
