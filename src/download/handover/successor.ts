import { unpackError } from "../../handoff/packed_error.ts";
import {
  type Clock,
  copyListener,
  type Host,
  JackfieldError,
  type Listener,
  type OwnerEnd,
  type StartedSuccessor,
  type SuccessorOptions,
  systemClock,
  unsupported,
} from "../../transport/mod.ts";
import { assertAtLeast } from "../settings.ts";
import type { StillMoved } from "./still_moved.ts";
import { type NewWord, type OldWord, PROTOCOL_VERSION } from "./words.ts";

/** So many copies may be on their way: the system counts them, and has a limit of its own. */
const MAX_IN_FLIGHT = 128;

/** Options of {@linkcode Successor.start}. */
export interface StartSuccessorOptions extends SuccessorOptions {
  /** For each of its answers; it is ended after that. @default {30_000} */
  readonly timeoutMs?: number;
  /** Ends it while it starts. */
  readonly signal?: AbortSignal;
  /** Times its answers. @default {systemClock} */
  readonly clock?: Clock;
  /** Told of what it says unasked. */
  readonly heard?: (word: NewWord) => void;
}

type Waiting = {
  readonly kind: NewWord["kind"];
  readonly resolve: (word: NewWord) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * The process that takes over from this one, as this one sees it.
 *
 * Whatever goes wrong, it is ended, and what was waited for rejects after its end: then it is certain
 * what it has taken and what it never will.
 */
export class Successor {
  #link: StartedSuccessor;
  #clock: Clock;
  #timeoutMs: number;
  #waiting: Waiting | undefined;
  /** Why it was ended. */
  #failure: { readonly reason: unknown } | undefined;
  #end: OwnerEnd | undefined;
  #unasked: ((word: NewWord) => void) | undefined;

  private constructor(
    link: StartedSuccessor,
    clock: Clock,
    timeoutMs: number,
    unasked: ((word: NewWord) => void) | undefined,
  ) {
    this.#unasked = unasked;
    this.#link = link;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    link.receive({ message: (word) => this.#heard(word as NewWord) });
    void link.ended.then((end) => {
      this.#end = end;
      this.#waiting?.reject(this.#error());
    });
  }

  /**
   * Start the program once more; resolves when its `serveDownloads` is ready to take over.
   *
   * @throws {JackfieldError} `UNSUPPORTED`, `PERMISSION_DENIED`, `HANDOVER_REFUSED` when it speaks
   * another version, `HANDOVER_FAILED` when it ended or took too long; or the reason of the signal.
   */
  static async start(host: Host, options: StartSuccessorOptions = {}): Promise<Successor> {
    const { timeoutMs = 30_000, signal, clock = systemClock, script, args, heard } = options;
    assertAtLeast("timeoutMs", timeoutMs, 1);
    signal?.throwIfAborted();
    if (host.successors === undefined) {
      throw unsupported("successors", "the transport's host starts no processes");
    }
    const link = host.successors.start({ script, args });
    const successor = new Successor(link, clock, timeoutMs, heard);
    const giveUp = () => void successor.stop(signal!.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      const { version } = await successor.#answer("ready");
      if (version === PROTOCOL_VERSION) return successor;
      successor.#say({ kind: "refused", version: PROTOCOL_VERSION });
      throw await successor.stop(refusedError(version));
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /** The process. */
  get pid(): number {
    return this.#link.pid;
  }

  /** Resolves when it has ended. */
  get ended(): Promise<OwnerEnd> {
    return this.#link.ended;
  }

  /** Why the connection of a socket cannot travel; `undefined` when it can. */
  refusal(connection: unknown): string | undefined {
    const { carrier } = this.#link;
    return carrier === undefined ? "no connection can travel there" : carrier.refusal(connection);
  }

  /**
   * Give it copies of connections. Resolves to the numbers of those that are its own then; rejects
   * when none is and none ever will be.
   *
   * @throws {JackfieldError} `HANDOVER_FAILED` when it has ended, or took too long.
   */
  async give(batch: readonly StillMoved[]): Promise<ReadonlySet<number>> {
    for (const [id, { still, moved }] of batch.entries()) {
      const word: OldWord = { kind: "connection", id, moved };
      this.#link.carrier!.send(word, still.parked);
      if (id % MAX_IN_FLIGHT === MAX_IN_FLIGHT - 1) {
        await this.#ask({ kind: "received?" }, "received");
      }
    }
    const { ids } = await this.#ask({ kind: "batch" }, "taken");
    return new Set(ids);
  }

  /**
   * Give it a copy of the listener, which goes on here; resolves when it accepts.
   *
   * @throws {JackfieldError} `HANDOVER_FAILED` when it has ended, or took too long, or what
   * `copyListener` throws.
   */
  async giveListener(listener: Listener, asGeneration = false): Promise<void> {
    const listening = this.#answer("listening");
    const word: OldWord = { kind: "listener", asGeneration };
    this.#link.sendListener!(listener, word).catch((error) => this.stop(error));
    await listening;
  }

  /**
   * Have it listen beside a listener that cannot leave this process; resolves when it accepts.
   *
   * @throws {JackfieldError} `HANDOVER_FAILED` when it has ended, or took too long.
   */
  async listenBeside({ address }: Listener): Promise<void> {
    await this.#ask({ kind: "listen beside", address }, "listening");
  }

  /** End it at once; resolves to the reason when it has ended. */
  async stop<Reason>(reason: Reason): Promise<Reason> {
    this.#failure ??= { reason };
    await this.#link.terminate();
    return reason;
  }

  /** It has what it is to have: neither process needs the other one any more. */
  leave(): void {
    this.#link.leave();
  }

  #heard(word: NewWord): void {
    if (word.kind === "failed") {
      return void this.stop(failedError("it cannot serve", unpackError(word.error)));
    }
    if (this.#waiting?.kind === word.kind) this.#waiting.resolve(word);
    else this.#unasked?.(word);
  }

  /** Tell it what it does not answer. */
  tell(word: OldWord): void {
    this.#say(word);
  }

  #say(word: OldWord): void {
    this.#link.post(word);
  }

  #ask<Kind extends NewWord["kind"]>(word: OldWord, kind: Kind): Promise<NewWord & { kind: Kind }> {
    const answer = this.#answer(kind);
    this.#say(word);
    return answer;
  }

  async #answer<Kind extends NewWord["kind"]>(kind: Kind): Promise<NewWord & { kind: Kind }> {
    if (this.#end !== undefined) throw this.#error();
    const timeoutMs = this.#timeoutMs;
    const cancel = this.#clock.schedule(
      timeoutMs,
      () => void this.stop(lateError(kind, timeoutMs)),
    );
    try {
      return await new Promise<NewWord & { kind: Kind }>((resolve, reject) => {
        this.#waiting = { kind, resolve: resolve as (word: NewWord) => void, reject };
      });
    } finally {
      this.#waiting = undefined;
      cancel();
    }
  }

  #error(): unknown {
    if (this.#failure !== undefined) return this.#failure.reason;
    const { reason, error, exitCode, signal } = this.#end!;
    const how = signal ?? (exitCode === undefined ? reason : `exit code ${exitCode}`);
    return failedError(`the new process has ended (${how})`, error);
  }
}

