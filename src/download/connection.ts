import {
  type FieldLine,
  HeadReader,
  parseRequestHead,
  refusalOf,
  type RequestHead,
} from "../http/mod.ts";
import { Deadline, type Deadlines } from "../queue/mod.ts";
import type { Clock, Socket } from "../transport/mod.ts";
import { textAnswer } from "./answers.ts";
import type { DownloadManager } from "./download_manager.ts";
import { lingeringClose } from "./linger.ts";

interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly FieldLine[];
}

/** What the connections of a server share. */
export interface ConnectionContext {
  readonly manager: DownloadManager;
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
  #socket: Socket;
  /** What is being waited for: the first byte of a request, or the rest of its head. */
  #stage: "idle" | "head" | "away" = "idle";
  #requests = 0;

  /** It has read nothing. */
  constructor(socket: Socket, context: ConnectionContext) {
    super();
    this.#socket = socket;
    this.#context = context;
  }

  /** Serve until the connection ends. Never rejects. */
  async serve(): Promise<void> {
    try {
      while (await this.#serveOne());
    } catch {
      // The manager has reported it, or the client is gone: nobody is left to tell. What is closing
      // (it was idle for too long, or the server ends) does so in good order.
      if (this.#socket.state !== "closing") this.#socket.abort();
    } finally {
      this.#context.deadlines.remove(this);
    }
  }

  /** The server takes no more requests. */
  end(): void {
    if (this.#stage !== "away") void this.#socket.close();
  }

  /** The server ends now. */
  abort(reason: unknown): void {
    if (this.#stage !== "away" && this.#socket.state !== "closing") this.#socket.abort(reason);
  }

  /** The client took too long: with a part of a request it is told so (RFC 9110, section 15.5.9). */
  expire(): void {
    const socket = this.#socket;
    if (this.#stage === "head") {
      const reason = "Cannot read request: its head took too long";
      const refusal = { status: 408, reason, fields: [] };
      this.#write(refusal).catch(() => {}); // The client is gone: that is what was wanted.
    }
    void socket.close();
  }

  /** What the head is read from: the first byte of a request begins its time. */
  async read(into: Uint8Array): Promise<number | null> {
    const count = await this.#socket.read(into);
    if (count !== null && this.#stage === "idle") this.#waitFor("head");
    return count;
  }

  /** Serve a request; whether another one may follow. */
  async #serveOne(): Promise<boolean> {
    const { manager, isClosing, maxRequests, maxHeadBytes, maxFields, deadlines } = this.#context;
    if (isClosing()) return this.#close();
    const reader = new HeadReader(this, "HTTP_BAD_REQUEST", maxHeadBytes);
    let request: RequestHead;
    try {
      this.#waitFor("idle");
      const head = await reader.next();
      if (head === undefined) return this.#close();
      request = parseRequestHead(head, { maxFields });
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return await this.#refuse(refusal);
    }
    deadlines.remove(this);
    this.#stage = "away";
    const keepAlive = request.keepAlive && ++this.#requests < maxRequests;
    const { unread } = reader;
    const { socket } = await manager.take(this.#socket, { ...request, keepAlive, unread });
    if (socket === undefined) return false;
    this.#socket = socket;
    return true;
  }

  #waitFor(stage: "idle" | "head"): void {
    const { deadlines, idleTimeoutMs, headTimeoutMs } = this.#context;
    this.#stage = stage;
    deadlines.add(this, stage === "idle" ? idleTimeoutMs : headTimeoutMs);
  }

  #close(): false {
    void this.#socket.close();
    return false;
  }

  /** Answer what is no request; nobody knows where the next one begins. */
  async #refuse(refusal: Refusal): Promise<false> {
    this.#waitFor("head"); // The client may take as long for the answer.
    await this.#write(refusal);
    this.#context.deadlines.remove(this);
    await lingeringClose(this.#socket, this.#context.clock);
    return false;
  }

  #write({ status, reason, fields }: Refusal): Promise<number> {
    const context = { method: undefined, keepAlive: false, nowMs: Date.now() };
    const { output } = textAnswer(context, status, `${reason}.\n`, fields);
    return this.#socket.write(output.whole());
  }
}
