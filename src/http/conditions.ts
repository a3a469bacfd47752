import { isEntityTag, matchesStrongly, matchesWeakly, parseEntityTags } from "./entity_tag.ts";
import { parseHttpDate } from "./http_date.ts";
import type { RequestHead } from "./request_head.ts";

/** What tells a file's content from another one (RFC 9110, section 8.8). */
export interface Validators {
  /** The entity tag as it is sent: `"a"`, or `W/"a"` when it is weak. */
  readonly entityTag?: string;
  /** When the file last changed. */
  readonly modifiedMs?: number;
}

/** The parts of a request that conditions look at. */
export type ConditionalRequest = Pick<RequestHead, "method" | "fields">;

/**
 * What the conditions of a request make of an answer that would carry the file, in the precedence of
 * RFC 9110, section 13.2.2: `proceed`, or a status.
 *
 * A field that is not well-formed never lets pass what a good one would stop: If-Match fails,
 * If-None-Match matches nothing, and a date that is none does not count, as section 13.1 says.
 * Not asked for a file that is missing or may not be read (section 13.2.1).
 *
 * @example
 * ```ts
 * import { evaluateConditions } from "@jackfield/jackfield/core";
 *
 * const fields = new Map([["if-none-match", '"a"']]);
 * const result = evaluateConditions({ method: "GET", fields }, { entityTag: '"a"' });
 * if (result !== 304) throw new Error("unexpected");
 * ```
 */
export function evaluateConditions(
  { method, fields }: ConditionalRequest,
  validators: Validators,
  nowMs?: number,
): "proceed" | 304 | 412 {
  const { entityTag, modifiedMs } = validators;
  const reads = method === "GET" || method === "HEAD";

  const ifMatch = fields.get("if-match");
  const ifUnmodifiedSince = fields.get("if-unmodified-since");
  if (ifMatch !== undefined) {
    if (!listMatches(ifMatch, entityTag, matchesStrongly)) return 412;
  } else if (ifUnmodifiedSince !== undefined) {
    if (isUnmodified(modifiedMs, ifUnmodifiedSince, nowMs) === false) return 412;
  }

  const ifNoneMatch = fields.get("if-none-match");
  if (ifNoneMatch !== undefined) {
    if (listMatches(ifNoneMatch, entityTag, matchesWeakly)) return reads ? 304 : 412;
    return "proceed"; // If-Modified-Since does not count beside it (section 13.1.3).
  }
  const ifModifiedSince = fields.get("if-modified-since");
  if (reads && ifModifiedSince !== undefined) {
    if (isUnmodified(modifiedMs, ifModifiedSince, nowMs) === true) return 304;
  }
  return "proceed";
}

/**
 * Whether a Range may count: there is no If-Range, or what it names is exactly the file as it is now
 * (RFC 9110, section 13.1.5).
 *
 * Two parts of different contents would make one broken file, so only strong validators do. A weak
 * entity tag says that the content may change within the clock's grain: then the date is weak too.
 *
 * @example
 * ```ts
 * import { rangeCounts } from "@jackfield/jackfield/core";
 *
 * const fields = new Map([["range", "bytes=0-9"], ["if-range", '"old"']]);
 * if (rangeCounts({ method: "GET", fields }, { entityTag: '"new"' })) {
 *   throw new Error("unexpected");
 * }
 * ```
 */
export function rangeCounts(
  { method, fields }: ConditionalRequest,
  { entityTag, modifiedMs }: Validators,
  nowMs?: number,
): boolean {
  if (method !== "GET") return false; // Section 14.2.
  const ifRange = fields.get("if-range");
  if (ifRange === undefined) return true;
  if (isEntityTag(ifRange)) return entityTag !== undefined && matchesStrongly(ifRange, entityTag);
  if (modifiedMs === undefined || entityTag?.startsWith("W/")) return false;
  return parseHttpDate(ifRange, nowMs) === wholeSecond(modifiedMs);
}

function listMatches(
  field: string,
  entityTag: string | undefined,
  matches: (one: string, other: string) => boolean,
): boolean {
  const tags = parseEntityTags(field);
  if (tags === "*") return true; // There is a file.
  if (tags === undefined || entityTag === undefined) return false;
  return tags.some((tag) => matches(tag, entityTag));
}

/** Whether nothing has changed since a date; `undefined` when that cannot be said. */
function isUnmodified(
  modifiedMs: number | undefined,
  date: string,
  nowMs: number | undefined,
): boolean | undefined {
  const since = parseHttpDate(date, nowMs);
  if (since === undefined || modifiedMs === undefined) return undefined;
  return wholeSecond(modifiedMs) <= since;
}

/** What Last-Modified says: dates of HTTP have no smaller parts. */
function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
