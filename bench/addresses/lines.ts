import type { ChildProcess } from "node:child_process";
import process from "node:process";

/** No step of a child takes that long. */
const LIMIT_MS = 60_000;

/** A child that answers in lines of JSON. */
export class Lines {
  #child: ChildProcess;
  #lines: string[] = [];
  #ended = false;
  #look: () => void = () => {};

  /** Of a process that leads a group of its own. */
  constructor(child: ChildProcess) {
    this.#child = child;
    let rest = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.#lines.push(...lines);
      this.#look();
    });
    child.once("close", () => {
      this.#ended = true;
      this.#look();
    });
  }

  /** Its next answer. */
  async next<T>(): Promise<T> {
    const timer = setTimeout(() => this.kill(), LIMIT_MS);
    while (this.#lines.length === 0) {
      if (this.#ended) throw new Error("the child ended, or took too long");
      await new Promise<void>((resolve) => this.#look = resolve);
    }
    clearTimeout(timer);
    return JSON.parse(this.#lines.shift()!);
  }

  /** Give it a line to act on. */
  tell(): void {
    this.#child.stdin!.write("\n");
  }

  /** End it, and what it started. */
  kill(): void {
    try {
      process.kill(-this.#child.pid!, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
