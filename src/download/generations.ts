import {
  canPauseListener,
  type Clock,
  type Host,
  isJackfieldError,
  JackfieldError,
  type Listener,
  unsupported,
} from "../transport/mod.ts";
import { Successor } from "./handover/successor.ts";
import type { NewWord } from "./handover/words.ts";

/** How long a process that has nothing left to do may take to end, in milliseconds. */
const GRACE_MS = 5000;

/** How long nothing is started after that has failed. */
const AGAIN_MS = 10_000;

/** What the first process does besides its generations. */
export interface FirstProcess {
  /** Whether it could accept. */
  hasRoom(): boolean;
  /** Accept no more: another process has a copy of the listener. */
  goAway(): Promise<void>;
  /** Accept again. */
  comeBack(): void;
}

/** Options of {@linkcode Generations}. */
export interface GenerationsOptions {
  /** Starts processes. */
  readonly host: Host;
  /** Times their answers. */
  readonly clock: Clock;
  /** Of which each gets a copy; the first process keeps its own. */
  readonly listener: Listener;
  /** How many processes may serve at once, the first one included. */
  readonly max: number;
  /** The first process. */
  readonly first: FirstProcess;
  /** Told of processes that could not be started. */
  readonly report: (error: unknown) => void;
}

/**
 * The processes that accept for this one when it has no descriptors left.
 *
 * One of them accepts at a time, or this one does. Who is full says so: then this process accepts
 * again if it has room by now, or starts the next one; the full one finishes what it has, and ends. As
 * all of them are children of this process, it knows how many there are, tells them when the server
 * closes, and accepts itself when the one that did should die. When there may be no more, or none can
 * be started, the full one waits until it has room: nothing but time is lost.
 */
export class Generations {
  #options: GenerationsOptions;
  #alive = new Set<Successor>();
  /** Who accepts; `undefined` for this process. */
  #accepting: Successor | undefined;
  #starting: Promise<void> | undefined;
  #isOver = false;
  /** When to try again after one could not be started, */
  #againMs = -Infinity;
  /** and what takes that back. */
  #cancelAgain: (() => void) | undefined;
  /** Who was full while another one was being started. */
  #missed: Successor | undefined;

  /** Starts nothing. */
  constructor(options: GenerationsOptions) {
    this.#options = options;
  }

  /** How many processes there are besides this one. */
  get count(): number {
    return this.#alive.size;
  }

  /** Who accepts has no descriptors left; `undefined` for this process. */
  full(from?: Successor): void {
    if (this.#starting !== undefined) this.#missed = from;
    if (this.#isOver || this.#starting !== undefined || from !== this.#accepting) return;
    const { first, max, clock } = this.#options;
    if (from !== undefined && first.hasRoom()) {
      this.#accepting = undefined;
      first.comeBack();
      from.tell({ kind: "leave" });
    } else if (this.#alive.size + 1 < max && clock.now() >= this.#againMs) {
      this.#starting = this.#start(from).finally(() => this.#started());
    }
  }

  /** The server closes, or another program takes over: nothing is started any more. */
  async close(timeoutMs: number): Promise<void> {
    this.#finish();
    await this.#starting;
    const ends = [...this.#alive].map((each) => {
      each.tell({ kind: "close", timeoutMs });
      this.#endWithin(each, timeoutMs + GRACE_MS);
      return each.ended;
    });
    await Promise.all(ends);
  }

  /** Another program accepts: what the others have is finished. */
  async retire(): Promise<void> {
    this.#finish();
    await this.#starting;
    this.#accepting?.tell({ kind: "leave" });
    await Promise.all([...this.#alive].map((each) => each.ended));
  }

  /** End them now. */
  abort(reason: unknown): void {
    this.#finish();
    for (const each of this.#alive) void each.stop(reason);
  }

  async #start(from: Successor | undefined): Promise<void> {
    const { host, clock, listener, first, report } = this.#options;
    let next: Successor | undefined;
    try {
      if (!canPauseListener(listener)) {
        throw unsupported("maxGenerations", "the runtime cannot stop accepting on this listener");
      }
      next = await Successor.start(host, { clock, heard: (word) => this.#heard(next!, word) });
      this.#watch(next);
      await next.giveListener(listener, true);
      this.#accepting = next;
      from?.tell({ kind: "leave" });
      await first.goAway(); // Also when it was away: to be copied, its listener had to come back.
    } catch (error) {
      this.#againMs = isJackfieldError(error, "UNSUPPORTED") ? Infinity : clock.now() + AGAIN_MS;
      if (!this.#isOver) report(error);
      await next?.stop(error);
      this.#tryAgain(from);
    }
  }

  #started(): void {
    this.#starting = undefined;
    const missed = this.#missed;
    this.#missed = undefined;
    if (missed !== undefined) this.full(missed);
  }

  /** Who is full accepts nothing, and says so only once. */
  #tryAgain(from: Successor | undefined): void {
    if (this.#isOver || this.#againMs === Infinity) return;
    const { clock, first } = this.#options;
    this.#cancelAgain = clock.schedule(AGAIN_MS, () => {
      if (from !== undefined || !first.hasRoom()) this.full(from);
    });
  }

  #finish(): void {
    this.#isOver = true;
    this.#cancelAgain?.();
  }

  #watch(one: Successor): void {
    this.#alive.add(one);
    void one.ended.then(() => {
      this.#alive.delete(one);
      if (this.#accepting !== one) return;
      this.#accepting = undefined;
      if (this.#isOver) return;
      const message =
        `Cannot accept in process ${one.pid}: it has ended; this process accepts again`;
      this.#options.report(new JackfieldError("DOWNLOAD_LOST", message, { operation: "accept" }));
      this.#options.first.comeBack();
    });
  }

  #heard(one: Successor, word: NewWord): void {
    if (word.kind === "full") this.full(one);
    else if (word.kind === "drained") this.#endWithin(one, GRACE_MS);
  }

  #endWithin(one: Successor, timeoutMs: number): void {
    const end = (): void => void one.stop(undefined);
    void one.ended.then(this.#options.clock.schedule(timeoutMs, end));
  }
}
