import { isJackfieldError, JackfieldError, osCodeOf } from "../../transport/mod.ts";

/**
 * Run a file operation; its failure names the operation and the path. What is done at once costs one
 * promise and no turn of its own.
 */
export function named<T>(operation: string, path: string, run: () => T): Promise<Awaited<T>> {
  try {
    const result = run();
    if (!(result instanceof Promise)) return Promise.resolve(result);
    return result.catch((cause) => {
      throw fileError(operation, path, cause);
    });
  } catch (cause) {
    return Promise.reject(fileError(operation, path, cause));
  }
}

/** One error for every runtime's way of saying that a file operation failed. */
export function fileError(operation: string, path: string, cause: unknown): JackfieldError {
  if (isJackfieldError(cause)) return cause;
  const osCode = osCodeOf(cause);
  const why = (cause as Error).name === "NotCapable"
    ? "permission is missing, run with --allow-read or --allow-write"
    : WORDS[osCode ?? ""] ?? (cause as Error).message;
  const message = `Cannot ${operation} "${path}": ${why}`;
  return new JackfieldError("FILE_FAILED", message, { cause, operation, osCode });
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "the system does not permit it",
  EDQUOT: "the disk quota is used up",
  EISDIR: "it is a directory",
  ELOOP: "too many symbolic links",
  EMFILE: "no file descriptor is left",
  ENAMETOOLONG: "its name is too long",
  ENFILE: "no file descriptor of the system is left",
  ENOENT: "it does not exist",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a directory",
  EROFS: "the file system is read-only",
};
