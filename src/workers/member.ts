import { HandoffChannel } from "../handoff/mod.ts";
import {
  type Clock,
  type Descriptors,
  JackfieldError,
  type Listener,
  type OwnerLink,
  type Socket,
  type Transport,
} from "../transport/mod.ts";
import { packError } from "../handoff/packed_error.ts";
import { arrival } from "./arrival.ts";
import type { GroupListenOptions, GroupWord, MemberWord, SocketNote } from "./words.ts";

/** What a handler is told about its socket. */
export interface SocketWork {
  /** What the group's program said about it; `undefined` for one that was accepted here. */
  readonly data: unknown;
  /**
   * Aborted when the socket is wanted back, or the group closes: finish what you are doing, then
   * return the socket.
   */
  readonly signal: AbortSignal;
  /**
   * Wait until there is something to read. Resolves to `true` then, also at the end of the stream,
   * and to `false` when `signal` is aborted: nothing is being read at that moment, so that the
   * socket can be returned.
   */
  ready(): Promise<boolean>;
}

/**
 * Serves one socket, which is its own. A socket that it returns goes back to who has assigned it, with
 * what is unread of it: `return socket`, or `return handOff(socket, unread)`. Otherwise the socket is
 * closed at the end, and aborted when the handler throws.
 */
export type SocketHandler = (
  socket: Socket,
  work: SocketWork,
) => Socket | void | Promise<Socket | void>;

/** What a handler is told about its request. */
export interface RequestWork {
  /** What the group's program said about the socket. */
  readonly data: unknown;
}

/** Answers one request; without an answer, nothing is sent for it. */
export type RequestHandler = (
  request: Uint8Array<ArrayBuffer>,
  work: RequestWork,
) => Uint8Array | void | Promise<Uint8Array | void>;

/** What a thread does for its group. */
export interface MemberOptions {
  /** Listens. */
  readonly transport: Transport;
  /** Takes up connections of other threads, where that can be done. */
  readonly descriptors?: Descriptors;
  /** Serves sockets; without it they are refused. */
  readonly onSocket: SocketHandler | undefined;
  /** Answers requests; without it they fail. */
  readonly onRequest: RequestHandler | undefined;
  /** Times the deadlines. @default {systemClock} */
  readonly clock?: Clock;
}

/** A socket that is being served. */
interface Served {
  readonly socket: Socket;
  readonly controller: AbortController;
}

/** A thread of a {@linkcode WorkerGroup}, seen from within. */
export class GroupMember {
  #options: MemberOptions;
  #channel: HandoffChannel;
  #listener: Listener | undefined;
  #bound = new Map<number, Served>();
  #served = new Set<Served>();
  #isFinishing = false;

  /** Begins to receive, and says so. */
  constructor(link: OwnerLink, options: MemberOptions) {
    this.#options = options;
    const { descriptors, clock, onSocket } = options;
    this.#channel = new HandoffChannel(link, {
      descriptors,
      clock,
      onSocket: onSocket && ((socket, note) => void this.#serve(socket, note as SocketNote)),
      onMessage: (word) => this.#hear(word as GroupWord),
      onError: (error) => this.#report(error),
    });
    this.#say({ kind: "hello" });
  }

  #hear(word: GroupWord): void {
    switch (word.kind) {
      case "listen":
        return void this.#listen(word.options);
      case "request":
        return void this.#answer(word.id, word.bytes, { data: word.data });
      case "unbind":
        return this.#bound.get(word.id)?.controller.abort(wantedBack("unbind"));
      case "cut":
        return this.#cut(word.id);
      case "finish":
        return this.#finish();
      case "ping":
        return this.#say({ kind: "pong" });
    }
  }

  async #serve(socket: Socket, note: SocketNote | undefined): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const served: Served = { socket, controller };
    this.#served.add(served);
    if (note !== undefined) this.#bound.set(note.id, served);
    if (this.#isFinishing) controller.abort(wantedBack("close"));
    const ready = () => arrival(socket, signal);
    let failure: MemberWord | undefined;
    try {
      const back = await this.#options.onSocket!(socket, { data: note?.data, signal, ready });
      await this.#letGo(back ?? socket, note, back !== undefined);
    } catch (thrown) {
      socket.abort(thrown);
      const error = packError(thrown);
      failure = note === undefined
        ? { kind: "report", error }
        : { kind: "ended", id: note.id, error };
    }
    if (failure !== undefined) this.#say(failure);
    if (note !== undefined) this.#bound.delete(note.id);
    this.#served.delete(served);
    this.#tellFinished();
  }

  /** The handler is done with it. */
  async #letGo(socket: Socket, note: SocketNote | undefined, isGivenBack: boolean): Promise<void> {
    const isAlive = socket.state === "open" || socket.state === "half-closed";
    if (note !== undefined && isGivenBack && isAlive) {
      return await this.#channel.send(socket, { id: note.id } satisfies SocketNote);
    }
    await socket.close();
    if (note !== undefined) this.#say({ kind: "ended", id: note.id });
  }

  /** Nobody waits for its handler any more. */
  #cut(id: number): void {
    const served = this.#bound.get(id);
    if (served === undefined) return;
    served.socket.abort(wantedBack("cut"));
    this.#served.delete(served);
    this.#tellFinished();
  }

  async #answer(id: number, bytes: Uint8Array<ArrayBuffer>, work: RequestWork): Promise<void> {
    try {
      const { onRequest } = this.#options;
      if (onRequest === undefined) {
        throw new TypeError("Cannot answer request: the script does not call serveRequests");
      }
      // Copied, not moved: an answer may be a constant of the program.
      const answer = await onRequest(bytes, work);
      this.#say({ kind: "answer", id, ...(answer === undefined ? {} : { bytes: answer }) });
    } catch (error) {
      this.#say({ kind: "answer", id, error: packError(error) });
    }
  }

  async #listen(options: GroupListenOptions): Promise<void> {
    const { transport, onSocket } = this.#options;
    try {
      if (onSocket === undefined) {
        throw new TypeError("Cannot listen: the script does not call serveSockets");
      }
      const onError = (error: unknown) => this.#report(error);
      const listener = await transport.listen({ ...options, reusePort: true, onError });
      this.#listener = listener;
      if (this.#isFinishing) return await listener.close();
      this.#say({ kind: "listening", address: listener.address });
      for await (const socket of listener) void this.#serve(socket, undefined);
    } catch (error) {
      this.#say({ kind: "listen failed", error: packError(error) });
    }
  }

  #finish(): void {
    this.#isFinishing = true;
    void this.#listener?.close();
    for (const { controller } of this.#served) controller.abort(wantedBack("close"));
    this.#tellFinished();
  }

  #tellFinished(): void {
    if (this.#isFinishing && this.#served.size === 0) this.#say({ kind: "finished" });
  }

  #report(error: unknown): void {
    this.#say({ kind: "report", error: packError(error) });
  }

  #say(word: MemberWord): void {
    this.#channel.post(word);
  }
}

const WHY = {
  unbind: "its group wants it back",
  cut: "its handler did not let go in time",
  close: "its group is closing",
} as const;

function wantedBack(why: keyof typeof WHY): JackfieldError {
  const message = `Cannot serve socket any longer: ${WHY[why]}`;
  return new JackfieldError("WORKER_CLOSED", message, { operation: "serve" });
}
