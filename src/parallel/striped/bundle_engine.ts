import type { Strategy } from "../../strategy/mod.ts";
import type { Clock, OnError, Socket, SocketAddress } from "../../transport/mod.ts";
import { Alarm } from "./alarm.ts";
import { BundleDriver } from "./bundle_driver.ts";
import { ASK, DONE, END, type Frame, RESET, STOP } from "./frame.ts";
import { FreeMembers, type UnitRequest } from "./free_members.ts";
import { Incoming } from "./incoming.ts";
import { type BundleMember, Member, type MemberOwner } from "./member.ts";
import { MemoryWatch } from "./memory_watch.ts";
import { Outgoing } from "./outgoing.ts";
import { StallWatch } from "./stall_watch.ts";
import { brokenFormat, FormatError, lostBundle, resetBundle } from "./striped_errors.ts";
import type { Unit } from "./unit.ts";

/** A frame that only acknowledges is not sent earlier than this after the bytes came. */
const NEWS_MS = 25;
/** Or when so much of the window has come, or the far end asks. */
const NEWS_PART = 1 / 8;
/** How long a connection with nothing left to do waits for the far end to close it. */
const LINGER_MS = 1000;

/** What both sides of a bundle are made with. */
export interface EngineSettings {
  readonly role: "connecting" | "accepting";
  /** The longest unit to send, and the longest one to take. */
  readonly unitBytes: number;
  readonly peerUnitBytes: number;
  readonly windowBytes: number;
  readonly resendAfterMs: number;
  readonly stallTimeoutMs: number;
  readonly lossTimeoutMs: number;
  readonly strategy: Strategy<BundleMember, UnitRequest>;
  readonly clock: Clock;
  readonly remoteAddress: SocketAddress;
  readonly onError: OnError | undefined;
  /** The bundle is over: nobody can join any more. */
  ended(outcome: "done" | "reset"): void;
}

/**
 * One stream in both directions over several connections.
 *
 * What belongs to a connection stands in `Member`, the bytes in `Outgoing` and `Incoming`; here is who
 * sends what, and when it is over. Both directions are over: the accepting side says `DONE` on every
 * connection, and only then does either side let go. So whoever missed something can ask again.
 */
export class BundleEngine implements MemberOwner {
  /** What a socket is made of. */
  readonly driver: BundleDriver;
  readonly outgoing: Outgoing;
  readonly incoming: Incoming;
  #settings: EngineSettings;
  #members: Member[] = [];
  #free: FreeMembers;
  #closing: PromiseWithResolvers<void> | undefined;
  #isStopping = false;
  #lastFailure: unknown;
  #isOver = false;
  /** The limit that the far end has been told. */
  #toldLimit = 0;
  /** Bytes of units that have come since anything was told. */
  #newsBytes = 0;
  #lingering: (() => void) | undefined;
  /** Who brought the last unit: its way works. */
  #lastBringer: Member | undefined;
  #news: Alarm;
  #loss: Alarm;
  #stalls: StallWatch;
  #memory: MemoryWatch;

  /** A bundle without connections. */
  constructor(settings: EngineSettings) {
    const { clock, lossTimeoutMs } = settings;
    this.#settings = settings;
    this.outgoing = new Outgoing(settings.unitBytes, settings.windowBytes);
    this.incoming = new Incoming(settings.peerUnitBytes, settings.windowBytes);
    this.driver = new BundleDriver(this, settings.remoteAddress);
    this.#free = new FreeMembers(settings.strategy);
    this.#news = new Alarm(clock, NEWS_MS, () => this.#tellNews());
    this.#loss = new Alarm(clock, lossTimeoutMs, () => this.#lost());
    this.#stalls = new StallWatch(this, settings);
    this.#memory = new MemoryWatch(this, clock);
    this.#loss.set();
  }

  /** The connections that stand. */
  get members(): readonly Member[] {
    return this.#members;
  }

  /** Whether nothing happens any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A connection takes part from now on. */
  join(socket: Socket): Member {
    const { clock, unitBytes } = this.#settings;
    const member = new Member(socket, this, clock, unitBytes);
    this.#members.push(member);
    this.#loss.stop();
    member.tell();
    member.start();
    return member;
  }

  /** A connection is to leave when what it carries has arrived. */
  retire(member: Member): void {
    member.isLeaving = true;
    this.#free.update(member);
    if (!member.hasFlights) member.finish();
  }

  /** What the far end has said in a handshake: nothing more is to be expected of it. */
  concluded(outcome: "done" | "reset"): void {
    const isDone = outcome === "done" && this.incoming.isOver && this.outgoing.complete();
    if (isDone) this.#finish();
    else this.#fail(resetBundle(this.#settings.remoteAddress));
  }

