import { type Clock, type Descriptors, isJackfieldError, type Socket } from "../transport/mod.ts";
import type { LiveBinding } from "./binding.ts";
import type { WorkerRequest } from "./candidate.ts";
import type { AssignSocketOptions } from "./group_options.ts";
import type { GroupThread } from "./group_thread.ts";
import { takeOut, Tether } from "./tether.ts";
import type { WaitOptions } from "./thread_choice.ts";

/** What an assignment needs of its group. */
export interface AssignmentParts {
  readonly descriptors: Descriptors;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Give the thread that the strategy chooses to `use`, perhaps after a wait. */
  take<T>(
    request: WorkerRequest,
    options: WaitOptions,
    use: (thread: GroupThread) => Promise<T>,
  ): Promise<T>;
  /** Whether no more may be assigned. */
  isClosed(): boolean;
}

/** A socket on its way to a thread, to another one when the first dies before it has it. */
export class Assignment {
  #parts: AssignmentParts;
  #binding: LiveBinding;
  #options: AssignSocketOptions;
  #held: Socket;
  /** The runtime's own object for it. */
  #connection: unknown;
  /** Whether it is here, and not with a thread. */
  #isHere = true;

  /**
   * Takes the connection out of the socket.
   *
   * @throws {JackfieldError} See `takeOut`.
   */
  constructor(
    socket: Socket,
    binding: LiveBinding,
    parts: AssignmentParts,
    options: AssignSocketOptions,
  ) {
    this.#parts = parts;
    this.#binding = binding;
    this.#options = options;
    const { held, connection } = takeOut(socket, parts.descriptors, options.unread);
    this.#held = held;
    this.#connection = connection;
  }

  /** Resolves when a thread owns it; rejects when none ever will. */
  async run(): Promise<void> {
    const { clock, timeoutMs } = this.#parts;
    const untilMs = clock.now() + timeoutMs;
    try {
      while (!await this.#try(untilMs));
    } catch (error) {
      this.#binding.end({ reason: this.#isHere ? "unmoved" : "lost", error });
      if (this.#isHere) this.#giveBack(error);
      throw error;
    }
  }

  /** Whether a thread owns it; `false` when that died before, and nothing is lost. */
  async #try(untilMs: number): Promise<boolean> {
    const { clock, take, isClosed } = this.#parts;
    const { signal } = this.#options;
    const { data, remoteAddress } = this.#binding;
    const leftMs = () => Math.max(1, Math.ceil(untilMs - clock.now()));
    const wait = { timeoutMs: leftMs(), signal };
    try {
      await take({ kind: "socket", data, remoteAddress }, wait, (thread) => {
        return this.#bind(thread, leftMs());
      });
      return true;
    } catch (error) {
      if (!this.#isHere || isClosed() || !isJackfieldError(error, "HANDOFF_CLOSED")) throw error;
      this.#binding.tether?.drop();
      return false;
    }
  }

  async #bind(thread: GroupThread, timeoutMs: number): Promise<void> {
    const { descriptors } = this.#parts;
    if (thread.mayHoldOn) {
      const token = descriptors.duplicate(this.#connection);
      this.#binding.tether = new Tether(descriptors, token);
    }
    this.#isHere = false;
    const { signal } = this.#options;
    const onUnmoved = (socket: Socket) => this.#take(socket);
    await thread.bind(this.#binding, this.#held, { timeoutMs, signal, onUnmoved });
  }

  /** It came back, for no thread had it. */
  #take(socket: Socket): void {
    const { held, connection } = takeOut(socket, this.#parts.descriptors);
    this.#held = held;
    this.#connection = connection;
    this.#isHere = true;
  }

  #giveBack(error: unknown): void {
    const { onReturn } = this.#options;
    if (onReturn === undefined) this.#held.abort(error);
    else onReturn(this.#held, error);
  }
}
