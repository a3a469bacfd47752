import { FileRoot } from "../files/mod.ts";
import { handOff } from "../handoff/mod.ts";
import { refuseRequest, type RequestHead, type RequestRefusal } from "../http/mod.ts";
import { ByteScheduler, Deadlines, type ScheduledFlow } from "../queue/mod.ts";
import {
  type Clock,
  isJackfieldError,
  JackfieldError,
  type Socket,
  systemClock,
} from "../transport/mod.ts";
import { accountOf } from "./account.ts";
import { type Answer, type AnswerContext, busyAnswer, textAnswer } from "./answers.ts";
import { type Download, type DownloadKeeper, ManagedDownload } from "./download.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import type { DownloadDesk, DownloadStats, ShortDesk } from "./download_desk.ts";
import type { DownloadRequest, DownloadResult } from "./download_request.ts";
import {
  copyEngine,
  type EngineParts,
  type EngineReport,
  type ShortAnswers,
  type ShortResult,
} from "./engine.ts";
import { Farewells } from "./farewells.ts";
import { DeskMoves } from "./handover/desk_moves.ts";
import { failureAnswer, FileAnswers, type PreparedAnswer } from "./file_answers.ts";
import { Notices } from "./notices.ts";
import { RememberedAnswers } from "./remembered_answers.ts";
import type { Settings } from "./settings.ts";
import { ShortRequests } from "./short_requests.ts";
import { TurnEngine } from "./turn_engine.ts";

/** A file that changes while it is looked at is looked at again so often. */
const MAX_ATTEMPTS = 3;

/** A longer answer has to take turns with the downloads of other clients. */
const SHARED_SHORT_BYTES = 64 * 1024;

