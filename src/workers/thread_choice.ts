import { badPick, type Picker, Rotation, startStrategy, type Strategy } from "../strategy/mod.ts";
import type { Clock } from "../transport/mod.ts";
import type { Candidate, WorkerCandidate, WorkerRequest } from "./candidate.ts";
import { timeoutError } from "./worker_errors.ts";

/** How long to wait for a thread. */
export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The threads that run, in rotation, and the strategy that chooses among them. */
export class ThreadChoice {
  #strategy: Strategy<WorkerCandidate, WorkerRequest>;
  #picker: Picker<WorkerCandidate, WorkerRequest>;
  #clock: Clock;
  #rotation = new Rotation<Candidate>();
  #turn = 0;
  /** Those who wait look again, or give up. */
  #waiting = new Map<(failure?: unknown) => void, WorkerRequest["kind"]>();
  #isOpen = false;
  /** Why the last thread could not be started; it stands in the error of who waits in vain. */
  failure: unknown;

  /** Without threads. */
  constructor(strategy: Strategy<WorkerCandidate, WorkerRequest>, clock: Clock) {
    this.#strategy = strategy;
    this.#picker = startStrategy(strategy);
    this.#clock = clock;
  }

  /**
   * Choose from now on. Whoever has come before has waited, or the thread that starts fastest would get
   * all that was there at the beginning.
   */
  open(): void {
    this.#isOpen = true;
    this.#lookAgain();
  }

  /** It runs. */
  add(candidate: Candidate): void {
    this.#rotation.insert(candidate);
    this.#picker.added?.(candidate);
    this.#lookAgain();
  }

  /** It does not run any more. */
  remove(candidate: Candidate): void {
    if (this.#rotation.remove(candidate)) this.#picker.removed?.(candidate);
  }

  /** Its load has changed. */
  changed(candidate: Candidate): void {
    if (!candidate.available) return;
    this.#picker.changed?.(candidate);
    this.#lookAgain();
  }

  /**
   * The thread that the strategy chooses; `undefined` when none runs, or it wants none.
   *
   * @throws {TypeError} When it chose what was not offered, and what it throws itself.
   */
  pick(request: WorkerRequest): Candidate | undefined {
    if (this.#rotation.size === 0 || !this.#isOpen) return undefined;
    const picked = this.#picker.pick(this.#rotation.view(this.#picker.window), request);
    if (picked === undefined) return undefined;
    if (!this.#rotation.has(picked)) throw badPick(this.#strategy, picked);
    this.#rotation.remove(picked);
    picked.turn = ++this.#turn;
    this.#rotation.insert(picked);
    return picked;
  }

  /**
   * Give the thread that the strategy chooses to `use`, perhaps after a wait; resolves as that does. It
   * is called within the choice, so that the next one sees what it has added to the load.
   *
   * @throws {JackfieldError} `WORKER_TIMEOUT`; or the signal's reason.
   */
  take<T>(
    request: WorkerRequest,
    { timeoutMs, signal }: WaitOptions,
    use: (candidate: Candidate) => Promise<T>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const first = this.pick(request);
      if (first !== undefined) return resolve(use(first)); // Mostly nobody has to wait.
      let cancel = () => {};
      const giveUp = () => end(() => reject(signal!.reason));
      const end = (settle: () => void) => {
        cancel();
        this.#waiting.delete(look);
        signal?.removeEventListener("abort", giveUp);
        settle();
      };
      const look = (failure?: unknown) => {
        if (failure !== undefined) return end(() => reject(failure));
        try {
          const candidate = this.pick(request);
          if (candidate !== undefined) end(() => resolve(use(candidate)));
        } catch (error) {
          end(() => reject(error));
        }
      };
      if (timeoutMs !== Infinity) {
        cancel = this.#clock.schedule(timeoutMs, () => {
          const why = this.#rotation.size === 0
            ? "no thread is running"
            : "the strategy chooses none";
          end(() => reject(timeoutError("find thread", timeoutMs, why, this.failure)));
        });
      }
      this.#waiting.set(look, request.kind);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  /** Those who wait for one, with this kind of request or any, get none any more. */
  refuse(failure: unknown, only?: WorkerRequest["kind"]): void {
    for (const [look, kind] of this.#waiting) {
      if (only === undefined || kind === only) look(failure);
    }
  }

  #lookAgain(): void {
    for (const look of this.#waiting.keys()) look();
  }
}
