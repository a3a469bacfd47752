/**
 * Tells something that was begun to stop, once.
 *
 * An `AbortSignal` could do the same, but an `AbortController` with one listener costs several
 * percent of a connect; here it is only made for an API that asks for one.
 */
export class Stop {
  #stopped = false;
  #reason: unknown;
  #act: (() => void) | undefined;
  #controller: AbortController | undefined;

  /** The same as a signal, made on first use. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#stopped) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Throw the reason if it has been told to stop. */
  throwIfStopped(): void {
    if (this.#stopped) throw this.#reason;
  }

  /**
   * Say what is to be done then; at once if it has been told already. It takes the place of what was
   * said before, and `undefined` takes that back.
   */
  onStop(act: (() => void) | undefined): void {
    this.#act = act;
    if (this.#stopped) act?.();
  }

  /** Tell it; the first reason counts. */
  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#act?.();
  }
}
