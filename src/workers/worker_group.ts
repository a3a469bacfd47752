import {
  assertTimeout,
  type Descriptors,
  type Socket,
  type SocketAddress,
  unsupported,
} from "../transport/mod.ts";
import { Assignment } from "./assignment.ts";
import { type Binding, LiveBinding } from "./binding.ts";
import type { WorkerCandidate, WorkerRequest } from "./candidate.ts";
import { checkFramed, type FramedOptions, FramedSocket } from "./framed_socket.ts";
import { GroupListener } from "./group_listener.ts";
import {
  type AssignSocketOptions,
  type CloseGroupOptions,
  type GroupSettings,
  readGroupOptions,
  type UnbindOptions,
  type WorkerGroupOptions,
} from "./group_options.ts";
import { GroupThread, type WorkerStage } from "./group_thread.ts";
import { ThreadChoice, type WaitOptions } from "./thread_choice.ts";
import type { GroupListenOptions } from "./words.ts";
import { closedError, timeoutError } from "./worker_errors.ts";

const ASSIGN_MS = 10_000;
const UNBIND_MS = 10_000;
const CLOSE_MS = 30_000;

/**
 * A number of threads that run the same script, and the sockets that are bound to them.
 *
 * There are three ways to bring work to them. {@linkcode WorkerGroup.assign} moves a live socket to
 * one thread, which owns it from then on (Deno and Bun). {@linkcode WorkerGroup.serveFramed} keeps a
 * socket here and has each request on it answered by any of them. With
 * {@linkcode WorkerGroup.listen} each of them accepts connections itself. A thread that dies is
 * replaced.
 *
 * @example Every connection is served by one of two threads
 * ```ts
 * import { type Transport, WorkerGroup } from "@jackfield/jackfield/core";
 *
 * async function serve(transport: Transport): Promise<void> {
 *   const script = new URL("./worker.ts", import.meta.url); // calls serveSockets(handler)
 *   const group = new WorkerGroup({ transport, script, threads: 2 });
 *   const listener = await transport.listen({ transferable: true });
 *   for await (const socket of listener) {
 *     await group.assign(socket, { greeting: "hello" });
 *   }
 * }
 * if (serve.length !== 1) throw new Error("unexpected");
 * ```
 */
export class WorkerGroup {
  #settings: GroupSettings;
  #choice: ThreadChoice;
  #threads: readonly GroupThread[];
  /** Settles when it is known whether connections can be duplicated here. */
  #descriptors: Promise<Descriptors>;
  #canReusePort: boolean;
  #bySocket = new WeakMap<Socket, LiveBinding>();
  #framed = new Map<FramedSocket, Promise<void>>();
  #assigning = new Set<Promise<void>>();
  /** Those whose first start is neither well nor in vain yet. */
  #starting: Set<GroupThread>;
  #started = Promise.withResolvers<void>();
  #lastBinding = 0;
  #listening: GroupListener | undefined;
  #closing: Promise<void> | undefined;
  #isClosed = false;

  /**
   * Checks the options and starts the threads.
   *
   * @throws {JackfieldError} `UNSUPPORTED` where there are no threads, or `PERMISSION_DENIED`.
   */
  constructor(options: WorkerGroupOptions) {
    const settings = readGroupOptions(options);
    const { script, clock, random, maxSilenceMs } = settings;
    const { transport } = options;
    const { workers } = transport.host;
    if (workers === undefined) {
      throw unsupported("WorkerGroup", `the ${transport.name} transport has no threads`);
    }
    const refusal = workers.check("group_worker", { url: script });
    if (refusal !== undefined) throw refusal;
    this.#settings = settings;
    this.#canReusePort = transport.capabilities.reusePort;
    this.#choice = new ThreadChoice(settings.strategy, clock);
    this.#descriptors = loadDescriptors(options);
    this.#descriptors.catch(() => {}); // Who assigns a socket is told.
    const events = {
      up: (thread: GroupThread) => this.#up(thread),
      down: (thread: GroupThread, error: unknown) => {
        this.#choice.failure = error;
        this.#choice.remove(thread.candidate);
        this.#settled(thread);
      },
      changed: (thread: GroupThread) => this.#choice.changed(thread.candidate),
      report: (error: unknown, stage: WorkerStage) => this.#report(error, stage),
    };
    const parts = {
      workers,
      script,
      clock,
      random,
      maxSilenceMs,
      events,
      descriptors: undefined as Descriptors | undefined,
    };
    this.#threads = Array.from(
      { length: settings.threads },
      (_, index) => new GroupThread(index, parts),
    );
    this.#starting = new Set(this.#threads);
    const start = () => {
      if (!this.#isClosed) { for (const thread of this.#threads) thread.start(); }
    };
    void this.#descriptors.then((descriptors) => parts.descriptors = descriptors, () => {})
      .then(start);
  }

  /** The threads, by their places. */
  get threads(): readonly WorkerCandidate[] {
    return this.#threads.map(({ candidate }) => candidate);
  }

  /** Who has what now. */
  bindings(): readonly Binding[] {
    return this.#threads.flatMap((thread) => [...thread.bindings]);
  }

