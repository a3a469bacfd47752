import { fieldLines, octetsOf } from "./encode_head.ts";
import type { ByteRange } from "./range.ts";

/** A piece of a body of several ranges: bytes that are written as they are, then bytes of the file. */
export interface BodyPart {
  /** What is written first: the delimiter and the part's head, or the last delimiter. */
  readonly head: Uint8Array<ArrayBuffer>;
  /** Where in the file the part begins. */
  readonly offset: number;
  /** How many bytes of the file follow; 0 behind the last delimiter. */
  readonly length: number;
}

/** A body of several ranges, known to its last byte before the first one is sent. */
export interface MultipartPlan {
  /** For the field Content-Type of the answer. */
  readonly contentType: string;
  /** For the field Content-Length of the answer. */
  readonly contentLength: number;
  /** The pieces in order; each call begins anew. */
  parts(): Generator<BodyPart, void, undefined>;
}

/** What {@linkcode planMultipart} needs to know besides the ranges. */
export interface MultipartOptions {
  /** The size of the file. */
  readonly size: number;
  /** The file's own Content-Type, if it is known. */
  readonly contentType?: string;
  /** What {@linkcode newBoundary} gave; the file must not have it in a line of its own. */
  readonly boundary: string;
}

/** Characters that no reader needs quoted (RFC 2046, section 5.1.1). */
const BOUNDARY = /^[0-9A-Za-z'_-]{1,70}$/;

/**
 * Plan the body of a multipart/byteranges answer (RFC 9110, section 14.6).
 *
 * @throws {TypeError} When the boundary or the Content-Type cannot stand in a head.
 * @throws {RangeError} When a range is empty or leaves the file.
 *
 * @example
 * ```ts
 * import { planMultipart } from "@jackfield/jackfield/core";
 *
 * const ranges = [{ start: 0, end: 10 }, { start: 500, end: 510 }];
 * const plan = planMultipart(ranges, { size: 1000, contentType: "text/plain", boundary: "B" });
 * let sum = 0;
 * for (const { head, length } of plan.parts()) sum += head.byteLength + length;
 * if (sum !== plan.contentLength) throw new Error("unexpected");
 * ```
 */
export function planMultipart(
  ranges: readonly ByteRange[],
  options: MultipartOptions,
): MultipartPlan {
  const { size, contentType, boundary } = options;
  if (!BOUNDARY.test(boundary)) {
    throw new TypeError(`Cannot use boundary "${boundary}": expected 1 to 70 letters and digits`);
  }
  const type = contentType === undefined ? "" : fieldLines([["Content-Type", contentType]]);
  const headText = (index: number): string => {
    const { start, end } = ranges[index]!;
    const field = fieldLines([["Content-Range", `bytes ${start}-${end - 1}/${size}`]]);
    return `${index === 0 ? "" : "\r\n"}--${boundary}\r\n${type}${field}\r\n`;
  };
  const lastText = `\r\n--${boundary}--\r\n`;
  let contentLength = lastText.length;
  for (const [index, { start, end }] of ranges.entries()) {
    if (!(start >= 0 && start < end && end <= size)) {
      throw new RangeError(`Cannot send range "${start}-${end - 1}": expected bytes of ${size}`);
    }
    contentLength += headText(index).length + end - start;
  }
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    contentLength,
    *parts() {
      for (const [index, { start, end }] of ranges.entries()) {
        yield { head: octetsOf(headText(index)), offset: start, length: end - start };
      }
      yield { head: octetsOf(lastText), offset: 0, length: 0 };
    },
  };
}

/** 32 of 64 characters: 192 bits, which no file has by chance. */
const BOUNDARY_LENGTH = 32;
const BOUNDARY_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'_";

/**
 * A boundary that is new each time: whoever could foretell it could put it into a file.
 *
 * @param random gives numbers from 0 to below 1; by default secure ones
 *
 * @example
 * ```ts
 * import { newBoundary } from "@jackfield/jackfield/core";
 *
 * if (newBoundary() === newBoundary()) throw new Error("unexpected");
 * ```
 */
export function newBoundary(random?: () => number): string {
  const draws = new Uint8Array(BOUNDARY_LENGTH);
  if (random === undefined) crypto.getRandomValues(draws);
  else for (let at = 0; at < BOUNDARY_LENGTH; at++) draws[at] = Math.floor(random() * 256);
  let boundary = "";
  for (const draw of draws) boundary += BOUNDARY_CHARACTERS[draw % 64];
  return boundary;
}
