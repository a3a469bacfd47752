import { setImmediate } from "node:timers";
import type { LinkReceiver, OwnerEnd, OwnerLink } from "../../transport/mod.ts";

/** One end of the way between a thread and the one that has started it. */
export interface ThreadEnd {
  /** Send a message. */
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Say who gets what comes. */
  listen(receive: (message: unknown) => void): void;
}

type Frame =
  | readonly ["ready"]
  | readonly ["message", unknown]
  /** The thread is about to end; Deno does not tell. */
  | readonly ["bye", number | undefined];

/** A link to another thread. */
export class ThreadLink implements OwnerLink {
  readonly kind = "thread";
  readonly ended: Promise<OwnerEnd>;
  #end: ThreadEnd;
  #receiver: LinkReceiver | undefined;
  #isOver = false;
  /** What waits until the script at the other end has begun to receive. */
  #waiting: (readonly [message: unknown, transfer?: readonly ArrayBuffer[]])[] | undefined;
  #bye: ((exitCode: number | undefined) => void) | undefined;

  /** `bye` is told at the end of the one who has started the other one; the thread has none. */
  constructor(
    end: ThreadEnd,
    ended: Promise<OwnerEnd>,
    bye?: (exitCode: number | undefined) => void,
  ) {
    this.#end = end;
    this.ended = ended;
    this.#bye = bye;
    this.#waiting = bye === undefined ? undefined : [];
    void ended.then(() => this.#isOver = true);
    if (bye !== undefined) this.#listen();
  }

  post(
    message: unknown,
    told?: (arrives: boolean) => void,
    transfer?: readonly ArrayBuffer[],
  ): void {
    if (this.#waiting !== undefined) {
      structuredClone(message); // What cannot be cloned is the caller's fault: he hears of it now.
      this.#waiting.push([message, transfer]);
    } else if (!this.#isOver) {
      this.#end.postMessage(["message", message] satisfies Frame, transfer);
    }
    told?.(!this.#isOver);
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    if (this.#bye !== undefined) return;
    this.#listen();
    this.#end.postMessage(["ready"] satisfies Frame);
  }

  atTurnEnd(act: () => void): void {
    setImmediate(act);
  }

  /** Tell the starter that this thread ends. */
  sayBye(exitCode?: number): void {
    this.#end.postMessage(["bye", exitCode] satisfies Frame);
  }

  #listen(): void {
    this.#end.listen((message) => this.#arrived(message as Frame));
  }

  #arrived([kind, content]: Frame): void {
    if (kind === "message") return this.#receiver?.message(content);
    if (kind === "bye") return this.#bye?.(content);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const [message, transfer] of waiting) {
      this.#end.postMessage(["message", message] satisfies Frame, transfer);
    }
  }
}
