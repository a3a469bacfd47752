/** What a task is told to do. */
export type Command = (() => void) | "finish" | "fail";

/** What runs within `use`: it does what it is told, in its own asynchronous context. */
export class Task {
  /** The task within which `use` was called. */
  readonly within: Task | undefined;
  /** How many calls within it have not settled. */
  waiting = 0;
  /** Whether it ended with an error. */
  hasFailed = false;
  /** Whether it has been told to end. */
  isEnding = false;
  #commands: Command[] = [];
  #told: (() => void) | undefined;

  /** It does not run yet. */
  constructor(within: Task | undefined) {
    this.within = within;
  }

  /** How many tasks are around it. */
  get depth(): number {
    return this.within === undefined ? 0 : this.within.depth + 1;
  }

  /** Whether it is that task, or runs within it. */
  isInside(other: Task): boolean {
    return this === other || this.within?.isInside(other) === true;
  }

  /** Tell it to do something. */
  tell(command: Command): void {
    if (typeof command === "string") this.isEnding = true;
    this.#commands.push(command);
    this.#told?.();
  }

  /** The body of the task. */
  async run(): Promise<void> {
    for (;;) {
      const command = this.#commands.shift();
      if (command === undefined) await new Promise<void>((resolve) => this.#told = resolve);
      else if (command === "finish") return;
      else if (command === "fail") {
        this.hasFailed = true;
        throw new Error("the task failed");
      } else command();
    }
  }
}
