import type { ByteScheduler, Deadlines, ScheduledFlow } from "../queue/mod.ts";
import { type Clock, JackfieldError } from "../transport/mod.ts";
import { Buffers, bufferSizeWithin } from "./buffers.ts";
import type { ManagedDownload } from "./download.ts";

type Flow = ScheduledFlow<ManagedDownload>;

/** So many reads of files are under way at once. */
const MAX_READS = 64;
/** All downloads share so many bytes of buffers, but each may have the least one. */
const SHARED_BYTES = 32 * 1024 * 1024;
/** A download begins with at most so much at a time, */
const FIRST_BYTES = 64 * 1024;
/** and has this when it has sent more than kernels hold, and there is room for so many of them. */
const GREATEST_BYTES = 256 * 1024;
const PROVEN_BYTES = 8 * 1024 * 1024;
/** What waits for a socket that is full: little, for it may wait for long. */
const WAITING_BYTES = 512;

/** Who is told what becomes of downloads. */
export interface EngineEvents {
  /** The kernel has taken so many bytes. */
  progress(download: ManagedDownload, bytes: number): void;
  /** The kernel has everything. */
  completed(download: ManagedDownload): void;
  /** It cannot be sent to its end. */
  failed(download: ManagedDownload, error: unknown): void;
}

/**
 * Sends downloads by reading their files and writing to their sockets, a piece at a time.
 *
 * A turn of the scheduler pays for one piece. It ends when the piece has been read, and the flow is
 * parked until the kernel has taken it, so that a slow reader holds up nobody. When the kernel took
 * only a part, its buffer is full: then the next bytes to be offered are few, for they may wait for as
 * long as the client likes, and 8,000 such clients should cost a few megabytes.
 */
export class CopyEngine {
  #flows: ByteScheduler<ManagedDownload>;
  #events: EngineEvents;
  #clock: Clock;
  #deadlines: Deadlines;
  #stallTimeoutMs: number;
  #buffers = new Buffers();
  #reads = 0;
  #woken = false;
  #isSending = false;
  #takeTurns: () => void = () => {
    this.#woken = false;
    this.#sendAll();
  };

  /** Sends what these flows let it send; somebody must call `wake` when they are ready. */
  constructor(
    flows: ByteScheduler<ManagedDownload>,
    events: EngineEvents,
    options: {
      readonly clock: Clock;
      readonly deadlines: Deadlines;
      readonly stallTimeoutMs: number;
    },
  ) {
    this.#flows = flows;
    this.#events = events;
    this.#clock = options.clock;
    this.#deadlines = options.deadlines;
    this.#stallTimeoutMs = options.stallTimeoutMs;
  }

  /** There may be something to send. */
  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    queueMicrotask(this.#takeTurns);
  }

  #sendAll(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#reads < MAX_READS) {
      const turn = this.#flows.next(this.#clock.now());
      if (turn === undefined) break;
      void this.#sendPiece(turn.flow, turn.bytes);
    }
    this.#isSending = false;
  }

  async #sendPiece(flow: Flow, grantedBytes: number): Promise<void> {
    const download = flow.value;
    const missing = this.#missing(download);
    const wanted = Math.min(
      grantedBytes - download.aheadBytes,
      missing,
      this.#pieceBytes(download),
    );
    if (wanted <= 0) { // It only pays for what was sent before.
      download.aheadBytes -= grantedBytes;
      return this.#flows.sent(flow, grantedBytes);
    }
    const buffer = this.#buffers.take(wanted);
    this.#reads++;
    let count = 0;
    let failure: unknown;
    try {
      count = await this.#read(download, buffer, wanted);
    } catch (error) {
      failure = error;
    }
    this.#reads--;
    this.#flows.park(flow);
    this.#pay(flow, count, grantedBytes);
    if (this.#reads === MAX_READS - 1) this.wake();
    if (failure !== undefined) this.#events.failed(download, failure);
    if (count > 0 && download.state === "sending") await this.#write(flow, buffer, count);
    this.#buffers.giveBack(buffer);
  }

  /** The turn ends: what it did not allow, the next ones do; what it allowed too much stays saved. */
  #pay(flow: Flow, count: number, grantedBytes: number): void {
    const download = flow.value;
    const dueBytes = count + download.aheadBytes;
    const paidBytes = Math.max(0, Math.min(dueBytes, grantedBytes));
    download.aheadBytes = dueBytes - paidBytes;
    this.#flows.sent(flow, paidBytes);
  }

  /** Write a piece that was paid for; its flow is parked until then. */
  async #write(flow: Flow, buffer: Uint8Array, count: number): Promise<void> {
    const download = flow.value;
    try {
      const taken = await this.#offer(download, buffer.subarray(0, count));
      if (download.state !== "sending") return;
      download.aheadBytes -= count - taken;
      if (this.#missing(download) === 0) return this.#events.completed(download);
      if (taken < count) await this.#waitForRoom(download);
      if (download.state === "sending") this.#flows.writable(flow);
    } catch (error) {
      this.#events.failed(download, error);
    }
  }

  /** The socket is full: offer it a few bytes, and see when it takes them. */
  async #waitForRoom(download: ManagedDownload): Promise<void> {
    const wanted = Math.min(WAITING_BYTES, this.#missing(download));
    // Not one of the buffers: it may wait for minutes, and those are greater.
    const bytes = new Uint8Array(wanted);
    const count = await this.#read(download, bytes, wanted);
    if (download.state !== "sending") return;
    download.aheadBytes += await this.#offer(download, bytes.subarray(0, count));
    if (this.#missing(download) === 0) this.#events.completed(download);
  }

  async #read(download: ManagedDownload, buffer: Uint8Array, wanted: number): Promise<number> {
    const { output, position } = download;
    const count = await output!.read(buffer.subarray(0, wanted), position);
    const isLast = position + count === output!.length;
    if (count === 0 || (isLast && !await output!.isUnchanged())) throw changed(download);
    return count;
  }

  async #offer(download: ManagedDownload, bytes: Uint8Array): Promise<number> {
    this.#deadlines.add(download, this.#stallTimeoutMs);
    const taken = await download.socket.writeSome(bytes);
    this.#deadlines.remove(download);
    download.position += taken;
    this.#events.progress(download, taken);
    return taken;
  }

  #missing({ output, position }: ManagedDownload): number {
    return output!.length - position;
  }

  /** How much is read at a time: what could wait for slow readers must not be much in all. */
  #pieceBytes({ position }: ManagedDownload): number {
    if (position >= PROVEN_BYTES && this.#buffers.lentBytes <= 2 * SHARED_BYTES) {
      return GREATEST_BYTES;
    }
    const share = SHARED_BYTES / Math.max(1, this.#flows.activeCount);
    return Math.min(FIRST_BYTES, bufferSizeWithin(share));
  }
}

function changed({ request, position }: ManagedDownload): JackfieldError {
  const message = `Cannot send "${request.target}": the file changed before byte ${position}`;
  return new JackfieldError("FILE_CHANGED", message, { operation: "read" });
}
