/** A part of a file: `start` included, `end` not. */
export interface ByteRange {
  /** The first byte. */
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/**
 * What a Range field asks of a file of that size (RFC 9110, section 14.1.2).
 *
 * `undefined` means the whole file: no field, another unit, several ranges, or a field that is not
 * well-formed, all of which a server may ignore. `unsatisfiable` means status 416.
 */
export function parseRange(
  field: string | undefined,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(field ?? "");
  if (match === null) return undefined;
  const [, first, last] = match as unknown as [string, string, string];
  if (first === "") {
    if (last === "") return undefined;
    const length = Number(last);
    if (length === 0) return "unsatisfiable";
    if (size === 0) return undefined; // Satisfiable, but no Content-Range can say so.
    return { start: Math.max(size - length, 0), end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}
