import { HandoffChannel } from "../handoff/mod.ts";
import {
  type Clock,
  type Descriptors,
  JackfieldError,
  type OwnerLink,
  type Socket,
} from "../transport/mod.ts";
import type { DownloadResult } from "./download_request.ts";
import { type PackedError, packError, unpackError } from "../handoff/packed_error.ts";
import { DeskTake } from "./desk_take.ts";
import type {
  DeskOptions,
  DeskWord,
  DoorMessage,
  FrontWord,
  HookName,
  Question,
  TakeOrder,
} from "./desk_words.ts";

/** Progress is told so often at most. */
const NEWS_MS = 50;
/** How long a front may take for an answer. One that has died without a word gives none. */
const ASK_MS = 60_000;

/** What serves the downloads of all fronts. */
export interface ServiceHost {
  /** A front says its first word; with options when it has started the desk. Throws what is wrong. */
  open(options: DeskOptions | undefined, hooks: readonly HookName[]): void;
  /** Serve a download; resolves as `DownloadDesk.take` does. */
  serve(socket: Socket, take: DeskTake<DeskService>): Promise<DownloadResult>;
  /** It is over, and its socket back at its front. */
  leave(take: DeskTake<DeskService>): void;
  /** See `DownloadDesk.check`. */
  check(): Promise<void>;
  /** See `DownloadDesk.limit`. */
  limit(bytesPerSecond: number): void;
  /** Connections end with their answers from now on. */
  closing(): void;
  /** Resolves when nothing is left. */
  finish(): Promise<void>;
  /** End everything now. */
  abort(): void;
  /** Something about a front in another thread. */
  door(door: number, message: DoorMessage): void;
  /** An error that belongs to a front. */
  blame(error: unknown, service: DeskService): void;
}

/** Options of {@linkcode DeskService}. */
export interface DeskServiceOptions {
  readonly host: ServiceHost;
  readonly clock: Clock;
  readonly descriptors: Descriptors | undefined;
  /** Whether the front has started the desk, and decides over it. */
  readonly isOwner: boolean;
}

/** Aborts downloads of which the front has said already that they ended, and why. */
export const CANCELLED: Error = new Error("cancelled by its front");

/** One front of a desk: what it asks for, and what it is told. */
export class DeskService {
  /** Whether the front decides over the desk. */
  readonly isOwner: boolean;
  #host: ServiceHost;
  #clock: Clock;
  #channel: HandoffChannel;
  #takes = new Map<number, DeskTake<DeskService>>();
  /** Takes that were paused before their sockets have come. */
  #pausedAhead = new Set<number>();
  #hooks: readonly HookName[] = [];
  #asked = new Map<number, PromiseWithResolvers<unknown> & { stop(): void }>();
  #lastCall = 0;
  /** What is said at the end of this turn. */
  #words: DeskWord[] = [];
  /** Downloads whose progress is told when the time comes. */
  #moving = new Set<DeskTake<DeskService>>();
  #stopTimer: (() => void) | undefined;

