import process from "node:process";
import type { JackfieldError } from "../../src/transport/mod.ts";

/** What a child can do: the arguments come as JSON, and the result goes as JSON. */
// deno-lint-ignore no-explicit-any -- each act knows what it is given
export type Acts = Readonly<Record<string, (...args: any[]) => unknown>>;

/** What came of an act. */
export interface Outcome<T> {
  readonly value?: T;
  readonly code?: string;
  readonly message?: string;
  readonly permission?: string;
}

/** Do what the lines on standard input say, `["name", …arguments]`, one after the other. */
export function serveLines(acts: Acts): void {
  let rest = "";
  let busy: Promise<unknown> = Promise.resolve();
  process.stdin.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) busy = busy.then(() => serve(acts, line));
  });
  // Whoever started it has gone, or has said everything.
  process.stdin.on("end", () => void busy.then(() => process.exit()));
}

async function serve(acts: Acts, line: string): Promise<void> {
  const [name, ...args] = JSON.parse(line);
  try {
    print({ value: await acts[name]!(...args) ?? null });
  } catch (error) {
    const { code, message, permission } = error as JackfieldError;
    print({ code, message, permission });
  }
}

/** Print a line of JSON. */
export function print(outcome: unknown): void {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
