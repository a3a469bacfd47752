import { badHead, shorten } from "./bad_head.ts";
import { keepsAlive } from "./framing.ts";
import type { Fields } from "./head.ts";
import { splitHead } from "./split_head.ts";

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
  const match = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/.exec(startLine);
  if (match === null) throw badHead("HTTP_BAD_RESPONSE", `bad line "${shorten(startLine)}"`);
  const length = fields.get("content-length");
  const transferCoded = fields.has("transfer-encoding");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) {
    throw badHead("HTTP_BAD_RESPONSE", `bad Content-Length "${shorten(length)}"`);
  }
  if (length !== undefined && transferCoded) {
    throw badHead("HTTP_BAD_RESPONSE", "Content-Length together with Transfer-Encoding");
  }
  const minorVersion = match[1] === "1" ? 1 : 0;
  return {
    status: Number(match[2]),
    fields,
    contentLength: length === undefined ? undefined : Number(length),
    transferCoded,
    // HTTP/1.0 has no transfer codings: such a message's end is doubtful (RFC 9112, section 6.1).
    keepAlive: keepsAlive(fields, minorVersion) && !(transferCoded && minorVersion === 0),
  };
}

/** A Content-Range (RFC 9110, section 14.4): both ends included; `undefined` when it is not one. */
export function parseContentRange(
  text: string | undefined,
): { readonly first: number; readonly last: number; readonly size: number } | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(text ?? "");
  if (match === null) return undefined;
  const [first, last, size] = match.slice(1).map(Number) as [number, number, number];
  return first <= last && last < size ? { first, last, size } : undefined;
}
