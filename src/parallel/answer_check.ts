import { parseContentRange, parseDigests, type ResponseHead } from "../http/mod.ts";
import { badResponse } from "./failures.ts";
import type { Interval } from "./intervals.ts";

/**
 * Make sure that the body is the file as it is, although the server may have liked to compress it.
 *
 * @throws {JackfieldError} `HTTP_BAD_RESPONSE`.
 */
export function assertNotCoded(head: ResponseHead): void {
  const coding = head.fields.get("content-encoding");
  if (coding === undefined || coding.toLowerCase() === "identity") return;
  throw badResponse(`the body is coded as "${coding.slice(0, 40)}"`);
}

/** A part that was sent: which bytes, and of how many. */
export interface SentRange extends Interval {
  /** Bytes of the whole file; `undefined` when the server does not know. */
  readonly size: number | undefined;
}

/**
 * The bytes that an answer with status 206 carries. A server may send fewer than it was asked for
 * (RFC 9110, section 14.2), but must begin where it was asked to.
 *
 * @throws {JackfieldError} `HTTP_BAD_RESPONSE` when it carries something else than it was asked for.
 */
export function sentRange(head: ResponseHead, asked: Interval): SentRange {
  assertNotCoded(head);
  const field = head.fields.get("content-range");
  const type = head.fields.get("content-type") ?? "";
  if (field === undefined && /^multipart\//i.test(type)) {
    throw badResponse("it has several parts, and was asked for one");
  }
  const range = readRange(field);
  const fits = range !== undefined && range.start === asked.start && range.end <= asked.end;
  if (!fits) {
    const got = field === undefined ? "no Content-Range" : `"${field.slice(0, 80)}"`;
    throw badResponse(`asked for bytes ${asked.start}-${asked.end - 1}, got ${got}`);
  }
  const length = range.end - range.start;
  if (head.contentLength !== undefined && head.contentLength !== length) {
    throw badResponse(`it has ${head.contentLength} bytes and says that it has ${length}`);
  }
  return range;
}

function readRange(field: string | undefined): SentRange | undefined {
  const known = parseContentRange(field);
  if (known !== undefined) return { start: known.first, end: known.last + 1, size: known.size };
  const [, first, last] = /^bytes (\d{1,15})-(\d{1,15})\/\*$/i.exec(field ?? "") ?? [];
  if (first === undefined || Number(first) > Number(last)) return undefined;
  return { start: Number(first), end: Number(last) + 1, size: undefined };
}

/**
 * The SHA-256 of the whole file (`repr-digest`) or of an answer's own bytes (`content-digest`), in
 * hexadecimal, as the server says it (RFC 9530). A field that is not well-formed says nothing.
 */
export function digestIn(
  head: ResponseHead,
  name: "repr-digest" | "content-digest",
): string | undefined {
  const field = head.fields.get(name);
  const digest = field === undefined ? undefined : parseDigests(field)?.get("sha-256");
  return digest === undefined ? undefined : hexOf(digest);
}

/** Bytes in lower-case hexadecimal. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
