import { badHead, type Fields, shorten, splitHead } from "./head.ts";
import { keepsAlive } from "./request_head.ts";

/** The head of a response. */
export interface ResponseHead {
  /** 100 to 999. */
  readonly status: number;
  /** The fields, by lower-case name. */
  readonly fields: Fields;
  /** The length of the body; `undefined` when it ends with the connection or is chunked. */
  readonly contentLength: number | undefined;
  /** Whether the body is chunked, or coded otherwise on the way. */
  readonly transferCoded: boolean;
  /** Whether the connection may carry another request after the body. */
  readonly keepAlive: boolean;
}

/**
 * Read the head of a response, its empty line included.
 *
 * @throws {JackfieldError} `HTTP_BAD_RESPONSE` when it breaks RFC 9112 or is ambiguous.
 */
export function parseResponseHead(head: Uint8Array): ResponseHead {
  const { startLine, fields } = splitHead(head, "HTTP_BAD_RESPONSE");
  const match = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(startLine);
  if (match === null) throw badHead("HTTP_BAD_RESPONSE", `bad line "${shorten(startLine)}"`);
  const length = fields.get("content-length");
  const transferCoded = fields.has("transfer-encoding");
  if (length !== undefined && (transferCoded || !/^\d{1,15}$/.test(length))) {
    throw badHead("HTTP_BAD_RESPONSE", `bad Content-Length "${shorten(length)}"`);
  }
  return {
    status: Number(match[2]),
    fields,
    contentLength: length === undefined ? undefined : Number(length),
    transferCoded,
    keepAlive: keepsAlive(fields, match[1] === "1" ? 1 : 0),
  };
}

/** A Content-Range (RFC 9110, section 14.4): both ends included; `undefined` when it is not one. */
export function parseContentRange(
  text: string | undefined,
): { readonly first: number; readonly last: number; readonly size: number } | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(text ?? "");
  if (match === null) return undefined;
  const [first, last, size] = match.slice(1).map(Number) as [number, number, number];
  return first <= last && last < size ? { first, last, size } : undefined;
}
