import type { ScheduledFlow } from "./scheduled_flow.ts";

/**
 * Is told of the progress of a {@linkcode ByteScheduler}'s flows. Every method is optional and called
 * at once, within the scheduler's own work, so it should be short. What it throws changes nothing.
 */
export interface ByteObserver<T> {
  /** A flow waits for a place. */
  queued?(flow: ScheduledFlow<T>): void;
  /** A flow has a place, and has turns from now on. */
  started?(flow: ScheduledFlow<T>): void;
  /** A flow has sent so many bytes in a turn; the sums are the flow's. */
  sent?(flow: ScheduledFlow<T>, bytes: number): void;
  /** A flow was taken out. */
  removed?(flow: ScheduledFlow<T>): void;
}

/** Tells the observer, which cannot corrupt who tells. */
export class Notices<T> {
  #observer: ByteObserver<T>;
  #onError: ((error: unknown) => void) | undefined;

  /** Without an observer nothing happens. */
  constructor(
    observer: ByteObserver<T> | undefined,
    onError: ((error: unknown) => void) | undefined,
  ) {
    this.#observer = observer ?? {};
    this.#onError = onError;
  }

  /** See {@linkcode ByteObserver.queued}. */
  queued(flow: ScheduledFlow<T>): void {
    try {
      this.#observer.queued?.(flow);
    } catch (error) {
      this.failed(error);
    }
  }

  /** See {@linkcode ByteObserver.started}. */
  started(flow: ScheduledFlow<T>): void {
    try {
      this.#observer.started?.(flow);
    } catch (error) {
      this.failed(error);
    }
  }

  /** See {@linkcode ByteObserver.sent}; a closure would be garbage in every turn. */
  sent(flow: ScheduledFlow<T>, bytes: number): void {
    try {
      this.#observer.sent?.(flow, bytes);
    } catch (error) {
      this.failed(error);
    }
  }

  /** See {@linkcode ByteObserver.removed}. */
  removed(flow: ScheduledFlow<T>): void {
    try {
      this.#observer.removed?.(flow);
    } catch (error) {
      this.failed(error);
    }
  }

  /** Something of the user's has failed. */
  failed(error: unknown): void {
    try {
      if (this.#onError === undefined) throw error;
      this.#onError(error);
    } catch (uncaught) {
      queueMicrotask(() => {
        throw uncaught;
      });
    }
  }
}
