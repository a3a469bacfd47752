import type { ByteScheduler, Deadlines, ScheduledFlow } from "../queue/mod.ts";
import {
  type Clock,
  JackfieldError,
  maxWriteBytesOf,
  type RoomWaiter,
  waitForRoom,
} from "../transport/mod.ts";
import { Buffers } from "./buffers.ts";
import type { ManagedDownload } from "./download.ts";
import type { FileSender, PieceEnd } from "./engine.ts";

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
const PROBE_BYTES = 64;
/** A piece of a file that the kernel moves by itself is not shorter, */
const LEAST_DIRECT_BYTES = 64 * 1024;
/** and not the end of the file: that is read, and looked at before it is sent. */
const END_BYTES = 4 * 1024;
/** So many pieces are with the sender at once; more would leave the order of turns to it. */
const MAX_DIRECT = 4;
/**
 * Who is alone, and gets turns so great that no limit is near, sends so many of them at once, and pays
 * for them with the next ones: each way to a sender's thread and back costs as much as half a turn.
 */
const LEAST_GREAT_TURN_BYTES = 1024 * 1024;
const TURNS_AT_ONCE = 4;
/** With so much lent, or after a write that took so long, a socket may be full. */
const UNPROBED_BYTES = 2 * 1024 * 1024;
const SLOW_MS = 20;

/** Who is told what becomes of downloads. */
export interface EngineEvents {
  /** The kernel has taken so many bytes. */
  progress(download: ManagedDownload, bytes: number): void;
  /** The kernel has everything. */
  completed(download: ManagedDownload): void;
  /** Its socket is full: it may wait for as long as its client likes. */
  waiting(download: ManagedDownload): void;
  /** It cannot be sent to its end. */
  failed(download: ManagedDownload, error: unknown): void;
}

/** Told what those wait for whose sockets are full. */
interface RoomEvents {
  made(flow: Flow): void;
  lost(flow: Flow, error: unknown): void;
}

/** One that waits for room: an object, because its closures would be three times as large. */
class Waiting implements RoomWaiter {
  #flow: Flow;
  #events: RoomEvents;

  constructor(flow: Flow, events: RoomEvents) {
    this.#flow = flow;
    this.#events = events;
  }

  resolve(): void {
    this.#events.made(this.#flow);
  }

  reject(error: unknown): void {
    this.#events.lost(this.#flow, error);
  }
}

/**
 * Sends downloads a piece at a time: by reading their files and writing to their sockets, and where
 * there is a sender, by giving it the long parts of files that are in memory.
 *
 * What a sender cannot do, the other way does: the last bytes, after a look at the file, what has to
 * be fetched from the disk, and the waiting for a full socket.
 *
 * A turn of the scheduler pays for one piece. It ends when the piece has been read, and the flow is
 * parked until the kernel has taken it, so that a slow reader holds up nobody. What a full socket is
 * offered waits there, in some runtimes with its buffer, for as long as the client likes: so a socket
 * that may be full is offered few bytes first. A kernel that takes these takes a whole piece behind
 * them. Who waits holds no suspended function: 8,000 slow clients should cost what they hold, and
 * little more.
 */
