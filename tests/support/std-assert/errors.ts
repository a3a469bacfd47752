import { AssertionError, failure, show } from "./assertion_error.ts";

// deno-lint-ignore no-explicit-any
type ErrorConstructorOf<E extends Error> = abstract new (...args: any[]) => E;

type Arguments = [
  classOrMsg?: ErrorConstructorOf<Error> | string,
  includesOrMsg?: string,
  msg?: string,
];

/** Throw unless `fn` throws. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Throw unless `fn` throws an error of the class, with the text in its message. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorConstructorOf<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(fn: () => unknown, ...rest: Arguments): unknown {
  try {
    fn();
  } catch (error) {
    return examine(error, "thrown", rest);
  }
  throw failure("Expected function to throw", ownWords(rest));
}

/** Reject unless the promise that `fn` returns rejects. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Reject unless it rejects with an error of the class, with the text in its message. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorConstructorOf<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  ...rest: Arguments
): Promise<unknown> {
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
    await promise;
  } catch (error) {
    if (promise === undefined) {
      throw failure("Function throws when expected to reject", ownWords(rest));
    }
    return examine(error, "rejected", rest);
  }
  throw failure("Expected function to reject", ownWords(rest));
}

/** The caller's own message, wherever the overload has it. */
function ownWords([classOrMsg, , msg]: Arguments): string | undefined {
  return typeof classOrMsg === "string" ? classOrMsg : msg;
}

function examine(error: unknown, how: string, [expected, includes, msg]: Arguments): unknown {
  if (expected === undefined || typeof expected === "string") return error;
  if (!(error instanceof Error)) {
    throw failure(`A non-Error object was ${how}: ${show(error)}`, msg);
  }
  if (!(error instanceof expected)) {
    const text = `Expected ${expected.name}, but ${show(error)} was ${how}`;
    throw new AssertionError(msg ? `${text}: ${msg}` : text, { cause: error });
  }
  if (includes !== undefined && !error.message.includes(includes)) {
    throw failure(
      `Expected error message to include ${show(includes)}, got ${show(error.message)}`,
      msg,
    );
  }
  return error;
}
