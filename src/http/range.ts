import { listElements } from "./field_list.ts";

/** A part of a file: `start` included, `end` not. */
export interface ByteRange {
  /** The first byte. */
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/** Options of {@linkcode parseRanges}. */
export interface RangeOptions {
  /**
   * The most ranges in one field; a field with more is ignored, which costs a server no more than
   * a plain request (RFC 9110, section 17.15).
   *
   * @default {32}
   */
  readonly maxRanges?: number;
  /**
   * Ranges with a gap of at most so many bytes between them become one: a part's own head is longer
   * than that (RFC 9110, section 15.3.7.2).
   *
   * @default {80}
   */
  readonly maxGapBytes?: number;
}

const DEFAULT_MAX_RANGES = 32;
const DEFAULT_MAX_GAP_BYTES = 80;

/**
 * What a Range field asks of a file of that size (RFC 9110, sections 14.1.2 and 14.2).
 *
 * The ranges come in the order in which they were asked for, without those that the file has no byte
 * of. Ranges that overlap, touch or nearly touch are one, in the place of the first of them; so what
 * is sent is never much more than the file, whatever is asked for.
 *
 * `undefined` means the whole file: no field, another unit, too many ranges, or a field that is not
 * well-formed, all of which a server may ignore. `unsatisfiable` means status 416.
 *
 * @example
 * ```ts
 * import { parseRanges } from "@jackfield/jackfield/core";
 *
 * const ranges = parseRanges("bytes=0-9, 500-, 5-19", 1000);
 * const expected = [{ start: 0, end: 20 }, { start: 500, end: 1000 }];
 * if (JSON.stringify(ranges) !== JSON.stringify(expected)) throw new Error("unexpected");
 * ```
 */
export function parseRanges(
  field: string | undefined,
  size: number,
  options: RangeOptions = {},
): readonly ByteRange[] | "unsatisfiable" | undefined {
  const { maxRanges = DEFAULT_MAX_RANGES, maxGapBytes = DEFAULT_MAX_GAP_BYTES } = options;
  if (field === undefined || !/^bytes=/i.test(field)) return undefined;
  const specs = listElements(field.slice("bytes=".length));
  if (specs.length === 0 || specs.length > maxRanges) return undefined;
  let ranges: ByteRange[] = [];
  for (const spec of specs) {
    const range = parseSpec(spec, size);
    if (range === undefined || range === "whole") return undefined;
    if (range !== "unsatisfiable") ranges = withRange(ranges, range, maxGapBytes);
  }
  return ranges.length === 0 ? "unsatisfiable" : ranges;
}

/**
 * {@linkcode parseRanges} for one range: what asks for several means the whole file too.
 *
 * @example
 * ```ts
 * import { parseRange } from "@jackfield/jackfield/core";
 *
 * const range = parseRange("bytes=-10", 1000);
 * if (JSON.stringify(range) !== '{"start":990,"end":1000}') throw new Error("unexpected");
 * ```
 */
export function parseRange(
  field: string | undefined,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const ranges = parseRanges(field, size, { maxRanges: 1 });
  return typeof ranges === "object" ? ranges[0] : ranges;
}

/** `first-last`, `first-` or `-length`; `undefined` when it is none of them. */
function parseSpec(
  spec: string,
  size: number,
): ByteRange | "unsatisfiable" | "whole" | undefined {
  const match = /^(\d*)-(\d*)$/.exec(spec);
  if (match === null) return undefined;
  const [, first, last] = match as unknown as [string, string, string];
  if (first === "") {
    if (last === "") return undefined;
    const length = Number(last);
    if (length === 0) return "unsatisfiable";
    if (size === 0) return "whole"; // Satisfiable, but no Content-Range can say so.
    return { start: Math.max(size - length, 0), end: size };
  }
  if (last !== "" && isLess(last, first)) return undefined; // Section 14.1.1.
  const start = Number(first);
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

/** Compares digits, also of numbers beyond what a number holds exactly. */
function isLess(a: string, b: string): boolean {
  if (a.length < 16 && b.length < 16) return Number(a) < Number(b);
  return BigInt(a) < BigInt(b);
}

/**
 * Add a range, or join it with those that it touches, in the place of the first of these. Those that
 * are there do not touch one another; so what touches the joined range touches the added one.
 */
function withRange(ranges: readonly ByteRange[], added: ByteRange, maxGap: number): ByteRange[] {
  const touches = (range: ByteRange): boolean =>
    range.start <= added.end + maxGap && range.end + maxGap >= added.start;
  const joined = [added, ...ranges.filter(touches)];
  const start = Math.min(...joined.map((range) => range.start));
  const end = Math.max(...joined.map((range) => range.end));
  const place = ranges.findIndex(touches);
  if (place < 0) return [...ranges, added];
  return ranges.flatMap((range, index) => {
    if (index === place) return [{ start, end }];
    return touches(range) ? [] : [range];
  });
}
