import { type FieldLine, HeadReader, parseRequestHead, refusalOf } from "../http/mod.ts";
import { Deadline, type Deadlines } from "../queue/mod.ts";
import type { Clock, Socket } from "../transport/mod.ts";
import { textAnswer } from "./answers.ts";
import type { ShortResult } from "./engine.ts";
import type { ShortDesk } from "./download_desk.ts";
import type { DownloadManager } from "./download_manager.ts";
import type { DownloadRequestInit } from "./download_request.ts";
import { lingeringClose } from "./linger.ts";

interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly FieldLine[];
}

/** Most requests are shorter; a longer one takes the long way. A head's reader has as much room. */
const SHORT_BYTES = 1024;

/** What the connections of a server share. */
export interface ConnectionContext {
  readonly manager: DownloadManager;
  /** Answers many requests within the call that brings them; see {@linkcode ShortDesk}. */
  readonly short: ShortDesk | undefined;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly idleTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly maxRequests: number;
  readonly maxHeadBytes: number;
  readonly maxFields: number;
  /** Whether the server takes no more requests. */
  readonly isClosing: () => boolean;
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
  /** What was read of a request before it was known that it takes the long way. */
  #early: Uint8Array | undefined;

  /** It has read nothing. */
  constructor(socket: Socket, context: ConnectionContext) {
    super();
    this.#socket = socket;
    this.#context = context;
  }

  // Callbacks in the place of one loop: who waits for hours should not hold suspended functions.
  /** Serve request after request, and call `ended` when the connection has ended. */
  serve(ended: () => void): void {
    const { short, isClosing } = this.#context;
    if (short === undefined || isClosing() || this.#socket!.hasUnread) {
      return this.#serveLong(ended);
    }
    this.#serveShortly(short, new Uint8Array(SHORT_BYTES), ended);
  }

  /** Answer what was answered before without a place among the downloads, as long as that can be. */
  #serveShortly(short: ShortDesk, buffer: Uint8Array, ended: () => void): void {
    const { isClosing, maxRequests } = this.#context;
    const failed = (): void => this.#failed(ended);
    const receive = (): void => {
      this.#waitFor("idle");
      this.#socket!.read(buffer).then(received, failed);
    };
    const received = (count: number | null): void => {
      const bytes = buffer.subarray(0, count ?? 0);
      // The last request that a connection may have is answered so that the client knows.
      const isLast = this.#requests + 1 >= maxRequests || isClosing();
      if (count === null) {
        this.end();
        return this.#over(ended);
      }
      const answer = isLast ? undefined : short.answerShortly(this.#socket!, bytes);
      if (!(answer instanceof Promise)) return answered(bytes, answer);
      answer.then((later) => answered(bytes, later), failed);
    };
    const answered = (bytes: Uint8Array, answer: ShortResult | undefined): void => {
      if (answer === undefined) {
        this.#early = bytes;
        return this.#serveLong(ended);
      }
      this.#requests++;
      if (answer.rest === undefined) receive();
      else writeRest(answer.rest);
    };
    // Piece by piece: a client that takes little at a time is slow, and not gone.
    const writeRest = (rest: Uint8Array): void => {
      this.#waitFor("answer");
      this.#socket!.writeSome(rest).then((taken) => {
        if (taken === rest.byteLength) receive();
        else writeRest(rest.subarray(taken));
      }, failed);
    };
    receive();
  }

  #serveLong(ended: () => void): void {
    this.#nextRequest().then((request) => {
      if (request === undefined) return ended();
      const socket = this.#socket!;
      this.#socket = undefined; // It is gone; what it holds should go, too.
      this.#context.manager.take(socket, request).then((result) => {
        this.#socket = result.socket;
        if (result.socket === undefined) ended();
        else this.serve(ended);
      }, ended); // The manager has reported it.
    }, () => this.#failed(ended));
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

  /** What the head is read from: the first byte of a request begins its time. */
  async read(into: Uint8Array): Promise<number | null> {
    const early = this.#early;
    if (early !== undefined) {
      this.#early = undefined;
      into.set(early); // A reader begins with more room than that.
      if (this.#stage === "idle") this.#waitFor("head");
      return early.byteLength;
    }
    const count = await this.#socket!.read(into);
    if (count !== null && this.#stage === "idle") this.#waitFor("head");
    return count;
  }

  /** The next request; `undefined` when none follows. */
  async #nextRequest(): Promise<DownloadRequestInit | undefined> {
    const { isClosing, maxRequests, maxHeadBytes, maxFields, deadlines } = this.#context;
    if (isClosing()) return void this.end();
    const reader = new HeadReader(this, "HTTP_BAD_REQUEST", maxHeadBytes);
    try {
      if (this.#early === undefined) this.#waitFor("idle");
      const head = await reader.next();
      if (head === undefined) return void this.end();
      const request = parseRequestHead(head, { maxFields });
      this.#context.short?.learn(head, request);
      const keepAlive = request.keepAlive && ++this.#requests < maxRequests;
      return { ...request, keepAlive, unread: reader.unread };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      await this.#refuse(refusal);
    } finally {
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
