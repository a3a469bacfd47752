import type { Clock, Socket } from "../../transport/mod.ts";
import { ASK, emptyFrame, END, type Frame, HEADER_BYTES, writeFrame } from "./frame.ts";
import { FrameReader, type FrameTaker } from "./frame_reader.ts";
import { PathLimit } from "./path_limit.ts";
import type { Unit } from "./unit.ts";

/** What is known of one connection of a bundle. */
export interface BundleMember {
  /** Its end on this host. */
  readonly localAddress: Socket["localAddress"];
  /** Its far end. */
  readonly remoteAddress: Socket["remoteAddress"];
  /** Bytes of units that were sent on it; those that were sent again count again. */
  readonly sentBytes: number;
  /** Bytes of units that came on it. */
  readonly receivedBytes: number;
  /** Bytes of units that were sent on it and have not arrived, as far as it is known. */
  readonly inFlightBytes: number;
  /** How fast it delivers what is sent on it, about; 0 when that is not known yet. */
  readonly bytesPerSecond: number;
  /** Whether what is on its way does not move: it is given nothing more until it does. */
  readonly isStalled: boolean;
}

/** The bundle, as a connection of it sees it. */
export interface MemberOwner {
  /** Fill in what is true of every frame of this moment. */
  describe(frame: Frame): void;
  /** A header has come; throws when it breaks the format. */
  framed(member: Member, frame: Frame): void;
  /** Memory for a unit that was announced; none when it is not needed. */
  bufferFor(frame: Frame): Uint8Array | undefined;
  /** The memory is not needed: the unit did not come as a whole. */
  giveBack(buffer: Uint8Array): void;
  /** Bytes of a unit have come: the far end is to hear of it soon, for it may be a slow way. */
  news(): void;
  /** A unit has come, into `buffer` if it was needed; throws when it breaks the format. */
  arrived(member: Member, frame: Frame, buffer: Uint8Array | undefined): void;
  /** A frame without a unit is being written: there is no room for another one. */
  busy(member: Member): void;
  /** A write has ended: there may be another one. */
  idle(member: Member): void;
  /** A unit that was acknowledged before a write of it ended is not needed any more. */
  release(unit: Unit): void;
  /** It takes no part any more. */
  left(member: Member, failure: unknown): void;
}

interface Flight {
  readonly unit: Unit;
  /** How many bytes have been sent on this connection with its last one. */
  readonly endAt: number;
  readonly sentMs: number;
}

/** One connection of a bundle: it sends one frame at a time, and reads all the time. */
export class Member implements BundleMember, FrameTaker {
  readonly socket: Socket;
  /** How many bytes may be on their way. */
  readonly limit: PathLimit;
  /** When something that is on its way has moved the last time. */
  movedMs = 0;
  /** See {@linkcode BundleMember.isStalled}. */
  isStalled = false;
  /** How often somebody has looked since bytes came the last time. */
  silentTurns = 0;
  /** Whether it is given no more units, so that it can go. */
  isLeaving = false;
  /** Whether bytes of a unit have come since the last frame was sent. */
  hasNews = false;
  sentBytes = 0;
  receivedBytes = 0;
  inFlightBytes = 0;
  /** Resolves when it takes no part any more. */
  readonly left: Promise<void>;
  #leaving: PromiseWithResolvers<void> = Promise.withResolvers();
  #owner: MemberOwner;
  #clock: Clock;
  #flights: Flight[] = [];
  /** All bytes of this connection since the handshake, out and in. */
  #outBytes = 0;
  #inBytes = 0;
  #arrivedThere = 0;
  /** Up to where an answer was asked for. */
  #askedAt = 0;
  #isWriting = false;
  #isDue = false;
  /** Flags of the frame that is due. */
  #extra = 0;
  /** Whether the end is to be sent, and whether it was. */
  #isEnding = false;
  #hasEnded = false;
  #isOver = false;
  /** What is being written. */
  #unit: Unit | undefined;
  #header = new Uint8Array(HEADER_BYTES);
  #headerView: DataView = new DataView(this.#header.buffer);
  #frame: Frame = emptyFrame();

