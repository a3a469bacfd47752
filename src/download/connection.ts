import { type FieldLine, HeadReader, parseRequestHead, refusalOf } from "../http/mod.ts";
import { Deadline, type Deadlines } from "../queue/mod.ts";
import type { Clock, Socket } from "../transport/mod.ts";
import { textAnswer } from "./answers.ts";
import type { ShortResult } from "./engine.ts";
import type { ShortDesk } from "./download_desk.ts";
import type { HeadBuffers } from "./head_buffers.ts";
import type { DownloadManager } from "./download_manager.ts";
import type { DownloadRequestInit, DownloadResult } from "./download_request.ts";
import { lingeringClose } from "./linger.ts";

interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly FieldLine[];
}

/** What the connections of a server share. */
export interface ConnectionContext {
  readonly manager: DownloadManager;
  /** Answers many requests within the call that brings them; see {@linkcode ShortDesk}. */
  readonly short: ShortDesk | undefined;
  /** What waits for the first bytes of requests. */
  readonly buffers: HeadBuffers;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly idleTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly maxRequests: number;
  readonly maxHeadBytes: number;
  readonly maxFields: number;
  /** Whether the server takes no more requests. */
  readonly isClosing: () => boolean;
  /** Whether the next request of each connection is its last one: another process accepts. */
  readonly isLeaving: () => boolean;
}

/** A connection that waits for a request, or for the rest of one. */
export interface WaitingConnection {
  readonly socket: Socket;
  /** What was read of the request. */
  readonly unread: Uint8Array | undefined;
}

/**
 * One connection of a server: its requests, one after the other, and the time that each may take.
 *
 * It owns the socket while it reads a head, and the manager does from `take` to its result.
 */
export class Connection extends Deadline {
  #context: ConnectionContext;
  /** `undefined` while the manager has it. */
  #socket: Socket | undefined;
  /** What is waited for: the first byte of a request, the rest of its head, or room for an answer. */
  #stage: "idle" | "head" | "answer" = "idle";
  #requests = 0;
  /** Reads the head that is being waited for on the long way. */
  #reader: HeadReader | undefined;
  /** What the manager makes of the request that it has. */
  #taken: Promise<DownloadResult> | undefined;

  /** It has read nothing; `undefined` for a socket that the manager has. */
  constructor(socket: Socket | undefined, context: ConnectionContext, requests = 0) {
    super();
    this.#socket = socket;
    this.#context = context;
    this.#requests = requests;
  }

  /** Whether it waits for a request, and not for its first one. */
  get isIdle(): boolean {
    return this.#stage === "idle" && this.#requests > 0 && this.#socket?.isBusy === true;
  }

  /** How many requests it has had. */
  get requests(): number {
    return this.#requests;
  }

  /** What the manager makes of the request that it has; it is told apart by this. */
  get taken(): Promise<DownloadResult> | undefined {
    return this.#taken;
  }

  /** What to move to another process; `undefined` while an answer is on its way. */
  get waiting(): WaitingConnection | undefined {
    const socket = this.#socket;
    // Busy without an answer, it reads: who does not is about to do something.
    const isWaiting = socket?.state === "open" && socket.isBusy && this.#stage !== "answer";
    return isWaiting ? { socket, unread: this.#reader?.unread.slice() } : undefined;
  }

  // Callbacks in the place of one loop: who waits for hours should not hold suspended functions.
  /** Serve request after request, and call `ended` when the connection has ended. */
  serve(ended: () => void): void {
    if (this.#context.isClosing()) {
      this.end();
      return this.#over(ended);
    }
    const buffer = this.#context.buffers.take();
    this.#waitFor("idle");
    this.#socket!.read(buffer).then(
      (count) => this.#received(buffer, count, ended),
      () => {
        this.#context.buffers.giveBack(buffer, 0);
        this.#failed(ended);
      },
    );
  }