  /** Begins to receive. */
  constructor(link: OwnerLink, { host, clock, descriptors, isOwner }: DeskServiceOptions) {
    this.isOwner = isOwner;
    this.#host = host;
    this.#clock = clock;
    this.#channel = new HandoffChannel(link, {
      descriptors,
      clock,
      onSocket: (socket, order) => void this.#serve(socket, order as TakeOrder),
      onMessage: (word) => this.#hear(word as FrontWord),
      onError: (error) => this.report(error),
    });
    void link.ended.then(() => this.#frontEnded());
  }

  /** Which hooks the front has. */
  get hooks(): readonly HookName[] {
    return this.#hooks;
  }

  /** Ask a hook of the front about a download; rejects with what it throws. */
  ask(take: DeskTake<DeskService>, question: Question): Promise<unknown> {
    const call = ++this.#lastCall;
    const asked = Promise.withResolvers<unknown>();
    const stop = this.#clock.schedule(ASK_MS, () => this.#answered(call, undefined, silent()));
    this.#asked.set(call, { ...asked, stop });
    this.#say({ kind: "ask", call, take: take.id, ...question });
    return asked.promise;
  }

  /** A download has come further. */
  tell(take: DeskTake<DeskService>, event: "queued" | "started" | "ended", error?: unknown): void {
    this.#say({ kind: "news", ...take.news(event, error) });
    if (event !== "ended") {
      if (this.#pausedAhead.delete(take.id)) take.download!.pause();
    } else if (this.#moving.delete(take) && this.#moving.size === 0) this.#stopNews();
  }

  /** A download has sent something: the first time it is told at once, for its answer is known. */
  progress(take: DeskTake<DeskService>): void {
    if (!take.toldBytes) return this.#say({ kind: "news", ...take.news("progress") });
    this.#moving.add(take);
    this.#stopTimer ??= this.#clock.schedule(NEWS_MS, () => {
      this.#stopNews();
      for (const one of this.#moving) this.#say({ kind: "news", ...one.news("progress") });
      this.#moving.clear();
    });
  }

  /** Something failed for which no download of the front stands. */
  report(error: unknown): void {
    this.#say({ kind: "report", error: packError(error) });
  }

  /** Say something to a front in another thread, which this one passes on. */
  pass(door: number, message: DoorMessage): void {
    this.#flush(); // Nothing may overtake it.
    this.#channel.post([{ kind: "door", door, message }] satisfies DeskWord[]);
  }

  /** Take no more sockets. */
  refuse(): void {
    void this.#channel.close();
  }

  /** End its downloads now. */
  cancelAll(): void {
    for (const { download } of [...this.#takes.values()]) download?.cancel(CANCELLED);
  }

  #hear(word: FrontWord): void {
    switch (word.kind) {
      case "open":
        this.#hooks = word.hooks;
        return this.#answer(word.call, () => this.#host.open(word.options, word.hooks));
      case "check":
        return this.#answer(word.call, () => this.#host.check());
      case "finish":
        return this.#answer(word.call, () => this.isOwner ? this.#host.finish() : undefined);
      case "limit":
        return this.isOwner ? this.#host.limit(word.bytesPerSecond) : undefined;
      case "pause":
      case "resume":
        return this.#pause(word.take, word.kind === "pause");
      case "cancel":
        return this.#takes.get(word.take)?.download?.cancel(CANCELLED);
      case "answer":
        return this.#answered(word.call, word.value, word.error);
      case "closing":
        return this.isOwner ? this.#host.closing() : undefined;
      case "abort":
        return this.isOwner ? this.#host.abort() : this.cancelAll();
      case "door":
        return this.#host.door(word.door, word.message);
    }
  }

  #pause(take: number, isPaused: boolean): void {
    const download = this.#takes.get(take)?.download;
    if (download === undefined) {
      if (isPaused) this.#pausedAhead.add(take);
      else this.#pausedAhead.delete(take);
    } else if (isPaused) download.pause();
    else download.resume();
  }

  #stopNews(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  async #serve(socket: Socket, order: TakeOrder): Promise<void> {
    const take = new DeskTake<DeskService>(this, order);
    this.#takes.set(take.id, take);
    try {
      const { status, bytes, socket: next } = await this.#host.serve(socket, take);
      const result = { take: take.id, status, bytes };
      if (next === undefined || !await this.#giveBack(next, result)) {
        this.#say({ kind: "over", ...result });
      }
    } catch (error) {
      this.#say({ kind: "failed", take: take.id, error: packError(error) });
    } finally {
      this.#takes.delete(take.id);
      this.#pausedAhead.delete(take.id);
      this.#host.leave(take);
    }
  }

  /** Whether the front has the socket again; otherwise it is closed. */
  async #giveBack(socket: Socket, result: { readonly take: number }): Promise<boolean> {
    this.#flush(); // The front knows what happened before it has the socket.
    try {
      await this.#channel.send(socket, result);
      return true;
    } catch {
      socket.abort(); // The client has gone, or the front.
      return false;
    }
  }

  #answer(call: number, work: () => void | Promise<void>): void {
    void (async () => {
      try {
        await work();
        this.#say({ kind: "answer", call });
      } catch (error) {
        this.#say({ kind: "answer", call, error: packError(error) });
      }
    })();
  }

  #answered(call: number, value: unknown, error: PackedError | undefined): void {
    const asked = this.#asked.get(call);
    this.#asked.delete(call);
    asked?.stop();
    if (error === undefined) return asked?.resolve(value);
    const unpacked = unpackError(error);
    this.#host.blame(unpacked, this);
    asked?.reject(unpacked);
  }

  #frontEnded(): void {
    this.#stopNews();
    for (const call of [...this.#asked.keys()]) this.#answered(call, undefined, silent());
    this.cancelAll();
  }

  #say(word: DeskWord): void {
    if (this.#words.length === 0) queueMicrotask(() => this.#flush());
    this.#words.push(word);
  }

  #flush(): void {
    if (this.#words.length === 0) return;
    const words = this.#words;
    this.#words = [];
    this.#channel.post(words);
  }
}

/** The front does not answer any more. */
function silent(): PackedError {
  const message = "Cannot ask hook: the thread that has it does not answer";
  return packError(new JackfieldError("DOWNLOAD_LOST", message, { operation: "ask" }));
}
