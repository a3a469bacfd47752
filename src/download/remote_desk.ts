import { handOff } from "../handoff/mod.ts";
import { refuseRequest } from "../http/mod.ts";
import { type Clock, isJackfieldError, JackfieldError, type Socket } from "../transport/mod.ts";
import { busyAnswer } from "./answers.ts";
import { unpackError } from "../handoff/packed_error.ts";
import { type DeskWord, HOOKS } from "./desk_words.ts";
import type { Download } from "./download.ts";
import type { DownloadDesk, DownloadStats } from "./download_desk.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import type { DownloadRequest, DownloadResult } from "./download_request.ts";
import { Farewells } from "./farewells.ts";
import { Doors } from "./placement_door.ts";
import { RemoteBook } from "./remote_book.ts";
import { RemoteDownload, type RemoteDownloadKeeper } from "./remote_download.ts";
import { lostError } from "./remote_errors.ts";
import { answerHook } from "./remote_hooks.ts";
import { RemoteKeeper } from "./remote_keeper.ts";
import type { LineSource, RemoteLine } from "./remote_line.ts";
import { deskOptionsOf, termsOf } from "./remote_terms.ts";
import type { Settings } from "./settings.ts";

/** How long a request may wait for a manager that is being started. */
const WAIT_MS = 10_000;

/** What a {@linkcode RemoteDesk} is made of. */
export interface RemoteDeskParts {
  readonly options: DownloadManagerOptions;
  readonly settings: Settings;
  /** Where the desk is. */
  readonly source: LineSource;
  /** Serves connections that cannot travel, and requests that need no file. */
  readonly here: DownloadDesk;
  /** Whether `here` serves everything where there can be no other desk. */
  readonly mayStay: boolean;
  readonly clock: Clock;
  /** See `KeeperParts`. */
  readonly random: () => number;
}

/**
 * Serves downloads in another thread or process.
 *
 * A socket that is taken belongs to this end until the other one has adopted it, and then to the other
 * one, until it comes back with its result. A download is looked at and steered through a mirror here,
 * which the other end keeps up to date: with what happens at once, with its progress now and then.
 *
 * When the other end dies, downloads that it had are lost. Those on their way to it come back and
 * wait for the next one, for a while, like those that come meanwhile.
 */
