import type { ByteScheduler, Deadlines, ScheduledFlow } from "../queue/mod.ts";
import { type Clock, JackfieldError } from "../transport/mod.ts";
import { Buffers } from "./buffers.ts";
import type { ManagedDownload } from "./download.ts";

type Flow = ScheduledFlow<ManagedDownload>;

/** So many reads of files are under way at once. */
const MAX_READS = 64;
/** A download is sent in pieces of so many bytes, of fewer when more than that is lent, */
const PIECES = [
  { pieceBytes: 4 * 1024, lentBytes: 32 * 1024 * 1024 },
  { pieceBytes: 16 * 1024, lentBytes: 16 * 1024 * 1024 },
  { pieceBytes: 64 * 1024, lentBytes: 0 },
] as const;
/** and of so many when it has sent more than kernels hold, unless too much is lent already. */
const GREATEST_BYTES = 256 * 1024;
const PROVEN_BYTES = 8 * 1024 * 1024;
const MOST_LENT_BYTES = 64 * 1024 * 1024;
/** What is offered to a socket that may be full: little, for it may wait for as long as it likes. */
const PROBE_BYTES = 512;
/** With so much lent, or after a write that took so long, a socket may be full. */
const UNPROBED_BYTES = 4 * 1024 * 1024;
const SLOW_MS = 20;

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
 * parked until the kernel has taken it, so that a slow reader holds up nobody. What a full socket is
 * offered waits there, in some runtimes with its buffer, for as long as the client likes: so a socket
 * that may be full is offered few bytes first. A kernel that takes these takes a whole piece behind
 * them. Who waits holds no suspended function: 8,000 slow clients should cost what they hold, and
 * little more.
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
      this.#sendPiece(turn.flow, turn.bytes);
    }
    this.#isSending = false;
  }

  #sendPiece(flow: Flow, grantedBytes: number): void {
    const download = flow.value;
    const missing = download.output!.length - download.position;
    const payable = grantedBytes - download.aheadBytes;
    const wanted = Math.min(payable, missing, this.#pieceBytes(download));
    if (wanted <= 0) { // It only pays for what was sent before.
      download.aheadBytes -= grantedBytes;
      return this.#flows.sent(flow, grantedBytes);
    }
    const buffer = this.#buffers.take(wanted);
    this.#reads++;
    const haveRead = (count: number, failure?: unknown): void => {
      this.#reads--;
      if (this.#reads === MAX_READS - 1) this.wake();
      this.#flows.park(flow);
      this.#pay(flow, count, grantedBytes);
      if (failure !== undefined) this.#events.failed(download, failure);
      if (count > 0 && download.state === "sending") this.#offer(flow, buffer, count);
      else this.#buffers.giveBack(buffer);
    };
    this.#read(download, buffer, wanted).then(haveRead, (error) => haveRead(0, error));
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
  #offer(flow: Flow, buffer: Uint8Array<ArrayBuffer>, count: number): void {
    const download = flow.value;
    const beganMs = this.#clock.now();
    const ended = (): void => {
      this.#buffers.giveBack(buffer);
      this.#deadlines.remove(download);
    };
    this.#deadlines.add(download, this.#stallTimeoutMs);
    download.socket.writeSome(buffer.subarray(0, count)).then((taken) => {
      ended();
      download.position += taken;
      download.aheadBytes -= count - taken;
      download.isSlow = taken < count || this.#clock.now() - beganMs > SLOW_MS;
      this.#events.progress(download, taken);
      if (download.state !== "sending") return;
      if (download.position === download.output!.length) this.#events.completed(download);
      else this.#flows.writable(flow);
    }, (error) => {
      ended();
      this.#events.failed(download, error);
    });
  }

  async #read(download: ManagedDownload, buffer: Uint8Array, wanted: number): Promise<number> {
    const { output, position } = download;
    const count = await output!.read(buffer.subarray(0, wanted), position);
    const isLast = position + count === output!.length;
    if (count === 0 || (isLast && !await output!.isUnchanged())) throw changed(download);
    return count;
  }

  /** How much to offer next; a probe goes before each piece that might have to wait. */
  #pieceBytes(download: ManagedDownload): number {
    const { lentBytes } = this.#buffers;
    if (!download.hasRoom && (download.isSlow || lentBytes > UNPROBED_BYTES)) {
      download.hasRoom = true; // When its turn comes again, the probe has been taken.
      return PROBE_BYTES;
    }
    download.hasRoom = false;
    const isProven = download.position >= PROVEN_BYTES && lentBytes <= MOST_LENT_BYTES;
    if (isProven) return GREATEST_BYTES;
    return PIECES.find((one) => lentBytes >= one.lentBytes)!.pieceBytes;
  }
}

function changed({ request, position }: ManagedDownload): JackfieldError {
  const message = `Cannot send "${request.target}": the file changed before byte ${position}`;
  return new JackfieldError("FILE_CHANGED", message, { operation: "read" });
}
