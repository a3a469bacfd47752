/** Tells the caller of a failed connect once, when no attempt of it holds anything any more. */
export class Outstanding {
  #tell: (() => void) | undefined;
  #held = 0;
  #failed = false;

  /** `tell` is the caller's `onReleased`. */
  constructor(tell: (() => void) | undefined) {
    this.#tell = tell;
  }

  /** An attempt begins; call the result, once, when it holds nothing. */
  begin(): () => void {
    this.#held++;
    return () => {
      this.#held--;
      this.#settle();
    };
  }

  /** The caller gets no socket. */
  fail(): void {
    this.#failed = true;
    this.#settle();
  }

  #settle(): void {
    if (!this.#failed || this.#held > 0) return;
    this.#failed = false;
    this.#tell?.();
  }
}
