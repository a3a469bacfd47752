import { handOff } from "../handoff/mod.ts";
import type { RequestHead } from "../http/mod.ts";
import { Fifo } from "../queue/mod.ts";
import {
  type Clock,
  isJackfieldError,
  JackfieldError,
  type OnError,
  type Socket,
  systemClock,
  type Transport,
} from "../transport/mod.ts";
import { type Answer, fileAnswer, textAnswer } from "./answer.ts";
import { copyToSocket } from "./copy_engine.ts";
import { FileRoot, type Found } from "./file_root.ts";
import { lingeringClose } from "./linger.ts";

/** Options of {@linkcode DownloadManager}. */
export interface DownloadManagerOptions {
  /** Its host brings the files. */
  readonly transport: Transport;
  /** The folder whose files are served. */
  readonly root: string;
  /**
   * Where the manager works: in the caller's thread.
   *
   * @default {"inline"}
   */
  readonly placement?: "inline";
  /**
   * The most downloads that are sent at once; further ones wait.
   *
   * @default {256}
   */
  readonly maxActive?: number;
  /**
   * The most downloads that wait; further ones are answered 503.
   *
   * @default {1024}
   */
  readonly maxQueued?: number;
  /** Told of downloads that failed. */
  readonly onError?: OnError;
  /**
   * Measures time.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** A request that was read from a socket. */
export interface DownloadRequest extends RequestHead {
  /** Bytes behind the head that were read already: the next request of the connection. */
  readonly unread?: Uint8Array;
}

/** How a download ended. */
export interface DownloadResult {
  /** The status that was sent. */
  readonly status: number;
  /** How many bytes of the file were sent. */
  readonly bytes: number;
  /** The socket, for the next request; `undefined` when the connection is closed. */
  readonly socket: Socket | undefined;
}

/** What a manager does now. */
export interface DownloadStats {
  /** Downloads being sent. */
  readonly active: number;
  /** Downloads that wait. */
  readonly queued: number;
  /** Downloads that ended, failed ones included. */
  readonly finished: number;
  /** Bytes of files that were sent. */
  readonly bytes: number;
}

const DEFAULT_MAX_ACTIVE = 256;
const DEFAULT_MAX_QUEUED = 1024;

/**
 * Takes over sockets together with the download requests that were read from them, and sends the
 * files on those same sockets.
 */
export class DownloadManager implements AsyncDisposable {
  /** Where the sockets come from. */
  readonly transport: Transport;
  #root: FileRoot;
  #maxActive: number;
  #maxQueued: number;
  #onError: OnError | undefined;
  #clock: Clock;
  #waiting = new Fifo<() => void>();
  #active = new Set<Socket>();
  /** Places that are taken; one for each active download. */
  #places = 0;
  #finished = 0;
  #bytes = 0;
  #closing: Promise<void> | undefined;
  #emptied: (() => void) | undefined;