/**
 * Make sure that a listener can be given to another process.
 *
 * @throws {JackfieldError} `UNSUPPORTED` for one with TLS, of a Unix socket, or that was not made to be
 * `transferable`; `LISTENER_CLOSED`.
 */
export async function checkListener(listener: Listener): Promise<void> {
  for (const copy of await copyListener(listener)) copy.drop();
}

function refusedError(version: unknown): JackfieldError {
  const message = `Cannot hand over: the new process speaks version ${version} of the protocol, ` +
    `expected ${PROTOCOL_VERSION}`;
  return new JackfieldError("HANDOVER_REFUSED", message, { operation: "hand over" });
}

function lateError(kind: NewWord["kind"], timeoutMs: number): JackfieldError {
  const message = `Cannot hand over: the new process was not "${kind}" within ${timeoutMs} ms`;
  const facts = { operation: "hand over", phase: "handover", limit: timeoutMs } as const;
  return new JackfieldError("HANDOVER_FAILED", message, facts);
}

function failedError(why: string, cause?: unknown): JackfieldError {
  const words = cause instanceof Error ? `${why}: ${cause.message}` : why;
  const facts = { operation: "hand over", cause };
  return new JackfieldError("HANDOVER_FAILED", `Cannot hand over: ${words}`, facts);
}