  /** A connection whose handshake has been done. */
  constructor(socket: Socket, owner: MemberOwner, clock: Clock, unitBytes: number) {
    this.socket = socket;
    this.#owner = owner;
    this.#clock = clock;
    this.limit = new PathLimit(unitBytes);
    this.left = this.#leaving.promise;
  }

  get localAddress(): Socket["localAddress"] {
    return this.socket.localAddress;
  }

  get remoteAddress(): Socket["remoteAddress"] {
    return this.socket.remoteAddress;
  }

  get bytesPerSecond(): number {
    return this.limit.bytesPerSecond;
  }

  /** Whether a frame is being written. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Whether something is on its way here. */
  get hasFlights(): boolean {
    return this.#flights.length > 0;
  }

  /** Whether it can be given a unit now. */
  get isFree(): boolean {
    return !this.#isWriting && !this.isStalled && !this.isLeaving && !this.#isOver &&
      (this.inFlightBytes === 0 || this.inFlightBytes < this.limit.bytes);
  }

  /** Whether it takes no part any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Read until it ends. */
  start(): void {
    new FrameReader(this.socket, this).run().then(
      () => this.#leave(undefined),
      (error) => this.#leave(error),
    );
  }

  /** Whether a unit is on its way here. */
  carries(unit: Unit): boolean {
    for (const flight of this.#flights) if (flight.unit === unit) return true;
    return false;
  }

  /** Units on their way that may be lost. */
  *flying(): Iterable<Unit> {
    for (const { unit } of this.#flights) yield unit;
  }

  /** Send a unit; only when it is free. */
  send(unit: Unit): void {
    const { slab, at, length } = unit;
    const nowMs = this.#clock.now();
    if (this.#flights.length === 0) {
      this.movedMs = nowMs;
      this.limit.begin(nowMs);
    }
    this.#describe();
    this.#frame.length = length;
    this.#frame.offset = unit.offset;
    if (unit.isEnd) this.#frame.flags |= END;
    this.#outBytes += HEADER_BYTES + length;
    this.sentBytes += length;
    this.inFlightBytes += length;
    // Two answers for all that may be on its way are enough to keep it going.
    if (this.#arrivedThere >= this.#askedAt && 2 * this.inFlightBytes >= this.limit.bytes) {
      this.#frame.flags |= ASK;
      this.#askedAt = this.#outBytes;
    }
    this.#flights.push({ unit, endAt: this.#outBytes, sentMs: nowMs });
    unit.carriers++;
    unit.writes++;
    this.#unit = unit;
    this.#isWriting = true;
    if (slab !== undefined && unit.writes === 1) {
      writeFrame(slab.view, at, this.#frame);
      this.#write(slab.bytes.subarray(at, at + HEADER_BYTES + length));
    } else {
      // The header in the slab may still be on its way into another connection.
      writeFrame(this.#headerView, 0, this.#frame);
      if (slab === undefined) this.#write(this.#header);
      else {
        this.socket.write(this.#header).catch(() => {}); // What comes behind it is told too.
        this.#write(slab.bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length));
      }
    }
  }

  /** Send a frame without a unit, now or behind what is being written. */
  tell(extraFlags: number = 0): void {
    if (this.#isOver) return;
    this.#extra |= extraFlags;
    this.#isDue = true;
    this.flush();
  }

  /** Send the frame that is due, if nothing is being written. */
  flush(): void {
    if (!this.#isDue || this.#isWriting || this.#isOver || this.#hasEnded) return;
    this.#describe();
    this.#frame.length = 0;
    this.#frame.offset = 0;
    writeFrame(this.#headerView, 0, this.#frame);
    this.#outBytes += HEADER_BYTES;
    this.#isWriting = true;
    this.#owner.busy(this);
    this.#write(this.#header);
  }

  /** The far end says how much has come; gives whether it can have. */
  progress(arrivedThere: number): boolean {
    if (arrivedThere === this.#arrivedThere) return true;
    if (arrivedThere < this.#arrivedThere || arrivedThere > this.#outBytes) return false;
    const flights = this.#flights;
    if (flights.length > 0) {
      const nowMs = this.#clock.now();
      this.movedMs = nowMs;
      this.isStalled = false;
      let count = 0;
      for (const { unit, endAt, sentMs } of flights) {
        if (endAt > arrivedThere) break;
        count++;
        unit.hasArrived = true;
        unit.carriers--;
        this.inFlightBytes -= unit.length;
        this.limit.tripped(nowMs - sentMs);
      }
      if (count > 0) flights.splice(0, count);
      this.limit.arrived(arrivedThere - this.#arrivedThere, nowMs);
    }
    this.#arrivedThere = arrivedThere;
    return true;
  }

  /** See {@linkcode FrameTaker.came}. */
  came(bytes: number, unitBytes: number): void {
    this.#inBytes += bytes;
    this.receivedBytes += unitBytes;
    this.silentTurns = 0;
    if (unitBytes === 0) return;
    this.hasNews = true;
    this.#owner.news();
  }

  /** See {@linkcode FrameTaker.framed}. */
  framed(frame: Frame): void {
    this.#owner.framed(this, frame);
  }

  /** See {@linkcode FrameTaker.bufferFor}. */
  bufferFor(frame: Frame): Uint8Array | undefined {
    return this.#owner.bufferFor(frame);
  }

  /** See {@linkcode FrameTaker.giveBack}. */
  giveBack(buffer: Uint8Array): void {
    this.#owner.giveBack(buffer);
  }

  /** See {@linkcode FrameTaker.arrived}. */
  arrived(frame: Frame, buffer: Uint8Array | undefined): void {
    this.#owner.arrived(this, frame, buffer);
  }

  /** End it now. */
  abort(reason: unknown): void {
    this.socket.abort(reason);
    this.#leave(reason);
  }

  /** Send a last frame and the end behind what is being written, and go when the far end goes. */
  finish(extraFlags: number = 0): void {
    if (this.#isEnding) return;
    this.isLeaving = true;
    this.#isEnding = true;
    this.tell(extraFlags);
  }

  /** End it when everything is sent. */
  close(): Promise<void> {
    this.#leave(undefined);
    return this.socket.close();
  }

  /** What is true of every frame, and of this connection. */
  #describe(): void {
    const frame = this.#frame;
    this.#owner.describe(frame);
    frame.flags |= this.#extra;
    frame.arrived = this.#inBytes;
    this.#extra = 0;
    this.#isDue = false;
    this.hasNews = false;
  }

  #write(bytes: Uint8Array): void {
    this.socket.write(bytes).then(this.#onWritten, this.#onFailed);
  }

  #onWritten = (): void => {
    this.#written();
    if (this.#isOver) return;
    this.#owner.idle(this);
    this.flush();
    if (!this.#isEnding || this.#isWriting || this.#hasEnded) return;
    this.#hasEnded = true;
    this.socket.closeWrite().catch(() => {});
  };

  #onFailed = (error: unknown): void => {
    this.#written();
    this.#leave(error);
  };

  #written(): void {
    this.#isWriting = false;
    const unit = this.#unit;
    this.#unit = undefined;
    if (unit !== undefined && --unit.writes === 0 && unit.isAcknowledged) this.#owner.release(unit);
  }

  #leave(failure: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (failure === undefined) void this.socket.close();
    else this.socket.abort(failure);
    for (const { unit } of this.#flights) unit.carriers--;
    this.#owner.left(this, failure);
    this.#flights = [];
    this.inFlightBytes = 0;
    this.#leaving.resolve();
  }
}
