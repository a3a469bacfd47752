/** Lets so many go on at a time; the others wait in turn. */
export class Lanes {
  #count: number;
  #busy = 0;
  #waiting: (() => void)[] = [];

  /** `count` at a time. */
  constructor(count: number) {
    this.#count = count;
  }

  /** Resolves when it is one's turn: to whether there is only one lane, so that nobody is beside. */
  async enter(): Promise<boolean> {
    if (this.#busy >= this.#count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#busy++;
    return this.#count === 1 && this.#busy === 1;
  }

  /** Make place for the next one. */
  leave(): void {
    const next = this.#busy <= this.#count ? this.#waiting.shift() : undefined;
    if (next === undefined) this.#busy--;
    else next();
  }

  /** From now on one at a time. */
  narrow(): void {
    this.#count = 1;
  }
}