  /** Checks the options; see {@linkcode check} for the folder. */
  constructor(options: DownloadManagerOptions) {
    const { transport, root, maxActive = DEFAULT_MAX_ACTIVE, maxQueued = DEFAULT_MAX_QUEUED } =
      options;
    if (!(maxActive >= 1)) {
      throw new RangeError(`Cannot use maxActive "${maxActive}": expected at least 1`);
    }
    if (!(maxQueued >= 0)) {
      throw new RangeError(`Cannot use maxQueued "${maxQueued}": expected 0 or more`);
    }
    const { placement = "inline" } = options;
    if (placement !== "inline") {
      throw new TypeError(`Cannot use placement "${placement}": expected "inline"`);
    }
    this.transport = transport;
    this.#root = new FileRoot(transport.host.files, root);
    this.#maxActive = maxActive;
    this.#maxQueued = maxQueued;
    this.#onError = options.onError;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Make sure that the folder can be served.
   *
   * @throws {JackfieldError} `FILE_FAILED`, or a TypeError when it is not a folder.
   */
  check(): Promise<void> {
    return this.#root.check();
  }

  /** What the manager does now. */
  stats(): DownloadStats {
    return {
      active: this.#places,
      queued: this.#waiting.length,
      finished: this.#finished,
      bytes: this.#bytes,
    };
  }

  /**
   * Take a socket over and serve the request that was read from it. The socket that is given is
   * `gone` at once; the result has the one to go on with.
   *
   * @throws {JackfieldError} `DOWNLOAD_CLOSED` when the manager is closed (the socket is untouched
   * then), or what broke the connection.
   */
  async take(socket: Socket, request: DownloadRequest): Promise<DownloadResult> {
    if (this.#closing !== undefined) {
      const message = "Cannot take socket: download manager is closed";
      throw new JackfieldError("DOWNLOAD_CLOSED", message, { operation: "take" });
    }
    const own = handOff(socket, request.unread);
    this.#active.add(own);
    try {
      if (request.hasBody) return await this.#refuseBody(own, request);
      if (!await this.#place()) return await this.#sendBusy(own, request);
      try {
        return await this.#serve(own, request);
      } finally {
        this.#finished++;
        this.#passPlace();
      }
    } catch (error) {
      own.abort(error);
      this.#report(error);
      throw error;
    } finally {
      this.#active.delete(own);
      if (this.#active.size === 0) this.#emptied?.();
    }
  }

  /** Take no more, and resolve when every download has ended. Idempotent. */
  close(): Promise<void> {
    return this.#closing ??= this.#active.size === 0
      ? Promise.resolve()
      : new Promise((resolve) => this.#emptied = resolve);
  }

  /** Take no more, and abort every download with `reason`. */
  abort(reason?: unknown): void {
    void this.close();
    for (const socket of this.#active) {
      // One that is closing has sent everything: only its end is on the way.
      if (socket.state !== "closing") socket.abort(reason);
    }
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Wait for a place among the active ones; `false` when too many wait already. */
  #place(): Promise<boolean> {
    if (this.#places < this.#maxActive) {
      this.#places++;
      return Promise.resolve(true);
    }
    if (this.#waiting.length >= this.#maxQueued) return Promise.resolve(false);
    return new Promise((resolve) => this.#waiting.push(() => resolve(true)));
  }

  #passPlace(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#places--;
    else next();
  }

  async #sendBusy(socket: Socket, request: DownloadRequest): Promise<DownloadResult> {
    const message = `Cannot queue download: ${this.#maxQueued} wait already`;
    this.#report(new JackfieldError("DOWNLOAD_QUEUE_FULL", message, { limit: this.#maxQueued }));
    const text = "Too many downloads wait. Try again in a moment.\n";
    return await this.#send(
      socket,
      textAnswer(request, 503, text, false, [["Retry-After", "1"]]),
      false,
    );
  }

  async #serve(socket: Socket, request: DownloadRequest): Promise<DownloadResult> {
    const { method, target } = request;
    const keepAlive = request.keepAlive && this.#closing === undefined;
    if (method !== "GET" && method !== "HEAD") {
      const allow: [string, string][] = [["Allow", "GET, HEAD"]];
      const text = "Only GET and HEAD are served here.\n";
      return await this.#send(socket, textAnswer(request, 405, text, keepAlive, allow), keepAlive);
    }
    const found = await this.#find(target);
    if (found.kind === "failed") {
      const again: [string, string][] = found.status === 503 ? [["Retry-After", "1"]] : [];
      const text = "The file cannot be read now.\n";
      const answer = textAnswer(request, found.status, text, keepAlive, again);
      return await this.#send(socket, answer, keepAlive);
    }
    if (found.kind === "missing") {
      const text = "There is no such file.\n";
      return await this.#send(socket, textAnswer(request, 404, text, keepAlive), keepAlive);
    }
    if (found.kind === "redirect") {
      const location: [string, string][] = [["Location", found.location]];
      const text = "This is a folder.\n";
      const answer = textAnswer(request, 301, text, keepAlive, location);
      return await this.#send(socket, answer, keepAlive);
    }
    const { file } = found;
    try {
      const answer = fileAnswer(request, found.path, await file.stat(), keepAlive);
      await socket.write(answer.head);
      if (answer.text.byteLength > 0) await socket.write(answer.text);
      if (answer.end > answer.start) {
        await copyToSocket(file, socket, answer.start, answer.end, (count) => this.#bytes += count);
      }
      return await this.#end(socket, answer, keepAlive);
    } finally {
      await file.close();
    }
  }

  /** Find and open a file; what the host cannot do is reported, and told to the client. */
  async #find(target: string): Promise<Found | { kind: "failed"; status: 500 | 503 }> {
    try {
      return await this.#root.find(target);
    } catch (error) {
      if (!isJackfieldError(error, "FILE_FAILED")) throw error;
      this.#report(error);
      const full = error.osCode === "EMFILE" || error.osCode === "ENFILE";
      return { kind: "failed", status: full ? 503 : 500 };
    }
  }

  /** Without a place: nothing is sent, and the client may take its time to see the answer. */
  async #refuseBody(socket: Socket, request: DownloadRequest): Promise<DownloadResult> {
    const text = "Requests with a body are not served here.\n";
    const { status, head, text: body } = textAnswer(request, 413, text, false);
    await socket.write(head);
    await socket.write(body);
    await lingeringClose(socket, this.#clock);
    this.#finished++;
    return { status, bytes: 0, socket: undefined };
  }

  async #send(socket: Socket, answer: Answer, keepAlive: boolean): Promise<DownloadResult> {
    const whole = new Uint8Array(answer.head.byteLength + answer.text.byteLength);
    whole.set(answer.head);
    whole.set(answer.text, answer.head.byteLength);
    await socket.write(whole);
    return await this.#end(socket, answer, keepAlive);
  }

  async #end(socket: Socket, answer: Answer, keepAlive: boolean): Promise<DownloadResult> {
    const { status } = answer;
    const bytes = answer.end - answer.start;
    if (keepAlive) return { status, bytes, socket: handOff(socket) };
    await socket.close();
    return { status, bytes, socket: undefined };
  }

  #report(error: unknown): void {
    try {
      this.#onError?.(error, { stage: "download" });
    } catch {
      // A download must not fail because the callback that watches it does.
    }
  }
}