  /** The binding of a socket that was assigned, or of its number; `undefined` when there is none now. */
  bindingOf(bound: Socket | number): Binding | undefined {
    if (typeof bound === "number") return this.bindings().find(({ id }) => id === bound);
    const binding = this.#bySocket.get(bound);
    return binding?.state === "ended" ? undefined : binding;
  }

  /**
   * Move a live socket to the thread that the strategy chooses, with any structured data; resolves
   * when that thread owns it. It waits for a thread while none runs.
   *
   * The socket that is given is `gone` once it is known that it can travel. When the thread dies
   * before it has it, another one is chosen. The handler ends the binding: by closing the socket, or
   * by giving it back.
   *
   * @throws {JackfieldError} `UNSUPPORTED` in Node, and for a connection that cannot travel;
   * `PERMISSION_DENIED` in Deno without --allow-ffi; `SOCKET_BUSY`, `SOCKET_CLOSED` or `SOCKET_GONE`;
   * `WORKER_CLOSED`: the socket stays as it is. `WORKER_TIMEOUT`, `HANDOFF_TIMEOUT`,
   * `HANDOFF_REFUSED` by a script without `serveSockets`, or the signal's reason: it goes to
   * `onReturn`. `HANDOFF_CLOSED` when the thread died with it.
   */
  async assign(
    socket: Socket,
    data?: unknown,
    options: AssignSocketOptions = {},
  ): Promise<Binding> {
    const { timeoutMs = ASSIGN_MS, signal, onReturn } = options;
    assertTimeout(timeoutMs);
    signal?.throwIfAborted();
    this.#throwIfClosed("assign socket");
    const descriptors = await this.#descriptors;
    this.#throwIfClosed("assign socket");
    const binding = new LiveBinding(++this.#lastBinding, socket, data);
    const assignment = new Assignment(socket, binding, {
      descriptors,
      clock: this.#settings.clock,
      timeoutMs,
      take: (request, wait, use) => this.#take(request, wait, use),
      isClosed: () => this.#isClosed,
    }, options);
    this.#bySocket.set(socket, binding);
    binding.onReturn = onReturn && ((returned) => onReturn(returned, undefined));
    const moving = assignment.run();
    this.#assigning.add(moving);
    try {
      await moving;
    } finally {
      this.#assigning.delete(moving);
    }
    return binding;
  }

  /**
   * Ask for a socket that was assigned: the handler's signal is aborted, and the promise resolves to
   * the socket as soon as the handler gives it back, with what nobody has read of it; to `undefined`
   * when it closes the socket instead.
   *
   * A handler in the middle of something may finish it. When it has not let go in time, the socket is
   * aborted. Calls for the same binding get the same promise.
   *
   * @throws {JackfieldError} `WORKER_TIMEOUT` when the time is over, `WORKER_FAILED` when the handler
   * throws, `WORKER_LOST` when the thread ends; {TypeError} for a socket that was not assigned here.
   */
  unbind(
    bound: Binding | Socket,
    options: UnbindOptions = {},
  ): Promise<Socket | undefined> {
    const { timeoutMs = UNBIND_MS } = options;
    assertTimeout(timeoutMs);
    const binding = bound instanceof LiveBinding ? bound : this.#bySocket.get(bound as Socket);
    if (binding === undefined) {
      throw new TypeError("Cannot unbind socket: it was not assigned by this group");
    }
    return binding.unbinding ??= this.#unbind(binding, timeoutMs);
  }

  /**
   * Have every request on a socket answered by the thread that the strategy chooses for it, and send
   * the answers in the order of the requests. Resolves when the peer has ended its stream and has all
   * of them; the socket is closed then. The socket belongs to the group from the call on.
   *
   * @throws {JackfieldError} `REQUEST_INVALID` for a peer that sends too much or too little,
   * `WORKER_FAILED`, `WORKER_LOST`, `WORKER_TIMEOUT`, `WORKER_CLOSED`, or what broke the socket; or what
   * `frame` throws. The socket is aborted then.
   */
  async serveFramed(socket: Socket, options: FramedOptions): Promise<void> {
    checkFramed(options);
    this.#throwIfClosed("serve requests");
    const framed = new FramedSocket(
      socket,
      options,
      (...request) => this.#ask(...request),
    );
    const running = framed.run();
    this.#framed.set(framed, running);
    try {
      await running;
    } finally {
      this.#framed.delete(framed);
    }
  }

  /**
   * Have each thread accept connections itself, on one port that they share (SO_REUSEPORT, socket(7)):
   * the kernel spreads them, no strategy does. Resolves to the address when all threads that run
   * listen; those that are started later do, too. To be called once.
   *
   * `serveSockets` of the script gets the connections; they are no bindings.
   *
   * @throws {JackfieldError} `UNSUPPORTED`, `LISTEN_FAILED`, `PERMISSION_DENIED`, `WORKER_TIMEOUT` or
   * `WORKER_LOST`.
   */
  async listen(options: GroupListenOptions = {}): Promise<SocketAddress> {
    this.#throwIfClosed("listen");
    if (!this.#canReusePort) {
      throw unsupported("reusePort", "the transport cannot share a port");
    }
    await this.#started.promise;
    this.#throwIfClosed("listen");
    if (this.#listening !== undefined) throw new TypeError("Cannot listen twice: make two groups");
    this.#listening = new GroupListener(options, this.#threads, this.#settings.clock);
    try {
      return await this.#listening.begin();
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  /**
   * Take nothing more, and end in good order: the signals of all handlers are aborted, requests that
   * were read are answered, then the threads end. What is left after `timeoutMs` is aborted. Every
   * call gives the same promise.
   */
  close(options: CloseGroupOptions = {}): Promise<void> {
    const { timeoutMs = CLOSE_MS } = options;
    assertTimeout(timeoutMs);
    return this.#closing ??= this.#close(timeoutMs);
  }

  /** End everything now; resolves when the threads have ended. */
  abort(reason?: unknown): Promise<void> {
    this.#isClosed = true;
    this.#started.resolve();
    const error = closedError("serve", reason);
    this.#choice.refuse(error);
    this.#listening?.fail(error);
    for (const framed of this.#framed.keys()) framed.abort(error);
    const ended = Promise.all(this.#threads.map((thread) => thread.terminate())).then(() => {});
    return this.#closing ??= ended;
  }

  /** The same as {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    this.#started.resolve();
    const cancel = timeoutMs === Infinity
      ? () => {}
      : this.#settings.clock.schedule(timeoutMs, () => void this.abort());
    this.#choice.refuse(closedError("assign socket"), "socket");
    this.#listening?.fail(closedError("listen"));
    for (const framed of this.#framed.keys()) void framed.finish();
    await Promise.allSettled(this.#assigning);
    await Promise.all(this.#threads.map((thread) => thread.drain()));
    await Promise.allSettled(this.#framed.values());
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
    cancel();
  }

  async #unbind(binding: LiveBinding, timeoutMs: number): Promise<Socket | undefined> {
    await binding.moved;
    let socket: Socket | undefined;
    if (binding.state !== "ended") {
      binding.onReturn = (returned) => socket = returned;
      const thread = this.#threads[binding.thread]!;
      const { clock } = this.#settings;
      const cancel = timeoutMs === Infinity ? () => {} : clock.schedule(timeoutMs, () => {
        const why = "its handler did not let go, and it was aborted";
        thread.cut(binding, timeoutError("unbind socket", timeoutMs, why));
      });
      thread.unbind(binding);
      await binding.ended;
      cancel();
    }
    const { error } = await binding.ended;
    if (error !== undefined) throw error;
    return socket;
  }

  #ask(
    bytes: Uint8Array<ArrayBuffer>,
    data: unknown,
    remoteAddress: SocketAddress,
    timeoutMs: number,
  ): Promise<Uint8Array | undefined> {
    const { clock } = this.#settings;
    const untilMs = clock.now() + timeoutMs;
    return this.#take({ kind: "request", data, remoteAddress }, { timeoutMs }, (thread) => {
      const answer = thread.ask(bytes, data, remoteAddress);
      if (timeoutMs === Infinity) return answer;
      return new Promise((resolve, reject) => {
        const cancel = clock.schedule(Math.max(1, untilMs - clock.now()), () => {
          const why = `thread ${thread.candidate.index} has not answered`;
          reject(timeoutError("answer request", timeoutMs, why));
        });
        answer.then(resolve, reject).finally(cancel);
      });
    });
  }

  #take<T>(
    request: WorkerRequest,
    wait: WaitOptions,
    use: (thread: GroupThread) => Promise<T>,
  ): Promise<T> {
    return this.#choice.take(request, wait, ({ index }) => use(this.#threads[index]!));
  }

  #settled(thread: GroupThread): void {
    if (!this.#starting.delete(thread) || this.#starting.size > 0) return;
    this.#choice.open();
    this.#started.resolve();
  }

  #up(thread: GroupThread): void {
    this.#choice.add(thread.candidate);
    this.#settled(thread);
    this.#listening?.up(thread).catch((error) => this.#report(error, "listen"));
  }

  #report(error: unknown, stage: WorkerStage): void {
    try {
      this.#settings.onError?.(error, { stage });
    } catch {
      // The callback that is told of failures has nobody to tell of its own.
    }
  }

  #throwIfClosed(operation: string): void {
    if (this.#isClosed) throw closedError(operation);
  }
}

/** Whether connections can be duplicated for other threads; rejects with why not. */
async function loadDescriptors({ transport }: WorkerGroupOptions): Promise<Descriptors> {
  const { host } = transport;
  const refusal = host.checkDescriptors?.();
  if (refusal === undefined && host.descriptors !== undefined) return await host.descriptors();
  if (refusal?.code === "PERMISSION_DENIED") throw refusal;
  const why = refusal?.message.replace(/^[^:]*: /, "") ??
    `the ${transport.name} transport has no descriptors`;
  throw unsupported("handoff to a thread", `${why}; serveFramed and listen do without`);
}
