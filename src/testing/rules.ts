/** What must hold: remembers the first rule that was broken until somebody asks. */
export class Rules {
  #subject: string;
  #first: string | undefined;

  /** `subject` stands at the beginning of the error. */
  constructor(subject: string) {
    this.#subject = subject;
  }

  /** The first rule that was broken. */
  get broken(): string | undefined {
    return this.#first;
  }

  /** A rule was broken; only the first one counts, for others may follow from it. */
  broke(how: string): void {
    this.#first ??= how;
  }

  /** Throw when a rule was broken. */
  check(): void {
    if (this.#first !== undefined) throw new Error(`${this.#subject}: ${this.#first}`);
  }
}