export class TurnEngine {
  #flows: ByteScheduler<ManagedDownload>;
  #events: EngineEvents;
  #clock: Clock;
  #deadlines: Deadlines;
  #stallTimeoutMs: number;
  #buffers = new Buffers();
  #sender: FileSender | undefined;
  #reads = 0;
  /** Pieces that the sender has. */
  #direct = 0;
  /** What the sender has sent in this turn of the event loop. */
  #turnBytes = 0;
  #resting = false;
  #woken = false;
  #isSending = false;
  #room: RoomEvents = {
    made: (flow) => this.#goOn(flow),
    lost: (flow, error) => this.#lost(flow.value, error),
  };
  #takeTurns: () => void = () => {
    this.#woken = false;
    this.#sendAll();
  };
  #endRest: () => void = () => {
    this.#resting = false;
    this.#turnBytes = 0;
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
      readonly sender?: FileSender;
    },
  ) {
    this.#flows = flows;
    this.#events = events;
    this.#clock = options.clock;
    this.#deadlines = options.deadlines;
    this.#stallTimeoutMs = options.stallTimeoutMs;
    this.#sender = options.sender;
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
    while (this.#reads < MAX_READS && this.#direct < MAX_DIRECT && !this.#mustRest()) {
      const turn = this.#flows.next(this.#clock.now());
      if (turn === undefined) break;
      this.#sendPiece(turn.flow, turn.bytes);
    }
    this.#isSending = false;
  }

  #sendPiece(flow: Flow, grantedBytes: number): void {
    const download = flow.value;
    const payable = grantedBytes - download.aheadBytes;
    if (this.#sendDirect(flow, payable, grantedBytes)) return;
    const missing = download.output!.length - download.position;
    const most = maxWriteBytesOf(download.socket); // What it cannot take would be read in vain.
    const wanted = Math.min(payable, missing, most, this.#pieceBytes(download));
    if (wanted <= 0) { // It only pays for what was sent before.
      download.aheadBytes -= grantedBytes;
      return this.#flows.sent(flow, grantedBytes);
    }
    // A large read happens in the background, and fetches what comes next along with it.
    const isCold = download.isCold || !this.#isWarm(download, wanted);
    const buffer = this.#buffers.take(isCold ? GREATEST_BYTES : wanted);
    const into = isCold ? buffer : buffer.subarray(0, wanted);
    this.#reads++;
    download.isUnderWay = true;
    const haveRead = (count: number, failure?: unknown): void => {
      this.#reads--;
      if (this.#reads === MAX_READS - 1) this.wake();
      this.#flows.park(flow);
      this.#pay(flow, count, grantedBytes);
      if (failure !== undefined) this.#events.failed(download, failure);
      if (count > 0 && download.state === "sending") return this.#offer(flow, buffer, count);
      this.#buffers.giveBack(buffer);
      download.standStill();
    };
    this.#read(download, into, wanted).then(haveRead, (error) => haveRead(0, error));
  }

  /** Whether what comes next can be read without waiting for the disk, as far as anybody can say. */
  #isWarm(download: ManagedDownload, wanted: number): boolean {
    if (this.#sender === undefined) return true;
    const part = download.output!.fileFrom(download.position);
    if (part === undefined || part.gap >= wanted) return true;
    return this.#sender.isWarm(part.file, part.offset, Math.min(part.length, wanted - part.gap));
  }

  /** Whether others must have their turn of the event loop before anything is sent. */
  #mustRest(): boolean {
    const sender = this.#sender;
    if (sender === undefined || this.#turnBytes < sender.turnBytes) return false;
    if (!this.#resting) {
      this.#resting = true;
      sender.afterEvents(this.#endRest);
    }
    return true;
  }

  /** Give the next part of the file to the sender; whether that could be done. */
  #sendDirect(flow: Flow, payable: number, grantedBytes: number): boolean {
    const download = flow.value;
    const sender = this.#sender;
    if (sender === undefined || download.way !== "direct") return false;
    const part = download.output!.fileFrom(download.position);
    if (part === undefined) return false;
    const { gap, before, file, offset } = part;
    if (gap > 0 && before === undefined) return false;
    if (payable - gap < LEAST_DIRECT_BYTES) return false;
    const isAlone = this.#flows.activeCount === 1 && grantedBytes >= LEAST_GREAT_TURN_BYTES;
    const ahead = isAlone ? (TURNS_AT_ONCE - 1) * grantedBytes : 0;
    const length = Math.min(payable + ahead - gap, part.length - END_BYTES);
    if (length < LEAST_DIRECT_BYTES) return false;
    this.#direct++;
    download.isUnderWay = true;
    const piece = { socket: download.socket, before, file, offset, length };
    const began = sender.send(piece, (...facts) => {
      this.#direct--;
      this.#directSent(flow, grantedBytes, ...facts);
      download.standStill();
    });
    if (began) return true;
    this.#direct--;
    download.isUnderWay = false;
    download.way = "copy";
    return false;
  }

  /** The sender is done with a piece. */
  #directSent(
    flow: Flow,
    grantedBytes: number,
    sent: number,
    end: PieceEnd,
    failure: unknown,
  ): void {
    const download = flow.value;
    this.#turnBytes += sent;
    // Others had turns meanwhile: who was parked does not fall behind them.
    this.#flows.park(flow);
    this.#pay(flow, sent, grantedBytes);
    this.#flows.writable(flow);
    if (!this.#isSending) this.wake();
    if (download.state !== "sending") return;
    download.position += sent;
    download.isSlow = end === "full";
    download.isCold = end === "cold";
    download.hasRoom = false;
    if (end !== "sent") download.way = "copy once";
    if (sent > 0) this.#events.progress(download, sent);
    if (failure !== undefined) this.#events.failed(download, failure);
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
    this.#deadlines.add(download, this.#stallTimeoutMs);
    download.socket.writeSome(buffer.subarray(0, count)).then((taken) => {
      this.#buffers.giveBack(buffer);
      this.#deadlines.remove(download);
      download.position += taken;
      download.aheadBytes -= count - taken;
      download.isSlow = taken < count || this.#clock.now() - beganMs > SLOW_MS;
      download.isCold = false;
      if (download.way === "copy once" && taken === count) download.way = "direct";
      this.#events.progress(download, taken);
      if (download.state === "sending") {
        if (download.position === download.output!.length) this.#events.completed(download);
        else if (taken < count && this.#waitForRoom(flow)) return;
        else this.#flows.writable(flow);
      }
      download.standStill();
    }, (error) => {
      this.#buffers.giveBack(buffer);
      this.#lost(download, error);
    });
  }

  /** Wait, with nothing in hand, until a full socket takes bytes again; whether it tells of that. */
  #waitForRoom(flow: Flow): boolean {
    const download = flow.value;
    const waits = waitForRoom(download.socket, new Waiting(flow, this.#room));
    if (!waits) return false;
    this.#deadlines.add(download, this.#stallTimeoutMs);
    this.#events.waiting(download);
    return true;
  }

  #goOn(flow: Flow): void {
    const download = flow.value;
    this.#deadlines.remove(download);
    download.hasRoom = true;
    if (download.state === "sending") this.#flows.writable(flow);
    download.standStill();
  }

  /** Its socket takes nothing any more. */
  #lost(download: ManagedDownload, error: unknown): void {
    this.#deadlines.remove(download);
    this.#events.failed(download, error);
    download.standStill();
  }

  async #read(download: ManagedDownload, into: Uint8Array, wanted: number): Promise<number> {
    const { output, position } = download;
    const count = Math.min(wanted, await output!.read(into, position));
    const isLast = position + count === output!.length;
    if (count === 0 || (isLast && !await output!.isUnchanged())) throw changed(download);
    return count;
  }

  /** How much to offer next; a probe goes before each piece that might have to wait. */
  #pieceBytes(download: ManagedDownload): number {
    const { lentBytes } = this.#buffers;
    if (download.isCold) return GREATEST_BYTES;
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
