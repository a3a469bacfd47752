import { type Fields, isEntityTag, parseHttpDate } from "../http/mod.ts";
import { badResponse, fileChanged } from "./failures.ts";

/** What tells one content of a file from another for certain: a strong validator. */
export interface Validator {
  /** An entity tag, or a date. */
  readonly kind: "tag" | "date";
  /** As it was sent, and as If-Range sends it back. */
  readonly value: string;
}

/**
 * A date counts only when it is so much older than the answer that the file cannot have changed again
 * within its second, even by a clock that is wrong (RFC 9110, section 8.8.2.2).
 */
const LEAST_AGE_MS = 60_000;

/**
 * The strong validator of an answer (RFC 9110, section 8.8.1), if it has one. A weak entity tag says
 * that the content may change behind it, whatever the date says.
 */
export function validatorOf(fields: Fields): Validator | undefined {
  const tag = fields.get("etag");
  if (tag !== undefined) {
    return isEntityTag(tag) && !tag.startsWith("W/") ? { kind: "tag", value: tag } : undefined;
  }
  const modified = fields.get("last-modified");
  const date = fields.get("date");
  if (modified === undefined || date === undefined) return undefined;
  const modifiedMs = parseHttpDate(modified);
  const dateMs = parseHttpDate(date);
  if (modifiedMs === undefined || dateMs === undefined) return undefined;
  return dateMs - modifiedMs >= LEAST_AGE_MS ? { kind: "date", value: modified } : undefined;
}

/**
 * Make sure that a part is one of the same content.
 *
 * A server that was asked with If-Range must repeat the entity tag, and need not repeat the date (RFC
 * 9110, section 15.3.7).
 *
 * @throws {JackfieldError} `TRANSFER_FAILED` when it is another one; `HTTP_BAD_RESPONSE` when nobody
 * can tell.
 */
export function checkValidator(fields: Fields, { kind, value }: Validator): void {
  const own = fields.get(kind === "tag" ? "etag" : "last-modified");
  if (own === value) return;
  if (own !== undefined) throw fileChanged();
  if (kind === "tag") throw badResponse("a part of the file has no ETag, and the first one had");
}