/** Serves downloads in this thread. */
export class InlineDesk implements DownloadDesk, ShortDesk {
  #settings: Settings;
  #options: DownloadManagerOptions;
  #notices: Notices;
  #clock: Clock;
  #root: FileRoot;
  #answers: FileAnswers;
  #flows: ByteScheduler<ManagedDownload>;
  #deadlines: Deadlines;
  #engine: TurnEngine;
  #engineReport: EngineReport;
  #parts: EngineParts | undefined;
  #short: ShortAnswers | undefined;
  #requests = new ShortRequests();
  #downloads = new Set<ManagedDownload>();
  #farewells: Farewells;
  /** How many answers are being looked for, also for those that are over. */
  #preparing = 0;
  #finished = 0;
  #refused = 0;
  #bytes = 0;
  /** Lets downloads stand still, and takes them up again. */
  readonly moves: DeskMoves;
  #keeper: DownloadKeeper = {
    pause: (download) => this.#pause(download, true),
    resume: (download) => this.#pause(download, false),
    fail: (download, error) => this.#fail(download, error),
    stalled: (download) => this.#stalled(download),
  };
  #closing: Promise<void> | undefined;
  #emptied: (() => void) | undefined;

  /** See {@linkcode DownloadManager}. */
  constructor(options: DownloadManagerOptions, settings: Settings) {
    const { transport, clock = systemClock, engine = copyEngine() } = options;
    this.#settings = settings;
    this.#options = options;
    this.#notices = new Notices(options);
    this.#clock = clock;
    this.#root = new FileRoot({ ...options, files: transport.host.files });
    const onError = (error: unknown) => this.#notices.report(error);
    this.#farewells = new Farewells(clock, settings.stallTimeoutMs);
    this.#deadlines = new Deadlines(clock, { onError });
    const { name, mode, reason } = engine;
    this.#engineReport = {
      name,
      ...(mode === undefined ? {} : { mode }),
      ...(reason === undefined ? {} : { reason }),
    };
    this.#answers = new FileAnswers(this.#root, options, clock);
    this.#parts = engine.start?.(); // Nothing after it throws: it may have a thread.
    const short: ShortAnswers = this.#parts?.short ?? new RememberedAnswers(transport.host.files!);
    this.#short = isPlain(options) ? short : undefined;
    this.#answers.keepIn(this.#short);
    const { maxOpenFiles = Infinity } = options;
    if (short.maxKept !== undefined) short.maxKept = Math.min(short.maxKept, maxOpenFiles);
    const isLimited = settings.rateLimit.bytesPerSecond < Infinity ||
      settings.rateLimitOf !== undefined;
    this.#flows = new ByteScheduler({
      // Below a limit, turns of many bytes would be few, and shares coarse.
      quantumBytes: isLimited ? undefined : this.#parts?.quantumBytes,
      maxActive: settings.maxActive,
      maxQueued: settings.maxQueued,
      rateLimit: settings.rateLimit,
      rateLimitOf: settings.rateLimitOf,
      weightOf: options.weightOf,
      clock,
      deadlines: this.#deadlines,
      onReady: () => this.#engine.wake(),
      observer: { started: (flow) => this.#begin(flow) },
      onError,
    });
    const hides = isPlain(options);
    this.#engine = new TurnEngine(this.#flows, {
      progress: (download, bytes) => this.#progress(download, bytes),
      waiting: (download) => {
        if (hides) download.shrink();
      },
      completed: (download) => void this.#complete(download),
      failed: (download, error) => this.#failed(download, error),
    }, {
      clock,
      deadlines: this.#deadlines,
      stallTimeoutMs: settings.stallTimeoutMs,
      sender: this.#parts?.sender,
    });
    this.moves = new DeskMoves({
      downloads: this.#downloads,
      flows: this.#flows,
      root: this.#root,
      keeper: this.#keeper,
      clock,
      waitInLine: (download) => this.#waitInLine(download),
      fail: (download, error) => this.#fail(download, error),
      left: () => this.#tellIfEmpty(),
      gaveUp: (download, error) => {
        this.#finished++;
        this.#notices.tell("ended", download, error);
      },
    });
  }

  check(): Promise<void> {
    return this.#root.check();
  }

  stats(): DownloadStats {
    const { active, queued } = this.#flows.stats();
    const [finished, refused] = [this.#finished, this.#refused];
    const engine = { ...this.#engineReport, ...this.#parts?.report?.() };
    return { active, queued, finished, refused, bytes: this.#bytes, engine };
  }

  downloads(): readonly Download[] {
    return [...this.#downloads];
  }

  /** How many files are open here. */
  get openFiles(): number {
    return this.#root.openFiles;
  }

  limit(bytesPerSecond: number): void {
    this.#settings.rateLimit.change(bytesPerSecond, this.#clock.now());
  }

  take(socket: Socket, request: DownloadRequest, unread?: Uint8Array): Promise<DownloadResult> {
    let own: Socket;
    try {
      own = handOff(socket, unread);
    } catch (error) {
      return Promise.reject(error);
    }
    const refusal = refuseRequest(request);
    if (refusal !== undefined) return this.#refuse(own, request, refusal);
    return this.#enqueue(own, request);
  }

  /** Itself, where its engine has such answers, and nobody else has a say in them. */
  get short(): ShortDesk | undefined {
    return this.#short && this;
  }

  answerShortly(
    socket: Socket,
    bytes: Uint8Array,
  ): ShortResult | undefined | Promise<ShortResult | undefined> {
    const { rateLimit, rateLimitOf, maxActive } = this.#settings;
    const isFree = rateLimit.bytesPerSecond === Infinity && rateLimitOf === undefined &&
      this.#closing === undefined && this.#flows.activeCount < maxActive;
    if (!isFree) return undefined;
    const target = this.#requests.targetOf(bytes);
    if (target === undefined) return undefined;
    const isAlone = this.#options.clientOf === undefined &&
      this.#flows.isAlone(socket.remoteAddress.hostname);
    const mostBytes = isAlone ? Infinity : SHARED_SHORT_BYTES;
    const result = this.#short!.send(socket, target, Date.now(), mostBytes);
    if (!result) return undefined;
    if (result instanceof Promise) return result.then((later) => later && this.#count(later));
    return this.#count(result);
  }

  learn(head: Uint8Array, request: RequestHead): void {
    this.#requests.learn(head, request);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#end();
  }

  async #end(): Promise<void> {
    if (!this.#isEmpty) await new Promise<void>((resolve) => this.#emptied = resolve);
    this.#parts?.close();
  }

  abort(reason?: unknown): void {
    void this.close();
    for (const download of [...this.#downloads]) this.#fail(download, reason);
    this.moves.abort(reason);
    this.#farewells.abort(reason);
  }

  get #isEmpty(): boolean {
    return this.#downloads.size + this.#farewells.size + this.#preparing + this.moves.size === 0;
  }

  /** Let a request wait for its place, which it may have at once. */
  #enqueue(socket: Socket, request: DownloadRequest): Promise<DownloadResult> {
    try {
      const { client, priority, rateLimit } = accountOf(request, this.#options);
      const download = new ManagedDownload(socket, request, client, priority, this.#keeper);
      this.#downloads.add(download);
      try {
        download.flow = this.#flows.add(download, { client, priority, rateLimit });
      } catch (error) {
        this.#downloads.delete(download);
        throw error;
      }
      if (download.state === "queued") {
        this.#notices.tell("queued", download);
        this.#waitInLine(download);
      }
      return download.result;
    } catch (error) {
      this.#notices.report(error);
      const context = this.#contextOf(request, false);
      const answer = isJackfieldError(error, "DOWNLOAD_QUEUE_FULL")
        ? busyAnswer(context, "Too many downloads wait. Try again in a moment.\n")
        : failureAnswer(context, error);
      return this.#dismiss(socket, answer);
    }
  }

  /** A client that leaves gives its place in the queue to others. */
  #waitInLine(download: ManagedDownload): void {
    const { socket } = download;
    socket.watch(() => {
      if (download.state !== "queued" || socket.state === "open") return;
      const message = "Cannot send download: the client left before its turn";
      const operation = "wait";
      const { remoteAddress: address } = socket;
      this.#fail(download, new JackfieldError("SOCKET_RESET", message, { operation, address }));
    });
  }

  /** A download has its place: it sends nothing before it is known what. */
  #begin(flow: ScheduledFlow<ManagedDownload>): void {
    const download = flow.value;
    this.#flows.park(flow);
    download.flow = flow;
    download.state = "preparing";
    download.socket.watch(undefined);
    if (!download.isStarted) {
      download.isStarted = true;
      this.#notices.tell("started", download);
    }
    if (download.output === undefined) return void this.#prepare(download);
    // A part of it was sent, here or at another desk.
    download.state = "sending";
    this.#flows.writable(flow);
  }

  async #prepare(download: ManagedDownload): Promise<void> {
    const { request } = download;
    download.keepAlive = request.keepAlive && this.#closing === undefined;
    const context = this.#contextOf(request, download.keepAlive);
    const preparation = ++download.preparations;
    // It may have moved, and be prepared there, or anew here.
    const isWanted = () => download.state === "preparing" && download.preparations === preparation;
    this.#preparing++;
    try {
      const answer = await this.#answers.prepare(request, context, isWanted);
      if (isWanted()) this.#send(download, answer);
      else answer.held?.release();
    } catch (error) {
      this.#notices.report(error);
      if (isWanted()) this.#send(download, failureAnswer(context, error));
    } finally {
      this.#preparing--;
      this.#tellIfEmpty();
    }
  }

  #send(download: ManagedDownload, { status, output, held }: PreparedAnswer): void {
    download.status = status;
    download.output = output;
    download.held = held;
    download.state = "sending";
    this.#flows.writable(download.flow!);
  }

  #progress(download: ManagedDownload, bytes: number): void {
    const body = Math.min(bytes, download.bytes);
    if (body === 0) return;
    this.#bytes += body;
    this.#notices.tell("progress", download, body);
  }

  /** The engine cannot go on: as long as nothing was sent, the client can still be told. */
  #failed(download: ManagedDownload, error: unknown): void {
    if (download.state !== "sending") return;
    const { position, request, keepAlive } = download;
    const isOfFile = isJackfieldError(error, "FILE_CHANGED") ||
      isJackfieldError(error, "FILE_FAILED");
    if (position > 0 || !isOfFile || download.attempts >= MAX_ATTEMPTS) {
      return this.#fail(download, error);
    }
    download.giveBack();
    download.attempts++;
    if (error.code === "FILE_CHANGED" && download.attempts < MAX_ATTEMPTS) {
      download.state = "preparing";
      download.output = undefined;
      return void this.#prepare(download);
    }
    this.#notices.report(error);
    this.#send(download, failureAnswer(this.#contextOf(request, keepAlive), error));
  }

  /** The kernel has taken everything. */
  async #complete(download: ManagedDownload): Promise<void> {
    const { socket, status = 0, bytes, keepAlive } = download;
    this.#leave(download);
    if (!keepAlive) await this.#farewells.close(socket);
    this.#notices.tell("ended", download);
    download.settle({ status, bytes, socket: keepAlive ? socket : undefined });
    this.#tellIfEmpty();
  }

  /** End a download before its end, and its connection with it. */
  #fail(download: ManagedDownload, error: unknown): void {
    if (download.state === "ended") return;
    this.#leave(download);
    download.socket.abort(error);
    this.#notices.report(error);
    this.#notices.tell("ended", download, error);
    download.refuse(error);
    this.#tellIfEmpty();
  }

  #pause(download: ManagedDownload, paused: boolean): void {
    if (download.state === "ended" || download.paused === paused) return;
    download.paused = paused;
    if (paused) this.#flows.pause(download.flow!);
    else this.#flows.resume(download.flow!);
  }

  #stalled(download: ManagedDownload): void {
    const { stallTimeoutMs: limit } = this.#settings;
    const { remoteAddress: address } = download.socket;
    const message = `Cannot send download: the client took nothing for ${limit} ms`;
    const facts = { operation: "write", address, limit };
    this.#fail(download, new JackfieldError("DOWNLOAD_STALLED", message, facts));
  }

  /** Give everything back that a download has. */
  #leave(download: ManagedDownload): void {
    download.state = "ended";
    this.#deadlines.remove(download);
    this.#downloads.delete(download);
    this.#finished++;
    download.giveBack();
    if (download.flow !== undefined) this.#flows.remove(download.flow);
  }

  /** Answer without a place, which ends the connection unless the refusal says otherwise. */
  #refuse(
    socket: Socket,
    request: DownloadRequest,
    refusal: RequestRefusal,
  ): Promise<DownloadResult> {
    const { status, reason, fields } = refusal;
    const keepAlive = !refusal.close && this.#closing === undefined;
    const context = this.#contextOf(request, keepAlive);
    return this.#dismiss(socket, textAnswer(context, status, `${reason}.\n`, fields), keepAlive);
  }

  async #dismiss(socket: Socket, answer: Answer, keepAlive = false): Promise<DownloadResult> {
    this.#refused++;
    try {
      return await this.#farewells.answer(socket, answer, keepAlive);
    } catch (error) {
      socket.abort(error);
      this.#notices.report(error);
      throw error;
    } finally {
      this.#tellIfEmpty();
    }
  }

  #contextOf({ method }: DownloadRequest, keepAlive: boolean): AnswerContext {
    return { method, keepAlive, nowMs: Date.now() };
  }

  #count(result: ShortResult): ShortResult {
    this.#finished++;
    this.#bytes += result.bodyBytes;
    return result;
  }

  #tellIfEmpty(): void {
    if (this.#isEmpty) this.#emptied?.();
  }
}

/** Whether nobody but the file has a say in an answer, and nobody is told of it. */
function isPlain({ authorize, resolve, headers, observer }: DownloadManagerOptions): boolean {
  return [authorize, resolve, headers, observer].every((hook) => hook === undefined);
}
