interface Turn {
  wake: () => void;
  next: Turn | undefined;
}

/** One at a time, in the order of asking. */
export class Turns {
  #taken = false;
  #first: Turn | undefined;
  #last: Turn | undefined;

  /** Whether somebody has the turn. */
  get taken(): boolean {
    return this.#taken;
  }

  /** Take the turn: at once (`undefined`), or when the promise resolves. */
  take(): Promise<void> | undefined {
    if (!this.#taken) {
      this.#taken = true;
      return undefined;
    }
    return new Promise((wake) => {
      const turn: Turn = { wake, next: undefined };
      if (this.#last === undefined) this.#first = turn;
      else this.#last.next = turn;
      this.#last = turn;
    });
  }

  /** Pass the turn on to the next one who asked. */
  pass(): void {
    const next = this.#first;
    if (next === undefined) {
      this.#taken = false;
      return;
    }
    this.#first = next.next;
    if (this.#first === undefined) this.#last = undefined;
    next.wake();
  }
}
