import { type Clock, isJackfieldError, JackfieldError } from "../transport/mod.ts";
import { lostError } from "./remote_errors.ts";
import { type LineEvents, type LineSource, RemoteLine } from "./remote_line.ts";

/** The first wait for another start; each further one is twice as long, */
const FIRST_REST_MS = 100;
/** up to this. */
const MAX_REST_MS = 10_000;
/** What has lasted so long was well: the next failure counts as the first. */
const STEADY_MS = 10_000;
/** How long a start may take. */
const START_MS = 15_000;
/** How long an end in good order may take. */
const FINISH_MS = 5000;
/** How long there may be nothing to do. */
const IDLE_MS = 3000;

/** Who is told of lines, besides what they say. */
export interface KeeperEvents extends LineEvents {
  /** Say what has to be said first; rejects when the desk cannot be opened. */
  begin(line: RemoteLine): Promise<void>;
  /** There is a line. */
  opened(line: RemoteLine): void;
  /** There was one, or there could be none; `line` has been open. */
  lost(error: JackfieldError, line: RemoteLine | undefined): void;
}

/** What a keeper needs. */
export interface KeeperParts {
  readonly source: LineSource;
  readonly clock: Clock;
  /** From 0 to 1: spreads the starts of many. */
  readonly random: () => number;
  readonly events: KeeperEvents;
}

/** Keeps a way to a desk open while somebody needs it, and starts another when one has ended. */
export class RemoteKeeper {
  #parts: KeeperParts;
  #line: RemoteLine | undefined;
  #starting: Promise<RemoteLine> | undefined;
  #failures = 0;
  /** When the next start may begin. */
  #restUntilMs = -Infinity;
  #isKept = false;
  #stopIdle: (() => void) | undefined;
  /** Those that are being ended in good order. */
  #ending = new Set<Promise<void>>();
  #isClosing = false;
  /** Ends the rest before a start. */
  #stopResting: (() => void) | undefined;

  /** It starts nothing by itself. */
  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** The way to the desk, if there is one now. */
  get line(): RemoteLine | undefined {
    return this.#line;
  }

  /** How often it has failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Start a line unless there is one; rejects when this attempt fails, and another may follow. */
  need(): Promise<RemoteLine> {
    this.#stopIdle?.();
    if (this.#line !== undefined) return Promise.resolve(this.#line);
    return this.#starting ??= this.#start();
  }

  /** Keep it while there is nothing to do, too. */
  keep(): void {
    this.#isKept = true;
    this.#stopIdle?.();
  }

  /** End it in good order, and start no more. The downloads are over. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#stopResting?.();
    if (this.#starting !== undefined) await this.#starting.catch(() => {}); // Others are told.
    this.#finish();
    await Promise.all(this.#ending);
  }

  async #start(): Promise<RemoteLine> {
    let line: RemoteLine | undefined;
    try {
      await this.#rest();
      line = await this.#open();
    } catch (error) {
      this.#starting = undefined;
      throw this.#lost(error, undefined);
    }
    const sinceMs = this.#parts.clock.now();
    this.#starting = undefined;
    this.#line = line;
    line.onIdle = () => this.#idle(line);
    void line.ended.then((end) => {
      if (this.#line !== line) return; // It was ended here.
      this.#line = undefined;
      this.#stopIdle?.();
      if (this.#parts.clock.now() - sinceMs >= STEADY_MS) this.#failures = 0;
      this.#lost(lostError(line.kind, end), line);
    });
    this.#parts.events.opened(line);
    line.letGo();
    return line;
  }

  async #open(): Promise<RemoteLine> {
    const { source, clock, events } = this.#parts;
    this.#throwIfClosing();
    const open = await source.open();
    let line: RemoteLine | undefined;
    let stop = () => {};
    try {
      line = new RemoteLine(source.kind, open, clock, events);
      line.use(); // Until it is open; the program may wait for nothing else.
      const begun = line;
      stop = clock.schedule(START_MS, () => void begun.terminate());
      this.#throwIfClosing();
      await events.begin(line);
      this.#throwIfClosing();
      return line;
    } catch (error) {
      void open.end(); // Nothing is left of what could not be opened.
      await line?.terminate();
      throw error;
    } finally {
      stop();
    }
  }

  /** Wait until the next start may begin, or none may. */
  #rest(): Promise<void> {
    const { clock } = this.#parts;
    const waitMs = this.#restUntilMs - clock.now();
    if (waitMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = clock.schedule(waitMs, resolve);
      this.#stopResting = () => {
        cancel();
        resolve();
      };
    });
  }

  #throwIfClosing(): void {
    if (!this.#isClosing) return;
    const message = "Cannot start download manager: it is closing";
    throw new JackfieldError("DOWNLOAD_CLOSED", message, { operation: "start" });
  }

  /** It failed: tell, and rest. */
  #lost(cause: unknown, line: RemoteLine | undefined): unknown {
    if (isJackfieldError(cause, "DOWNLOAD_CLOSED")) return cause;
    const { clock, random, source, events } = this.#parts;
    const doubled = FIRST_REST_MS * 2 ** Math.min(this.#failures++, 20);
    const restMs = Math.round(Math.min(MAX_REST_MS, doubled) * (0.5 + random() / 2));
    this.#restUntilMs = clock.now() + restMs;
    const times = this.#failures === 1 ? "" : `, ${this.#failures} times in a row`;
    const what = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot keep download manager's ${source.kind}${times}: ${what}; ` +
      `the next one may start in ${restMs} ms`;
    const code = isJackfieldError(cause) ? cause.code : "DOWNLOAD_LOST";
    const facts = isJackfieldError(cause) ? factsOf(cause) : {};
    events.lost(new JackfieldError(code, message, { ...facts, operation: "start", cause }), line);
    return cause;
  }

  /** Nothing uses the line at present. */
  #idle(line: RemoteLine): void {
    if (!this.#parts.source.endsWhenIdle || this.#isKept || this.#line !== line) return;
    this.#stopIdle?.();
    // Not on the clock of the parts: this timer must not keep the program running.
    const timer = setTimeout(() => {
      if (line.isIdle && this.#line === line) this.#finish();
    }, IDLE_MS);
    (timer as unknown as { unref?(): void }).unref?.();
    this.#stopIdle = () => clearTimeout(timer);
  }

  /** End the line in good order. */
  #finish(): void {
    const line = this.#line;
    this.#line = undefined;
    this.#stopIdle?.();
    if (line === undefined) return;
    const ending = this.#end(line).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  async #end(line: RemoteLine): Promise<void> {
    const stop = this.#parts.clock.schedule(FINISH_MS, () => void line.terminate());
    try {
      await line.call({ kind: "finish" });
    } catch {
      // It has ended already.
    } finally {
      stop();
      await line.terminate();
    }
  }
}

function factsOf({ feature, permission }: JackfieldError): object {
  return {
    ...(feature === undefined ? {} : { feature }),
    ...(permission === undefined ? {} : { permission }),
  };
}