  /** See {@linkcode BundleDriver.close}. */
  close(): void | Promise<void> {
    if (this.#isOver && this.#members.length === 0) return;
    this.#closing ??= Promise.withResolvers();
    if (!this.#isOver) {
      if (!this.incoming.isOver) {
        this.#isStopping = true;
        this.incoming.discard();
        for (const member of this.#members) member.tell();
      }
      this.outgoing.end();
      this.pump();
      this.#checkOver();
    }
    return this.#closing.promise;
  }

  /** See {@linkcode BundleDriver.abort}. */
  abort(): void {
    this.#fail(Object.assign(new Error("aborted"), { code: "EPIPE" }), RESET);
  }

  /** What is on its way there does not move: it is sent on other ones. */
  stall(member: Member): void {
    member.isStalled = true;
    this.#free.update(member);
    for (const unit of member.flying()) this.outgoing.sendAgain(unit);
  }

  // What the connections tell.

  /** See {@linkcode MemberOwner.describe}. */
  describe(frame: Frame): void {
    frame.flags = this.#isStopping ? STOP : 0;
    frame.acknowledged = this.incoming.acknowledged;
    frame.limit = this.#toldLimit = this.incoming.limit;
    this.#newsBytes = 0;
  }

  /** See {@linkcode MemberOwner.framed}. */
  framed(member: Member, frame: Frame): void {
    if (this.#isOver) return; // It only waits for the far end to go.
    const { outgoing, incoming } = this;
    const { flags, length, offset } = frame;
    if ((flags & RESET) !== 0) return this.#fail(resetBundle(this.#settings.remoteAddress));
    if (!outgoing.acknowledge(frame.acknowledged)) {
      throw new FormatError(`it acknowledges ${frame.acknowledged}, which was not sent`);
    }
    if (!member.progress(frame.arrived)) {
      throw new FormatError(`it says that ${frame.arrived} bytes have arrived`);
    }
    if (length > 0 || (flags & END) !== 0) {
      const fault = incoming.announce(offset, length, (flags & END) !== 0);
      if (fault !== undefined) throw new FormatError(fault);
    } else if (offset !== 0) throw new FormatError("its frame without a unit has an offset");
    if (frame.limit > outgoing.limit) outgoing.limit = frame.limit;
    if ((flags & STOP) !== 0 && !outgoing.isStopped) outgoing.stop();
    if ((flags & DONE) !== 0) {
      const isTimely = this.#settings.role === "connecting" && incoming.isOver;
      if (!isTimely) {
        throw new FormatError("it says DONE before the end, or is not the one to say so");
      }
      return this.#finish();
    }
    if ((flags & ASK) !== 0 && length === 0) member.tell();
    this.#free.update(member);
    if (member.isLeaving && !member.hasFlights) member.finish();
    this.pump();
    this.#checkOver();
  }

  /** See {@linkcode MemberOwner.bufferFor}. */
  bufferFor({ offset, length }: Frame): Uint8Array | undefined {
    const isNeeded = !this.#isOver && this.incoming.wants(offset, length);
    return isNeeded ? this.incoming.buffer(length) : undefined;
  }

  /** See {@linkcode MemberOwner.giveBack}. */
  giveBack(buffer: Uint8Array): void {
    this.incoming.giveBack(buffer);
  }

  /** See {@linkcode MemberOwner.news}. */
  news(): void {
    if (!this.#isOver) this.#news.set();
  }

  /** See {@linkcode MemberOwner.arrived}. */
  arrived(member: Member, frame: Frame, buffer: Uint8Array | undefined): void {
    if (this.#isOver) return;
    const { incoming } = this;
    const { flags, offset, length } = frame;
    const fault = (buffer === undefined ? undefined : incoming.accept(offset, length, buffer)) ??
      ((flags & END) === 0 ? undefined : incoming.end(offset + length));
    if (fault !== undefined) throw new FormatError(fault);
    this.#lastBringer = member;
    this.#memory.use();
    this.#newsBytes += length;
    const isMuch = this.#newsBytes >= this.#settings.windowBytes * NEWS_PART;
    // The far end waits for what is told with the end of the stream.
    if ((flags & ASK) !== 0 || isMuch || incoming.isOver) member.tell();
    this.driver.continueRead();
    this.#checkOver();
  }

  /** See {@linkcode MemberOwner.busy}. */
  busy(member: Member): void {
    this.#free.update(member);
  }

  /** See {@linkcode MemberOwner.idle}. */
  idle(member: Member): void {
    this.#free.update(member);
    this.pump();
  }

  /** See {@linkcode MemberOwner.release}. */
  release(unit: Unit): void {
    this.outgoing.release(unit);
  }

  /** See {@linkcode MemberOwner.left}. */
  left(member: Member, failure: unknown): void {
    this.#members = this.#members.filter((other) => other !== member);
    this.#free.update(member);
    if (this.#lastBringer === member) this.#lastBringer = undefined;
    for (const unit of member.flying()) if (unit.carriers === 0) this.outgoing.sendAgain(unit);
    if (failure instanceof FormatError) {
      this.#fail(brokenFormat(this.#settings.remoteAddress, failure), RESET);
    } else if (!this.#isOver) {
      this.#lastFailure = failure ?? this.#lastFailure;
      if (this.#members.length === 0) this.#loss.set();
      this.pump();
      if (failure !== undefined) this.report(failure, "member");
    }
    if (!this.#isOver || this.#members.length > 0) return;
    this.#lingering?.();
    void member.socket.close().then(() => this.#closing?.resolve());
  }

  // Sending.

  /** Give units to connections as long as there are both. */
  pump(): void {
    if (this.#isOver) return;
    try {
      do {
        while (this.#free.members.length > 0 && this.#giveOne());
        // What was sent makes room for who waits to write, whatever the far end says.
      } while (this.driver.continueWrite());
    } catch (error) {
      return this.#fail(error, RESET); // The strategy is at fault.
    }
    if (this.outgoing.hasUnsent || this.outgoing.hasUnacknowledged) this.#stalls.set();
  }

  #giveOne(): boolean {
    const { outgoing } = this;
    // A unit that is sent again must not go where it is: the first one that does not have it takes it.
    for (const member of outgoing.hasAgain ? this.#free.members : []) {
      const unit = outgoing.takeAgain((unit) => member.carries(unit));
      if (unit === undefined) continue;
      this.#send(member, unit);
      return true;
    }
    const unit = outgoing.peekNew();
    if (unit === undefined) return false;
    const request = { offset: unit.offset, bytes: unit.length };
    const member = this.#free.pick(request);
    if (member === undefined) return false;
    outgoing.takeNew();
    this.#send(member, unit);
    return true;
  }

  #send(member: Member, unit: Unit): void {
    this.#memory.use();
    member.send(unit);
    this.#free.update(member);
  }

  /** The far end may be waiting for room, and nothing else would tell it soon. */
  widen(): void {
    const { windowBytes } = this.#settings;
    const isTight = this.#toldLimit - this.incoming.farthest < windowBytes / 2;
    if (isTight && this.incoming.limit - this.#toldLimit >= windowBytes / 4) {
      (this.#lastBringer ?? this.#members[0])?.tell();
    }
  }

  #tellNews(): void {
    for (const member of this.#members) if (member.hasNews) member.tell();
  }

  /** Tell of what nobody waits for; a callback that throws changes nothing here. */
  report(error: unknown, stage: string): void {
    try {
      this.#settings.onError?.(error, { stage });
    } catch {
      // It was told.
    }
  }

  #lost(): void {
    const { remoteAddress, lossTimeoutMs } = this.#settings;
    if (this.outgoing.isOver && this.incoming.isOver) this.#finish();
    else this.#fail(lostBundle(remoteAddress, lossTimeoutMs, this.#lastFailure));
  }

  // The end.

  #checkOver(): void {
    const { role } = this.#settings;
    if (this.#isOver || !this.outgoing.isOver || !this.incoming.isOver) return;
    if (role === "accepting") this.#finish();
  }

  /** Both directions are over, and both sides know it or will be told. */
  #finish(): void {
    if (this.#isOver) return;
    // Who closed early, or was closed, has not heard everything: to ask again tells no more.
    const isWhole = !this.incoming.isDiscarding && !this.outgoing.isStopped;
    const members = this.#end(isWhole ? "done" : "reset");
    this.driver.continueWrite();
    this.outgoing.stop(); // What the far end did not want any more stays unsent.
    this.driver.continueWrite();
    if (this.#settings.role === "accepting") this.#dismiss(members, DONE);
    else for (const member of members) void member.close();
    if (members.length === 0) this.#closing?.resolve();
  }

  #fail(failure: unknown, flags: number = 0): void {
    if (this.#isOver) return;
    const members = this.#end("reset");
    this.outgoing.stop();
    if (flags !== 0) this.#dismiss(members, flags);
    else for (const member of members) member.abort(failure);
    this.#closing?.resolve();
    this.driver.fail(failure);
  }

  /** Let connections go with a last word; the far end goes first, if it does so soon. */
  #dismiss(members: readonly Member[], flags: number): void {
    if (members.length === 0) return;
    this.#lingering = this.#settings.clock.schedule(LINGER_MS, () => {
      for (const member of [...this.#members]) member.abort(undefined);
    });
    for (const member of members) member.finish(flags);
  }

  #end(outcome: "done" | "reset"): readonly Member[] {
    this.#isOver = true;
    for (const watch of [this.#news, this.#loss, this.#stalls, this.#memory]) watch.stop();
    this.#free.clear();
    this.#settings.ended(outcome);
    return [...this.#members];
  }
}
