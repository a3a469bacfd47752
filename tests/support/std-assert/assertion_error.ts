/** Thrown by every failed assertion. */
export class AssertionError extends Error {
  /** Always `"AssertionError"`. */
  override name = "AssertionError";
}

/** The message of a failed assertion, with the caller's own words at its end. */
export function failure(what: string, msg: string | undefined): AssertionError {
  return new AssertionError(msg ? `${what}: ${msg}` : what);
}

/** A value as it reads in a message. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Map) return `Map ${show([...value])}`;
  if (value instanceof Set) return `Set ${show([...value])}`;
  if (value instanceof RegExp || typeof value !== "object" || value === null) return String(value);
  try {
    const text = JSON.stringify(value, (_key, part) => {
      if (typeof part === "bigint") return `${part}n`;
      return part === undefined ? "undefined" : part;
    });
    return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
  } catch {
    return Object.prototype.toString.call(value);
  }
}
