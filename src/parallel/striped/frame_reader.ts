import { type JackfieldError, type Socket, socketError } from "../../transport/mod.ts";
import { emptyFrame, END, type Frame, HEADER_BYTES, readFrame } from "./frame.ts";
import { FormatError } from "./striped_errors.ts";

/** What is read at once when no unit is under way: most often a header and nothing else. */
const AHEAD_BYTES = 4096;
/** Where bytes go that nobody needs. */
const SCRATCH_BYTES = 64 * 1024;

/** Who is told of what comes on a connection. */
export interface FrameTaker {
  /** Whether nothing more is wanted. */
  readonly isOver: boolean;
  /** Bytes have come; so many of them belong to a unit. */
  came(bytes: number, unitBytes: number): void;
  /** A header has come; throws when it breaks the format. */
  framed(frame: Frame): void;
  /** Memory for the unit that was announced, with room for a header behind it; none to skip it. */
  bufferFor(frame: Frame): Uint8Array | undefined;
  /** The memory is not needed: the unit did not come as a whole. */
  giveBack(buffer: Uint8Array): void;
  /** The unit has come, or the bare end of the stream; throws when it breaks the format. */
  arrived(frame: Frame, buffer: Uint8Array | undefined): void;
}

/** Reads frames from a connection; units go straight to their places. */
export class FrameReader {
  #socket: Socket;
  #taker: FrameTaker;
  /** What was read and not looked at: from `#start` to `#end`. */
  #ahead = new Uint8Array(AHEAD_BYTES);
  #view: DataView = new DataView(this.#ahead.buffer);
  #start = 0;
  #end = 0;
  #scratch: Uint8Array | undefined;

  /** Reads nothing yet. */
  constructor(socket: Socket, taker: FrameTaker) {
    this.#socket = socket;
    this.#taker = taker;
  }

  /** Read until the stream ends; rejects when that is not between two frames. */
  async run(): Promise<void> {
    const taker = this.#taker;
    const frame = emptyFrame();
    while (!taker.isOver && await this.#readHeader()) {
      const fault = readFrame(this.#view, this.#start, frame);
      if (fault !== undefined) throw new FormatError(fault);
      this.#start += HEADER_BYTES;
      taker.framed(frame);
      if (taker.isOver) return;
      if (frame.length > 0) await this.#readUnit(frame);
      else if ((frame.flags & END) !== 0) taker.arrived(frame, undefined);
    }
  }

  /** `false` at the end of the stream. */
  async #readHeader(): Promise<boolean> {
    while (this.#end - this.#start < HEADER_BYTES) {
      if (this.#start > 0) {
        this.#ahead.copyWithin(0, this.#start, this.#end);
        this.#end -= this.#start;
        this.#start = 0;
      }
      const count = await this.#socket.read(this.#ahead.subarray(this.#end));
      if (count === null && this.#end === 0) return false;
      if (count === null) throw lost(this.#socket);
      this.#end += count;
      this.#taker.came(count, 0);
    }
    return true;
  }

  async #readUnit(frame: Frame): Promise<void> {
    const taker = this.#taker;
    const { length } = frame;
    const place = taker.bufferFor(frame);
    const buffer = place ?? (this.#scratch ??= new Uint8Array(SCRATCH_BYTES));
    try {
      let filled = Math.min(length, this.#end - this.#start);
      place?.set(this.#ahead.subarray(this.#start, this.#start + filled));
      this.#start += filled;
      if (filled > 0) taker.came(0, filled); // They were counted with the header.
      if (filled < length) this.#start = this.#end = 0;
      while (filled < length) {
        const from = place === undefined ? 0 : filled;
        // Behind a unit most often the next one comes: its header is read along.
        const room = length - filled + HEADER_BYTES;
        const into = buffer.subarray(from, Math.min(from + room, buffer.byteLength));
        const count = await this.#socket.read(into);
        if (count === null) throw lost(this.#socket);
        const part = Math.min(count, length - filled);
        filled += part;
        if (count > part) {
          this.#ahead.set(into.subarray(part, count));
          this.#end = count - part;
        }
        taker.came(count, part);
        if (taker.isOver) return;
      }
    } catch (error) {
      if (place !== undefined) taker.giveBack(place);
      throw error;
    }
    taker.arrived(frame, place);
  }
}

/** A connection that ends anywhere but between two frames was lost. */
function lost(socket: Socket): JackfieldError {
  const cause = Object.assign(new Error("connection ended"), { code: "ECONNRESET" });
  return socketError("read", socket.remoteAddress, cause);
}
