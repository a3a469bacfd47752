import { parseArgs } from "node:util";
import { UsageError } from "./usage_error.ts";

/** The flags of a command: name to kind and one-letter form. */
export type Flags = Readonly<
  Record<string, { readonly type: "string" | "boolean"; readonly short?: string }>
>;

/** What was written on the command line. */
export interface Arguments {
  /** Flags with their values. */
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  /** Everything else. */
  readonly positionals: readonly string[];
}

/**
 * Read a command line; a leading `--`, as task runners pass it on, is ignored.
 *
 * @throws {UsageError} For an unknown flag, a missing value, or too many words.
 */
export function readArguments(
  words: readonly string[],
  flags: Flags,
  maxPositionals: number,
): Arguments {
  const args = words[0] === "--" ? words.slice(1) : [...words];
  let parsed: Arguments;
  try {
    const options = { ...flags, help: { type: "boolean", short: "h" } } as const;
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // The runtime's first sentence says what is wrong; the others give advice that does not fit.
    const [sentence = ""] = (error as Error).message.split(/\.(?=\s|$)|\n/);
    throw new UsageError(sentence);
  }
  const extra = parsed.positionals[maxPositionals];
  if (extra !== undefined) throw new UsageError(`Unexpected argument '${extra}'`);
  return parsed;
}

/**
 * A whole number from a flag.
 *
 * @throws {UsageError} When it is none or out of range.
 */
export function readNumber(
  { values }: Arguments,
  flag: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const text = values[flag];
  if (text === undefined) return fallback;
  const number = Number(text);
  if (typeof text === "string" && /^\d+$/.test(text) && number >= min && number <= max) {
    return number;
  }
  throw new UsageError(`Option '--${flag}' is '${text}', expected ${min} to ${max}`);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/**
 * A size from a flag: a number of bytes, or of KiB, MiB, GiB with K, M or G behind it.
 *
 * @throws {UsageError} When it is none or out of range.
 */
export function readSize<Fallback>(
  { values }: Arguments,
  flag: string,
  fallback: Fallback,
): number | Fallback {
  const text = values[flag];
  if (text === undefined) return fallback;
  const match = /^(\d{1,9})([KMG]?)$/i.exec(String(text));
  const bytes = match === null ? NaN : Number(match[1]) * UNITS[match[2]!.toUpperCase()]!;
  if (bytes >= 1024 && bytes <= 2 ** 30) return bytes;
  throw new UsageError(`Option '--${flag}' is '${text}', expected 1K to 1G`);
}

/** A text from a flag. */
export function readText({ values }: Arguments, flag: string): string | undefined {
  const text = values[flag];
  return typeof text === "string" ? text : undefined;
}
