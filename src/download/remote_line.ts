import { HandoffChannel } from "../handoff/mod.ts";
import type { Clock, Descriptors, OwnerEnd, OwnerLink, Socket } from "../transport/mod.ts";
import { unpackError } from "../handoff/packed_error.ts";
import type { DeskWord, FrontWord, TakeOrder, TakeReturn } from "./desk_words.ts";
import { lostError } from "./remote_errors.ts";

/** A thread or a process in which a desk can be, or the way through a door to one. */
export interface OpenLink {
  /** The way there. */
  readonly link: OwnerLink;
  /** Duplicates connections for another thread. */
  readonly descriptors?: Descriptors;
  /** End what is there, or leave it; resolves when that is done. */
  end(): Promise<unknown>;
  /** Keep the program running, or not. */
  ref(isNeeded: boolean): void;
}

/** Where ways to a desk come from, one after the other. */
export interface LineSource {
  /** What the desk is in. */
  readonly kind: "thread" | "process";
  /** Whether it is to be ended when there is nothing to do, for it may keep the program running. */
  readonly endsWhenIdle: boolean;
  /** Whether the desk is made with the options of this front. */
  readonly isOwner: boolean;
  /** A new way. */
  open(): Promise<OpenLink>;
}

/** Who is told what comes. */
export interface LineEvents {
  /** The desk says something. */
  word(line: RemoteLine, word: DeskWord): void;
  /** A socket comes back. */
  socket(socket: Socket, result: TakeReturn): void;
  /** Something failed that nobody waits for. */
  report(error: unknown): void;
}

/** How long the system may take to end a thread or a process. */
const END_MS = 2000;
/** Who says nothing for so long, and does not take a socket either, is taken for dead. */
const SILENT_MS = 8000;

/** The words that are answered. */
type Call = Extract<FrontWord, { readonly call: number }>;
type Asked = Exclude<Call, { readonly kind: "answer" }>;
type WithoutCall<T> = T extends unknown ? Omit<T, "call"> : never;

/** A way to a desk, as long as it stands. */
export class RemoteLine {
  /** Where it leads. */
  readonly kind: "thread" | "process";
  /** Resolves when it is over, with how the other end has ended. */
  readonly ended: Promise<OwnerEnd>;
  /** Told when nothing uses it any more. */
  onIdle: (() => void) | undefined;
  #open: OpenLink;
  #channel: HandoffChannel;
  #calls = new Map<number, PromiseWithResolvers<void>>();
  #lastCall = 0;
  #uses = 0;
  #end: OwnerEnd | undefined;
  #clock: Clock;
  #heardMs: number;
  /** Declares it over, where the system does not. */
  #declare: (end: OwnerEnd) => void;

  /** Begins to receive. */
  constructor(kind: "thread" | "process", open: OpenLink, clock: Clock, events: LineEvents) {
    this.kind = kind;
    this.#open = open;
    this.#clock = clock;
    this.#heardMs = clock.now();
    this.#channel = new HandoffChannel(open.link, {
      descriptors: open.descriptors,
      clock,
      onSocket: (socket, result) => events.socket(socket, result as TakeReturn),
      onMessage: (words) => {
        this.#heardMs = clock.now();
        for (const word of words as readonly DeskWord[]) this.#hear(word, events);
      },
      onError: (error) => events.report(error),
    });
    const declared = Promise.withResolvers<OwnerEnd>();
    this.#declare = declared.resolve;
    this.ended = Promise.race([this.#channel.ended, declared.promise]);
    void this.ended.then((end) => this.#ended(end));
  }

  /** Whether it still stands, as far as is known. */
  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** How the other end has ended, as soon as that is known. */
  get end(): OwnerEnd | undefined {
    return this.#end;
  }

  /** Somebody needs it, and with it the program. */
  use(): void {
    if (this.#uses++ === 0) this.#open.ref(true);
  }

  /** Somebody needs it no more. */
  letGo(): void {
    if (--this.#uses > 0) return;
    this.#open.ref(false);
    this.onIdle?.();
  }

  /** Whether nobody needs it. */
  get isIdle(): boolean {
    return this.#uses === 0;
  }

  /** Say something that is not answered. */
  say(word: Exclude<FrontWord, Asked>): void {
    this.#channel.post(word);
  }

  /** Say something and wait for the answer. */
  async call(word: WithoutCall<Asked>): Promise<void> {
    if (this.#end !== undefined) throw lostError(this.kind, this.#end);
    const call = ++this.#lastCall;
    const answer = Promise.withResolvers<void>();
    this.#calls.set(call, answer);
    this.use();
    try {
      this.#channel.post({ ...word, call } as Asked);
      await answer.promise;
    } finally {
      this.#calls.delete(call);
      this.letGo();
    }
  }

  /** Move a socket to the desk; resolves when it is there. See {@linkcode HandoffChannel.send}. */
  send(
    socket: Socket,
    order: TakeOrder,
    onReturn: (socket: Socket) => void,
  ): Promise<void> {
    return this.#channel.send(socket, order, { onReturn });
  }

  /** Whether the other end has said nothing for long. */
  get isSilent(): boolean {
    return this.#clock.now() - this.#heardMs >= SILENT_MS;
  }

  /** End what is at the other end, at once; where the system does not tell of its end, not for ever. */
  async terminate(): Promise<void> {
    this.#open.ref(true); // Or the program might end while it waits for nothing else.
    const cancel = this.#clock.schedule(END_MS, () => this.#declare({ reason: "terminated" }));
    void this.#open.end();
    await this.ended;
    cancel();
  }

  #hear(word: DeskWord, events: LineEvents): void {
    if (word.kind !== "answer") return events.word(this, word);
    const waiting = this.#calls.get(word.call);
    if (word.error === undefined) waiting?.resolve();
    else waiting?.reject(unpackError(word.error));
  }

  #ended(end: OwnerEnd): void {
    this.#end = end;
    for (const { reject } of this.#calls.values()) reject(lostError(this.kind, end));
  }
}
