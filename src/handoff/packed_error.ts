import { type ErrorFacts, isJackfieldError, JackfieldError } from "../transport/mod.ts";

/**
 * An error on its way to another thread or process: a structured clone of an error would lose its
 * class and its facts.
 */
export type PackedError =
  | {
    readonly kind: "jackfield";
    readonly message: string;
    readonly code: JackfieldError["code"];
    readonly facts: Omit<ErrorFacts, "cause">;
    readonly cause: PackedError | undefined;
    readonly stack: string | undefined;
  }
  | {
    readonly kind: "error";
    readonly name: string;
    readonly message: string;
    /** The system's or the runtime's own word, if it has one. */
    readonly code: string | undefined;
    readonly cause: PackedError | undefined;
    readonly stack: string | undefined;
  }
  /** Somebody threw what is no error. */
  | { readonly kind: "value"; readonly value: unknown };

/** Causes of causes beyond these are of no use to anybody, and might go round in a circle. */
const MAX_CAUSES = 4;

/** The standard classes that have a meaning of their own here. */
const CLASSES: Readonly<Record<string, new (message: string) => Error>> = {
  RangeError,
  SyntaxError,
  TypeError,
};

/** Make an error fit to travel. */
export function packError(error: unknown, causes: number = MAX_CAUSES): PackedError {
  if (!(error instanceof Error)) return { kind: "value", value: packValue(error) };
  const { message, stack } = error;
  const cause = error.cause === undefined || causes === 0
    ? undefined
    : packError(error.cause, causes - 1);
  if (isJackfieldError(error)) {
    const { name: _name, code, message: _message, stack: _stack, cause: _cause, ...facts } = error;
    return { kind: "jackfield", message, code, facts, cause, stack };
  }
  const { name, code } = error as { name: string; code?: unknown };
  const word = typeof code === "string" ? code : undefined;
  return { kind: "error", name, message, code: word, cause, stack };
}

/** The error again: of the same class where it has one, with the same words and facts. */
export function unpackError(packed: PackedError): unknown {
  if (packed.kind === "value") return packed.value;
  const { message, stack } = packed;
  const cause = packed.cause === undefined ? undefined : unpackError(packed.cause);
  let error: Error;
  if (packed.kind === "jackfield") {
    error = new JackfieldError(packed.code, message, { ...packed.facts, cause });
  } else {
    error = new (CLASSES[packed.name] ?? Error)(message);
    if (error.name !== packed.name) define(error, "name", packed.name);
    if (packed.code !== undefined) define(error, "code", packed.code);
    if (cause !== undefined) define(error, "cause", cause);
  }
  if (stack !== undefined) define(error, "stack", stack); // It tells more than the place of this line.
  return error;
}

/** What cannot travel is told in words. */
function packValue(value: unknown): unknown {
  return typeof value === "object" || typeof value === "function" || typeof value === "symbol"
    ? value === null ? null : String(value)
    : value;
}

function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, configurable: true, writable: true });
}
