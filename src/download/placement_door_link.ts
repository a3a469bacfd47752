import type { LinkReceiver, OwnerEnd, OwnerLink } from "../transport/mod.ts";

/** A link to another thread whose messages somebody else carries. */
export class DoorLink implements OwnerLink {
  readonly kind = "thread";
  readonly ended: Promise<OwnerEnd>;
  #send: (message: unknown) => void;
  #settle: (end: OwnerEnd) => void;
  #isOver = false;
  #receiver: LinkReceiver | undefined;
  /** What has come before somebody receives. */
  #waiting: unknown[] = [];

  /** `send` carries messages to the other end, in order. */
  constructor(send: (message: unknown) => void) {
    this.#send = send;
    const { promise, resolve } = Promise.withResolvers<OwnerEnd>();
    this.ended = promise;
    this.#settle = resolve;
  }

  post(message: unknown, told?: (arrives: boolean) => void): void {
    if (!this.#isOver) this.#send(message);
    told?.(!this.#isOver);
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    for (const message of this.#waiting.splice(0)) receiver.message(message);
  }

  /** A message has come. */
  deliver(message: unknown): void {
    if (this.#receiver === undefined) this.#waiting.push(message);
    else this.#receiver.message(message);
  }

  /** Nothing comes any more. */
  end(end: OwnerEnd): void {
    this.#isOver = true;
    this.#settle(end);
  }
}
