import { type ErrorCode, isJackfieldError, JackfieldError } from "../transport/mod.ts";

/** An error on its way to another thread: a clone would lose its class and its facts. */
export interface PackedError {
  readonly message: string;
  readonly stack: string | undefined;
  readonly name: string;
  /** Of a {@linkcode JackfieldError}. */
  readonly code?: ErrorCode;
  readonly facts?: object;
}

/** Make what was thrown fit to travel. */
export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) {
    return { name: "Error", message: String(error), stack: undefined };
  }
  const { name, message, stack } = error;
  if (!isJackfieldError(error)) return { name, message, stack };
  const { name: _name, message: _message, stack: _stack, cause: _cause, code, ...facts } = error;
  return { name, message, stack, code, facts };
}

/** The error again. */
export function unpackError({ name, message, stack, code, facts }: PackedError): Error {
  const error = code === undefined ? new Error(message) : new JackfieldError(code, message, facts);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name });
  // It tells more than the place of this line.
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack });
  return error;
}