export class RemoteDesk implements DownloadDesk {
  #parts: RemoteDeskParts;
  #keeper: RemoteKeeper;
  #farewells: Farewells;
  #book: RemoteBook;
  #doors: Doors | undefined;
  /** Those for which there is no line yet. */
  #waiting = new Set<RemoteDownload>();
  #lastTake = 0;
  #stays = false;
  #isKept = false;
  #closing: Promise<void> | undefined;
  #emptied: (() => void) | undefined;
  #steering: RemoteDownloadKeeper = {
    pause: (download, paused) => this.#pause(download, paused),
    fail: (download, error) => this.#fail(download, error),
  };

  /** Starts nothing before somebody asks. */
  constructor(parts: RemoteDeskParts) {
    const { source, clock, random, settings, options } = parts;
    this.#parts = parts;
    this.#farewells = new Farewells(clock, settings.stallTimeoutMs);
    this.#book = new RemoteBook(options, () => this.#tellIfEmpty());
    this.#keeper = new RemoteKeeper({
      source,
      clock,
      random,
      events: {
        begin: (line) => this.#begin(line),
        opened: (line) => this.#opened(line),
        lost: (error, line) => this.#lost(error, line),
        word: (line, word) => this.#hear(line, word),
        socket: (socket, result) => this.#book.returned(socket, result),
        report: (error) => this.#book.report(error),
      },
    });
  }

  /** Whether everything is served here, because nothing can be served elsewhere. */
  get staysHere(): boolean {
    return this.#stays;
  }

  async check(): Promise<void> {
    const { here, mayStay } = this.#parts;
    try {
      if (!this.#stays) return await (await this.#keeper.need()).call({ kind: "check" });
    } catch (error) {
      if (!mayStay || !isForGood(error)) throw error;
    }
    await here.check();
  }

  stats(): DownloadStats {
    const [here, there] = [this.#parts.here.stats(), this.#book.stats()];
    return {
      active: here.active + there.active,
      queued: here.queued + there.queued,
      finished: here.finished + there.finished,
      refused: here.refused + there.refused,
      bytes: here.bytes + there.bytes,
      engine: here.engine, // The same one: another one stays here.
    };
  }

  downloads(): readonly Download[] {
    const there = this.#book.all().filter(({ state }) => state !== "ended");
    return [...this.#parts.here.downloads(), ...there];
  }

  limit(bytesPerSecond: number): void {
    this.#parts.here.limit(bytesPerSecond);
    this.#keeper.line?.say({ kind: "limit", bytesPerSecond });
  }

  /** Keep the other end while there is nothing to do, too. */
  keep(): void {
    this.#isKept = true;
    this.#keeper.keep();
  }

  /** See {@linkcode DownloadManager.door}. */
  door(): MessagePort {
    this.keep();
    this.#doors ??= new Doors({
      say: (door, message) => this.#keeper.line?.say({ kind: "door", door, message }),
      need: () => this.#keeper.need(),
    });
    return this.#doors.make();
  }

  take(socket: Socket, request: DownloadRequest, unread?: Uint8Array): Promise<DownloadResult> {
    const { here, options } = this.#parts;
    if (this.#stays || refuseRequest(request) !== undefined) {
      return here.take(socket, request, unread);
    }
    let own: Socket;
    try {
      own = handOff(socket, unread); // It is gone for the caller, whatever happens now.
    } catch (error) {
      return Promise.reject(error);
    }
    const terms = termsOf(request, options);
    const download = new RemoteDownload(++this.#lastTake, own, request, terms, this.#steering);
    this.#book.add(download);
    this.#dispatch(download);
    return download.result;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  abort(reason?: unknown): void {
    void this.close();
    this.#parts.here.abort(reason);
    // All at once: one after the other, each would make room for the next.
    this.#keeper.line?.say({ kind: "abort" });
    for (const download of this.#book.all()) this.#fail(download, reason);
    this.#farewells.abort(reason);
  }

  async #close(): Promise<void> {
    this.#keeper.line?.say({ kind: "closing" });
    await this.#parts.here.close();
    if (!this.#isEmpty) await new Promise<void>((resolve) => this.#emptied = resolve);
    await this.#keeper.close();
    this.#doors?.close();
  }

  get #isEmpty(): boolean {
    return this.#book.size + this.#farewells.size === 0;
  }

  #tellIfEmpty(): void {
    if (this.#isEmpty) this.#emptied?.();
  }

  async #begin(line: RemoteLine): Promise<void> {
    const { options, settings, source } = this.#parts;
    const hooks = HOOKS.filter((hook) => options[hook] !== undefined);
    const own = source.isOwner ? { options: deskOptionsOf(options, settings) } : {};
    await line.call({ kind: "open", hooks, ...own });
  }

  #opened(line: RemoteLine): void {
    if (this.#closing !== undefined) line.say({ kind: "closing" });
    for (const download of [...this.#waiting]) {
      this.#stopWaiting(download);
      void this.#send(download, line);
    }
  }

  #lost(error: JackfieldError, line: RemoteLine | undefined): void {
    const { mayStay } = this.#parts;
    this.#doors?.lost(error.message);
    for (const download of this.#book.all()) {
      // One that is on its way comes back by itself, or fails.
      if (line === undefined || download.line !== line || download.isMoving) continue;
      this.#book.fail(download, error.cause);
      this.#book.leave(download);
    }
    if (line === undefined && isForGood(error)) {
      if (mayStay) this.#stays = true;
      else this.#book.report(error);
      for (const download of [...this.#waiting]) {
        this.#stopWaiting(download);
        if (mayStay) this.#serveHere(download);
        else this.#dismiss(download, error);
      }
      return;
    }
    this.#book.report(error);
    if (this.#waiting.size === 0 && (!this.#isKept || this.#closing !== undefined)) return;
    this.#keeper.need().catch(() => {}); // `lost` is told.
  }

  #dispatch(download: RemoteDownload): void {
    const { line } = this.#keeper;
    if (line?.isOpen) return void this.#send(download, line);
    const { clock, settings } = this.#parts;
    const limit = settings.maxActive + settings.maxQueued; // So many the desk would take.
    if (this.#waiting.size >= limit) {
      return this.#dismiss(download, waitError("too many wait for it", limit));
    }
    this.#waiting.add(download);
    download.stopWaiting = clock.schedule(WAIT_MS, () => {
      this.#stopWaiting(download);
      this.#dismiss(download, waitError(`it was not there within ${WAIT_MS} ms`, WAIT_MS));
    });
    this.#keeper.need().catch(() => {}); // `lost` is told.
  }

  #stopWaiting(download: RemoteDownload): void {
    this.#waiting.delete(download);
    download.stopWaiting?.();
    download.stopWaiting = undefined;
  }

  async #send(download: RemoteDownload, line: RemoteLine): Promise<void> {
    const { id: take, request, terms } = download;
    download.line = line;
    download.isMoving = true;
    line.use();
    if (download.paused) line.say({ kind: "pause", take }); // It is there before the socket.
    let failure: { readonly error: unknown } | undefined;
    let returned: Socket | undefined;
    try {
      await line.send(download.socket, { take, request, terms }, (socket) => returned = socket);
    } catch (error) {
      failure = { error };
    }
    download.isMoving = false;
    if (failure !== undefined) return this.#unsent(download, line, failure.error, returned);
    if (download.isSettled) { // It was cancelled on its way.
      line.say({ kind: "cancel", take });
      this.#book.leave(download);
    } else if (line.end !== undefined) { // It has died with it.
      this.#book.fail(download, lostError(line.kind, line.end));
      this.#book.leave(download);
    }
  }

  /** It could not be moved. */
  #unsent(
    download: RemoteDownload,
    line: RemoteLine,
    error: unknown,
    returned: Socket | undefined,
  ): void {
    download.line = undefined;
    if (download.paused) line.say({ kind: "resume", take: download.id }); // It does not come.
    line.letGo();
    if (isJackfieldError(error, "HANDOFF_TIMEOUT") && line.isSilent) void line.terminate();
    if (returned !== undefined) download.socket = returned;
    if (download.isSettled) {
      download.socket.abort();
      this.#book.leave(download);
    } else if (isJackfieldError(error, "UNSUPPORTED")) this.#serveHere(download);
    else if (returned === undefined) {
      const end = isJackfieldError(error, "HANDOFF_CLOSED") ? line.end : undefined;
      this.#fail(download, end === undefined ? error : lostError(line.kind, end));
    } else if (line.isOpen && line === this.#keeper.line) this.#dismiss(download, error);
    else this.#dispatch(download); // The next one takes it.
  }

  /** It cannot travel, or there can be no desk elsewhere. */
  #serveHere(download: RemoteDownload): void {
    const { socket, request } = download;
    this.#parts.here.take(socket, request).then(
      (result) => download.settle(result),
      (error) => download.refuse(error),
    );
    this.#book.leave(download);
  }

  /** Answer that nobody can serve it now. */
  #dismiss(download: RemoteDownload, error: unknown): void {
    const { request: { method }, socket } = download;
    this.#book.report(error);
    this.#book.refused();
    download.state = "ended";
    const context = { method, keepAlive: false, nowMs: Date.now() };
    const answer = busyAnswer(context, "This cannot be served now. Try again.\n");
    this.#farewells.answer(socket, answer, false).then(
      (result) => download.settle(result),
      (failure) => {
        socket.abort(failure);
        download.refuse(failure);
      },
    ).finally(() => this.#book.leave(download));
  }

  #hear(line: RemoteLine, word: DeskWord): void {
    switch (word.kind) {
      case "news":
        return this.#book.news(word);
      case "over":
      case "failed":
        return this.#book.over(word);
      case "report":
        return this.#book.report(unpackError(word.error));
      case "door":
        return this.#doors?.pass(word.door, word.message);
      case "ask":
        return void answerHook(line, word, this.#book.get(word.take), this.#parts.options);
    }
  }

  #pause(download: RemoteDownload, paused: boolean): void {
    if (download.state === "ended" || download.paused === paused) return;
    download.paused = paused;
    download.line?.say({ kind: paused ? "pause" : "resume", take: download.id });
  }

  /** End one here, and there. */
  #fail(download: RemoteDownload, error: unknown): void {
    if (download.isSettled || download.state === "ended") return;
    this.#book.fail(download, error);
    if (download.isMoving) return; // It is seen to when it has arrived.
    this.#stopWaiting(download);
    if (download.line === undefined) download.socket.abort(error);
    else download.line.say({ kind: "cancel", take: download.id });
    this.#book.leave(download);
  }
}

/** Whether another attempt would fail in the same way. */
function isForGood(error: unknown): boolean {
  return isJackfieldError(error, "UNSUPPORTED") || isJackfieldError(error, "PERMISSION_DENIED");
}

function waitError(why: string, limit: number): JackfieldError {
  const message = `Cannot wait for download manager: ${why}`;
  return new JackfieldError("DOWNLOAD_LOST", message, { operation: "take", limit });
}
