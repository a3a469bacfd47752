import { badHead, shorten } from "./bad_head.ts";
import { listElements } from "./field_list.ts";
import type { Fields } from "./head.ts";
import { TOKEN } from "./octets.ts";

/** Whether a message leaves its connection open (RFC 9112, section 9.3). */
export function keepsAlive(fields: Fields, minorVersion: 0 | 1): boolean {
  const field = fields.get("connection");
  if (field === undefined) return minorVersion === 1;
  let asked = false;
  for (const option of listElements(field)) {
    // What cannot be understood may have been a wish to close.
    if (!TOKEN.test(option)) return false;
    const word = option.toLowerCase();
    if (word === "close") return false;
    if (word === "keep-alive") asked = true;
  }
  return minorVersion === 1 || asked;
}

/**
 * Whether a request announces a body (RFC 9112, section 6.3).
 *
 * @throws {JackfieldError} `HTTP_BAD_REQUEST` when it says so in two ways, or in one that leaves
 * its length in doubt: nobody could tell where the next request begins.
 */
export function announcesBody(fields: Fields, minorVersion: 0 | 1): boolean {
  const length = fields.get("content-length");
  // A list of equal lengths may be taken for one (section 6.3); it is a fault that nobody needs.
  if (length !== undefined && !/^\d+$/.test(length)) {
    throw badHead("HTTP_BAD_REQUEST", `bad Content-Length "${shorten(length)}"`);
  }
  const coding = fields.get("transfer-encoding");
  if (coding === undefined) return length !== undefined && !/^0+$/.test(length);
  if (length !== undefined) {
    throw badHead("HTTP_BAD_REQUEST", "Content-Length together with Transfer-Encoding");
  }
  if (minorVersion === 0) {
    throw badHead("HTTP_BAD_REQUEST", "Transfer-Encoding in HTTP/1.0"); // Section 6.1.
  }
  const codings = listElements(coding.toLowerCase());
  if (codings.indexOf("chunked") !== codings.length - 1 || codings.length === 0) {
    const why = `Transfer-Encoding "${shorten(coding)}" does not end with one chunked`;
    throw badHead("HTTP_BAD_REQUEST", why);
  }
  return true;
}
