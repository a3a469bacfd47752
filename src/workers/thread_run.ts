import { HandoffChannel } from "../handoff/mod.ts";
import type { Clock, Descriptors, OwnerEnd, Socket, StartedOwner } from "../transport/mod.ts";
import type { GroupWord, MemberWord, SocketNote } from "./words.ts";

/** How long a start may take. */
const START_MS = 15_000;
/** How long the system may take to end a thread. */
const END_MS = 2000;
/** So many questions in a row without an answer, and a thread is taken for dead. */
const MAX_UNANSWERED = 3;

/** Who is told of what a thread does. */
export interface RunEvents {
  /** It says something. */
  word(word: MemberWord): void;
  /** A socket comes back. */
  socket(socket: Socket, note: SocketNote): void;
  /** Something failed that nobody waits for. */
  report(error: unknown): void;
}

/** What a life of a thread needs. */
export interface RunParts {
  /** Duplicates connections, where that can be done. */
  readonly descriptors: Descriptors | undefined;
  readonly clock: Clock;
  /** How long it may say nothing; `Infinity` for no limit. */
  readonly maxSilenceMs: number;
  readonly events: RunEvents;
}

/** One life of a thread, from its start to its end. */
export class ThreadRun {
  /** Moves sockets there and back. */
  readonly channel: HandoffChannel;
  /** Resolves when it is over. */
  readonly ended: Promise<OwnerEnd>;
  /** Whether connections that it has may outlive it. */
  readonly mayHoldOn: boolean;
  #owner: StartedOwner;
  #clock: Clock;
  #stopWatch: () => void;
  #unanswered = 0;
  /** Declares it over, where the system does not. */
  #declare: (end: OwnerEnd) => void;

  /** Begins to receive. */
  constructor(owner: StartedOwner, { descriptors, clock, maxSilenceMs, events }: RunParts) {
    this.#owner = owner;
    this.#clock = clock;
    this.mayHoldOn = owner.mayHoldOn === true;
    const declared = Promise.withResolvers<OwnerEnd>();
    this.#declare = declared.resolve;
    this.#stopWatch = clock.schedule(START_MS, () => {
      const message = `it did not call serveSockets or serveRequests within ${START_MS} ms`;
      this.#fail(message);
    });
    this.channel = new HandoffChannel(owner, {
      descriptors,
      clock,
      onSocket: (socket, note) => events.socket(socket, note as SocketNote),
      onMessage: (message) => {
        const word = message as MemberWord;
        this.#unanswered = 0;
        if (word.kind === "hello") this.#watch(maxSilenceMs);
        events.word(word);
      },
      onError: (error) => events.report(error),
    });
    this.ended = Promise.race([this.channel.ended, declared.promise]);
    void this.ended.then(() => this.#stopWatch());
  }

  /** Say something. */
  say(word: GroupWord, transfer?: readonly ArrayBuffer[]): void {
    this.channel.post(word, transfer);
  }

  /** End it at once; where the system does not tell of its end, not for ever. */
  async terminate(): Promise<void> {
    const cancel = this.#clock.schedule(END_MS, () => this.#declare({ reason: "terminated" }));
    void this.#owner.terminate();
    await this.ended;
    cancel();
  }

  /**
   * Ask again and again whether it is there. Questions are counted and not milliseconds: when this
   * thread was busy itself, the answers are still in its queue.
   */
  #watch(maxSilenceMs: number): void {
    this.#stopWatch();
    if (maxSilenceMs === Infinity) return;
    const look = () => {
      if (this.#unanswered === MAX_UNANSWERED) {
        return this.#fail(`it has said nothing for ${maxSilenceMs} ms`);
      }
      this.#unanswered++;
      this.say({ kind: "ping" });
      this.#stopWatch = this.#clock.schedule(maxSilenceMs / MAX_UNANSWERED, look);
    };
    this.#stopWatch = this.#clock.schedule(maxSilenceMs / MAX_UNANSWERED, look);
  }

  #fail(message: string): void {
    this.#declare({ reason: "failed", error: new Error(message) });
    void this.#owner.terminate();
  }
}
