import { CR, LF } from "./octets.ts";

/** The most bytes of a head that are read by default. */
export const DEFAULT_MAX_HEAD_BYTES: number = 16 * 1024;
/** The most field lines of a head by default. */
export const DEFAULT_MAX_FIELDS: number = 100;

/** Header fields with names in lower case; a field that came twice has its values joined by commas. */
export type Fields = ReadonlyMap<string, string>;

/**
 * Where the head ends: the offset behind its empty line (RFC 9112, section 2.1), or `undefined`
 * when the empty line has not come yet. `from` is where the search may begin.
 *
 * @example
 * ```ts
 * import { findHeadEnd } from "@jackfield/jackfield/core";
 *
 * const bytes = new TextEncoder().encode("GET / HTTP/1.0\r\n\r\nmore");
 * if (findHeadEnd(bytes) !== 18) throw new Error("unexpected");
 * ```
 */
export function findHeadEnd(bytes: Uint8Array, from = 0): number | undefined {
  for (let at = Math.max(from, 3); at < bytes.byteLength; at++) {
    if (
      bytes[at] === LF && bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR
    ) return at + 1;
  }
  return undefined;
}

/** Whether a line ends without its carriage return, from `from` to before `to`. */
export function hasBareLineFeed(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (bytes[at] === LF && bytes[at - 1] !== CR) return true;
  }
  return false;
}
