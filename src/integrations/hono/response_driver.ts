import { findHeadEnd, parseResponseHead } from "../../http/mod.ts";
import { type DriverWatcher, joinBytes, type SocketDriver } from "../../transport/mod.ts";

/** What the server says itself: they speak of its connection, and of its clock. */
const OF_THE_SERVER = new Set(["connection", "date"]);
/** Statuses whose answers have no body, whatever their Content-Length says. */
const BODILESS = new Set([204, 304]);

/**
 * A connection whose far end is a `Response`: the head that is written to it becomes status and
 * headers, and what follows its body.
 *
 * A write ends when the server has asked for the bytes, so that a slow client holds up its own
 * download only, and nothing is kept in between. A body that comes whole with its head is given whole:
 * it needs no stream.
 *
 * ```text
 * head ──(the empty line)──► body ──(closeWrite, close)──► over
 *   └───────────────────────────┴──(abort, the client leaves)──► over
 * ```
 */
export class ResponseDriver implements SocketDriver {
  #method: string;
  /** Asked for when the download has to wait: in Deno a look at it makes the runtime say something. */
  #signalOf: () => AbortSignal;
  #response = Promise.withResolvers<Response>();
  /** What came of the head. */
  #head: Uint8Array | undefined = new Uint8Array(0);
  /** The body, if it is a stream. */
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Whether the server waits for bytes, */
  #isWanted = false;
  /** or the write for the server. */
  #waiting: PromiseWithResolvers<void> | undefined;
  #watcher: DriverWatcher | undefined;
  #stopListening: (() => void) | undefined;
  /** Set when nothing can be sent any more. */
  #failure: unknown;

  /** For a request with this method; its signal says that the client has left. */
  constructor(method: string, signalOf: () => AbortSignal) {
    this.#method = method;
    this.#signalOf = signalOf;
  }

  /** Resolves when the head has been written. */
  get response(): Promise<Response> {
    return this.#response.promise;
  }

  /** The request has been read: nothing comes. */
  read(): null {
    return null;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    const body = this.#head === undefined ? bytes : this.#takeHead(bytes);
    if (body.byteLength > 0 && this.#body !== undefined) {
      if (!this.#isWanted) await this.#waitForServer();
      if (this.#failure !== undefined) throw this.#failure;
      this.#isWanted = false;
      this.#body.enqueue(body.slice()); // The server keeps it for longer than the writer.
    }
    return bytes.byteLength;
  }

  closeWrite(): void {
    this.#stopListening?.();
    if (this.#failure !== undefined) return;
    this.#failure = resetError("the answer has ended");
    this.#body?.close();
  }

  close(): void {
    this.closeWrite();
  }

  /** Who aborts tells {@linkcode fail} why. */
  abort(): void {
    this.#stop(resetError("the connection was aborted"));
  }

  watch(watcher: DriverWatcher): void {
    this.#watcher = watcher;
  }

  /** Somebody waits for the client to leave: the download has no place yet. */
  lookAhead(): void {
    if (this.#stopListening !== undefined) return;
    const signal = this.#signalOf();
    const left = (): void => this.#clientLeft();
    signal.addEventListener("abort", left);
    this.#stopListening = () => signal.removeEventListener("abort", left);
    if (signal.aborted) queueMicrotask(left); // Nothing is told within this call.
  }

  /** The answer cannot be finished: the server is told, which breaks the connection. */
  fail(error: unknown): void {
    this.#response.reject(error);
    try {
      this.#body?.error(error);
    } catch {
      // The stream is over: the server has all of it, or has left.
    }
  }

  /** Read the head as far as it has come; gives the part of the body behind it. */
  #takeHead(bytes: Uint8Array): Uint8Array {
    const early = this.#head!;
    const all = early.byteLength === 0 ? bytes : joinBytes([early, bytes]);
    const end = findHeadEnd(all);
    this.#head = end === undefined ? all.slice() : undefined; // The writer has its bytes back.
    if (end === undefined) return new Uint8Array(0);
    this.#stopListening?.();
    const { status, fields, contentLength } = parseResponseHead(all.subarray(0, end));
    const body = all.subarray(end);
    const headers = new Headers();
    for (const [name, value] of fields) if (!OF_THE_SERVER.has(name)) headers.set(name, value);
    const hasBody = this.#method !== "HEAD" && !BODILESS.has(status) && contentLength !== 0;
    const content = !hasBody
      ? null
      : body.byteLength === contentLength
      ? body.slice()
      : this.#stream();
    this.#response.resolve(new Response(content, { status, headers }));
    return body;
  }

  #stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#body = controller;
      },
      pull: () => {
        this.#isWanted = true;
        this.#waiting?.resolve();
      },
      cancel: () => this.#clientLeft(),
    }, { highWaterMark: 0 });
  }

  #waitForServer(): Promise<void> {
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  #clientLeft(): void {
    const error = resetError("the client has left");
    this.#stop(error);
    this.#watcher?.gone(error);
  }

  #stop(error: unknown): void {
    this.#stopListening?.();
    this.#failure ??= error;
    this.#waiting?.reject(error);
  }
}

/** What a socket would say. */
function resetError(message: string): Error {
  return Object.assign(new Error(message), { code: "ECONNRESET" });
}
