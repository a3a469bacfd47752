/** Lets so many through at a time; the others wait. */
export class Gate {
  #free: number;
  #waiting: (() => void)[] = [];

  /** For so many. */
  constructor(most: number) {
    this.#free = most;
  }

  /** Resolves when there is a place, which is the caller's then. */
  enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Give a place back. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
