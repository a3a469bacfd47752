import {
  type Clock,
  type Descriptors,
  JackfieldError,
  type OwnerEnd,
  type Owners,
  type Socket,
  type SocketAddress,
} from "../transport/mod.ts";
import type { LiveBinding } from "./binding.ts";
import { Candidate } from "./candidate.ts";
import { type PackedError, unpackError } from "../handoff/packed_error.ts";
import { ThreadRun } from "./thread_run.ts";
import type { GroupListenOptions, MemberWord, SocketNote } from "./words.ts";
import { closedError, failedError, lostError } from "./worker_errors.ts";

/** The first wait for another start; each further one is twice as long, */
const FIRST_REST_MS = 100;
/** up to this. */
const MAX_REST_MS = 10_000;
/** What has lasted so long was well: the next failure counts as the first. */
const STEADY_MS = 10_000;
/** The name of the threads; the script comes from the user. */
const NAME = "group_worker";

/** What was going on when something failed that nobody waits for. */
export type WorkerStage = "thread" | "handler" | "listen" | "return";

/** Who is told of what happens to a thread. */
export interface ThreadEvents {
  /** It runs. */
  up(thread: GroupThread): void;
  /** It does not any more; `error` says why. */
  down(thread: GroupThread, error: unknown): void;
  /** Its load has changed. */
  changed(thread: GroupThread): void;
  /** Something failed that nobody waits for. */
  report(error: unknown, stage: WorkerStage): void;
}

/** What all threads of a group share. */
export interface ThreadParts {
  readonly workers: Owners;
  readonly script: URL;
  readonly descriptors: Descriptors | undefined;
  readonly clock: Clock;
  /** From 0 to 1: spreads the starts of many. */
  readonly random: () => number;
  readonly maxSilenceMs: number;
  readonly events: ThreadEvents;
}

/** Options of {@linkcode GroupThread.bind}. */
export interface BindOrder {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Takes a socket that the thread never had. */
  readonly onUnmoved: (socket: Socket) => void;
}

/** A request that is not answered. */
interface Pending extends PromiseWithResolvers<Uint8Array | undefined> {
  readonly remoteAddress: SocketAddress;
}

/** A place for a thread: when one ends there, another one is started in its stead. */
export class GroupThread {
  /** What strategies see of it. */
  readonly candidate: Candidate;
  #parts: ThreadParts;
  #run: ThreadRun | undefined;
  #bindings = new Map<number, LiveBinding>();
  #requests = new Map<number, Pending>();
  #lastRequest = 0;
  #listening: PromiseWithResolvers<SocketAddress> | undefined;
  #finished: PromiseWithResolvers<void> | undefined;
  /** Why the last thread has ended. */
  #loss: unknown;
  #failures = 0;
  #startedMs = 0;
  #cancelRest: (() => void) | undefined;
  #isClosing = false;

  /** It starts nothing by itself. */
  constructor(index: number, parts: ThreadParts) {
    this.candidate = new Candidate(index);
    this.#parts = parts;
  }

  /** What is bound to it. */
  get bindings(): Iterable<LiveBinding> {
    return this.#bindings.values();
  }

  /** Whether connections that it has may outlive it. */
  get mayHoldOn(): boolean {
    return this.#run?.mayHoldOn === true;
  }

