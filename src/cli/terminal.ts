import process from "node:process";
import { isJackfieldError } from "../core.ts";
import { UsageError } from "./usage_error.ts";

/** Exit codes of the program. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** A line on standard output. */
export function say(line: string): void {
  print("stdout", `${line}\n`);
}

/** A line on standard error. */
export function warn(line: string): void {
  print("stderr", `jackfield: ${line}\n`);
}

/**
 * Text as it is. Whoever reads may have left, as `head` does: that is no reason to stop, nor for a
 * stack trace.
 */
export function print(name: "stdout" | "stderr", text: string): void {
  const stream = process[name];
  if (stream.listenerCount("error") === 0) stream.on("error", () => {});
  stream.write(text);
}

/** One line for whatever went wrong, and the exit code that goes with it. */
export function explain(error: unknown): { readonly line: string; readonly code: number } {
  const message = error instanceof Error ? error.message : String(error);
  const line = message.split("\n", 1)[0]!;
  if (error instanceof UsageError) return { line, code: EXIT.usage };
  // Bad values reach the library's own checks: they are the user's words, too.
  const usage = !isJackfieldError(error) &&
    (error instanceof TypeError || error instanceof RangeError);
  return { line, code: usage ? EXIT.usage : EXIT.failed };
}

/** Call `first` on the first Ctrl-C or SIGTERM and `second` on the next; the result stops watching. */
export function onInterrupt(first: () => void, second: () => void): () => void {
  let times = 0;
  const interrupt = () => ++times === 1 ? first() : second();
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return () => {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  };
}