  /** Answer what was answered before without a place among the downloads, if that can be. */
  #received(buffer: Uint8Array<ArrayBuffer>, count: number | null, ended: () => void): void {
    const { buffers, short, isClosing, isLeaving, maxRequests } = this.#context;
    if (count === null || isClosing()) {
      buffers.giveBack(buffer, 0);
      this.end();
      return this.#over(ended);
    }
    // The last request that a connection may have is answered so that the client knows.
    const isLast = this.#requests + 1 >= maxRequests || isLeaving();
    const answer = isLast
      ? undefined
      : short?.answerShortly(this.#socket!, buffer.subarray(0, count));
    if (!(answer instanceof Promise)) return this.#answered(answer, buffer, count, ended);
    this.#waitFor("answer");
    answer.then((later) => this.#answered(later, buffer, count, ended), () => {
      buffers.giveBack(buffer, count);
      this.#failed(ended);
    });
  }

  #answered(
    answer: ShortResult | undefined,
    buffer: Uint8Array<ArrayBuffer>,
    count: number,
    ended: () => void,
  ): void {
    if (answer === undefined) return this.#serveLong(buffer, count, ended);
    this.#context.buffers.giveBack(buffer, count);
    this.#requests++;
    if (answer.rest === undefined) this.serve(ended);
    else this.#writeRest(answer.rest, ended);
  }

  /** Piece by piece: a client that takes little at a time is slow, and not gone. */
  #writeRest(rest: Uint8Array, ended: () => void): void {
    this.#waitFor("answer");
    this.#socket!.writeSome(rest).then((taken) => {
      if (taken === rest.byteLength) this.serve(ended);
      else this.#writeRest(rest.subarray(taken), ended);
    }, () => this.#failed(ended));
  }

  #serveLong(buffer: Uint8Array<ArrayBuffer>, count: number, ended: () => void): void {
    this.#nextRequest(buffer, count).then((request) => {
      if (request === undefined) return ended();
      const socket = this.#socket!;
      this.#socket = undefined; // It is gone; what it holds should go, too.
      this.serveAfter(this.#context.manager.take(socket, request), ended);
    }, () => this.#failed(ended));
  }

  /** Go on when the manager is done with a request. */
  serveAfter(taken: Promise<DownloadResult>, ended: () => void): void {
    this.#taken = taken;
    taken.then(({ socket }) => {
      this.#taken = undefined;
      this.#socket = socket;
      if (socket === undefined) ended();
      else this.serve(ended);
    }, ended); // The manager has reported it.
  }

  /**
   * The client is gone: nobody is left to tell. What is closing (it was idle for too long, or the
   * server ends) does so in good order.
   */
  #failed(ended: () => void): void {
    this.abort();
    this.#over(ended);
  }

  #over(ended: () => void): void {
    this.#context.deadlines.remove(this);
    ended();
  }

  /** The server takes no more requests. */
  end(): void {
    void this.#socket?.close();
  }

  /** The server ends now. */
  abort(reason?: unknown): void {
    if (this.#socket?.state !== "closing") this.#socket?.abort(reason);
  }

  /** The client took too long: with a part of a request it is told so (RFC 9110, section 15.5.9). */
  expire(): void {
    if (this.#stage === "head") {
      const reason = "Cannot read request: its head took too long";
      const refusal = { status: 408, reason, fields: [] };
      this.#write(refusal).catch(() => {}); // The client is gone: that is what was wanted.
    }
    if (this.#stage === "answer") this.abort();
    else this.end();
  }

  /** The request whose first bytes are in a buffer; `undefined` when there is none. */
  async #nextRequest(
    buffer: Uint8Array<ArrayBuffer>,
    count: number,
  ): Promise<DownloadRequestInit | undefined> {
    const { buffers, isLeaving, maxRequests, maxHeadBytes, maxFields, deadlines } = this.#context;
    const socket = this.#socket!;
    const first = buffer.subarray(0, count);
    const reader = this.#reader = new HeadReader(socket, "HTTP_BAD_REQUEST", maxHeadBytes, first);
    try {
      this.#waitFor("head"); // Its first byte began its time.
      const head = await reader.next();
      if (head === undefined) return void this.end();
      const request = parseRequestHead(head, { maxFields });
      this.#context.short?.learn(head, request);
      const mayGoOn = ++this.#requests < maxRequests && !isLeaving();
      const keepAlive = request.keepAlive && mayGoOn;
      // The next request, if a part of it came along: the buffer is lent to others.
      const unread = reader.unread.byteLength > 0 ? reader.unread.slice() : undefined;
      return { ...request, keepAlive, unread };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      await this.#refuse(refusal);
    } finally {
      this.#reader = undefined;
      buffers.giveBack(buffer, count);
      deadlines.remove(this);
    }
  }

  #waitFor(stage: "idle" | "head" | "answer"): void {
    const { deadlines, idleTimeoutMs, headTimeoutMs } = this.#context;
    this.#stage = stage;
    deadlines.add(this, stage === "head" ? headTimeoutMs : idleTimeoutMs);
  }

  /** Answer what is no request; nobody knows where the next one begins. */
  async #refuse(refusal: Refusal): Promise<void> {
    this.#waitFor("head"); // The client may take as long for the answer.
    await this.#write(refusal);
    this.#context.deadlines.remove(this);
    await lingeringClose(this.#socket!, this.#context.clock);
  }

  #write({ status, reason, fields }: Refusal): Promise<number> {
    const context = { method: undefined, keepAlive: false, nowMs: Date.now() };
    const { output } = textAnswer(context, status, `${reason}.\n`, fields);
    return this.#socket!.write(output.whole());
  }
}