  /** Start a thread here. */
  start(): void {
    const { workers, script, clock, descriptors, maxSilenceMs, events } = this.#parts;
    this.candidate.starts++;
    this.#startedMs = clock.now();
    let run: ThreadRun;
    try {
      run = new ThreadRun(workers.start(NAME, { url: script }), {
        descriptors,
        clock,
        maxSilenceMs,
        events: {
          word: (word) => run === this.#run && this.#hear(word),
          socket: (socket, note) => this.#returned(socket, note),
          report: (error) => events.report(error, "thread"),
        },
      });
    } catch (error) {
      events.down(this, error);
      return this.#rest(error);
    }
    this.#run = run;
    void run.ended.then((end) => this.#over(run, end));
  }

  /** Move a socket there; rejects when the thread does not own it. */
  async bind(binding: LiveBinding, socket: Socket, order: BindOrder): Promise<void> {
    const { timeoutMs, signal, onUnmoved } = order;
    const { id, data } = binding;
    const run = this.#run!;
    binding.thread = this.candidate.index;
    this.#bindings.set(id, binding);
    this.#count();
    try {
      const note: SocketNote = { id, data };
      await run.channel.send(socket, note, { timeoutMs, signal, onReturn: onUnmoved });
      binding.bound();
      if (this.#run !== run) this.#lose(binding); // It has died in this very turn.
    } catch (error) {
      this.#forget(binding);
      throw error;
    }
  }

  /** Have a request answered; rejects when the handler fails, or the thread ends. */
  ask(
    bytes: Uint8Array<ArrayBuffer>,
    data: unknown,
    remoteAddress: SocketAddress,
  ): Promise<Uint8Array | undefined> {
    const id = ++this.#lastRequest;
    const answer = Promise.withResolvers<Uint8Array | undefined>();
    this.#run!.say({ kind: "request", id, bytes, data }, [bytes.buffer]);
    this.#requests.set(id, { ...answer, remoteAddress });
    this.#count();
    return answer.promise;
  }

  /** Ask for the socket of a binding. */
  unbind(binding: LiveBinding): void {
    this.#run?.say({ kind: "unbind", id: binding.id });
  }

  /** Wait for it no longer. */
  cut(binding: LiveBinding, error: unknown): void {
    this.#run?.say({ kind: "cut", id: binding.id });
    this.#forget(binding);
    binding.end({ reason: "cut", error });
  }

  /** Have it accept connections itself; resolves to where. */
  listen(options: GroupListenOptions): Promise<SocketAddress> {
    this.#listening = Promise.withResolvers<SocketAddress>();
    this.#run?.say({ kind: "listen", options });
    return this.#listening.promise;
  }

  /** Have its handlers let go of their sockets; resolves when they have. Requests go on. */
  async drain(): Promise<void> {
    this.#close();
    if (this.#run === undefined) return;
    this.#finished = Promise.withResolvers<void>();
    this.#run.say({ kind: "finish" });
    await this.#finished.promise;
  }

  /** End it now. */
  async terminate(): Promise<void> {
    this.#close();
    await this.#run?.terminate();
  }

  #close(): void {
    this.#isClosing = true;
    this.#cancelRest?.();
  }

  #hear(word: MemberWord): void {
    const { events } = this.#parts;
    switch (word.kind) {
      case "hello":
        return events.up(this);
      case "listening":
        return this.#listening?.resolve(word.address);
      case "listen failed":
        return this.#listening?.reject(errorOf(word.error));
      case "ended": {
        const binding = this.#bindings.get(word.id);
        if (binding === undefined) return;
        this.#forget(binding);
        if (word.error === undefined) return binding.end({ reason: "closed" });
        const error = failedError("socket", binding.remoteAddress, errorOf(word.error));
        events.report(error, "handler");
        return binding.end({ reason: "failed", error });
      }
      case "answer": {
        const request = this.#requests.get(word.id);
        this.#requests.delete(word.id);
        this.#count();
        if (word.error === undefined) return request?.resolve(word.bytes);
        const error = errorOf(word.error);
        return request?.reject(failedError("request", request.remoteAddress, error));
      }
      case "report":
        return events.report(errorOf(word.error), "handler");
      case "finished":
        return this.#finished?.resolve();
      case "pong":
        return;
    }
  }

  #returned(socket: Socket, { id }: SocketNote): void {
    const binding = this.#bindings.get(id);
    if (binding === undefined) return socket.abort(); // It comes too late.
    this.#forget(binding);
    const { onReturn } = binding;
    if (onReturn === undefined) void socket.close();
    else {
      try {
        onReturn(socket);
      } catch (error) {
        socket.abort(error);
        this.#parts.events.report(error, "return");
      }
    }
    binding.end({ reason: "returned" });
  }

  #over(run: ThreadRun, end: OwnerEnd): void {
    if (this.#run !== run) return;
    this.#run = undefined;
    const { events, clock } = this.#parts;
    const error = this.#isClosing
      ? closedError("serve", end.error)
      : lostError(this.candidate.index, end);
    events.down(this, error);
    this.#loss = error;
    for (const binding of [...this.#bindings.values()]) {
      // Of one that is moving, the channel knows whether the thread had it.
      if (binding.state === "bound") this.#lose(binding);
    }
    for (const { reject } of this.#requests.values()) reject(error);
    this.#requests.clear();
    this.#count();
    this.#listening?.reject(error);
    this.#finished?.resolve();
    if (clock.now() - this.#startedMs >= STEADY_MS) this.#failures = 0;
    if (!this.#isClosing) this.#rest(error);
  }

  /** Tell of a failure, and start another thread after a while. */
  #rest(cause: unknown): void {
    const { clock, random, events } = this.#parts;
    const doubledMs = FIRST_REST_MS * 2 ** Math.min(this.#failures++, 20);
    const restMs = Math.round(Math.min(MAX_REST_MS, doubledMs) * (0.5 + random() / 2));
    const times = this.#failures === 1 ? "" : `, ${this.#failures} times in a row`;
    const what = cause instanceof Error ? cause.message : String(cause);
    const message =
      `Cannot keep thread ${this.candidate.index} of worker group${times}: ${what}; ` +
      `the next one starts in ${restMs} ms`;
    events.report(
      new JackfieldError("WORKER_LOST", message, { operation: "start", cause }),
      "thread",
    );
    this.#cancelRest = clock.schedule(restMs, () => this.start());
  }

  #lose(binding: LiveBinding): void {
    this.#forget(binding);
    binding.end({ reason: "lost", error: this.#loss });
  }

  #forget(binding: LiveBinding): void {
    if (this.#bindings.delete(binding.id)) this.#count();
  }

  #count(): void {
    this.candidate.bindings = this.#bindings.size;
    this.candidate.requests = this.#requests.size;
    this.#parts.events.changed(this);
  }
}

/** What was thrown there; in words where it was no error. */
function errorOf(packed: PackedError): Error {
  const thrown = unpackError(packed);
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
