import { badHead, type Fields, shorten, splitHead, TOKEN } from "./head.ts";

/** The head of a request. */
export interface RequestHead {
  /** The method, such as `GET`. */
  readonly method: string;
  /** The path and query as they were sent, such as `/file.bin?x=1`. */
  readonly target: string;
  /** The minor version of HTTP/1: 0 or 1. */
  readonly minorVersion: 0 | 1;
  /** The fields, by lower-case name. */
  readonly fields: Fields;
  /** Whether the connection may serve another request (RFC 9112, section 9.3). */
  readonly keepAlive: boolean;
  /** Whether the request announces a body. */
  readonly hasBody: boolean;
}

/**
 * Read the head of a request, its empty line included.
 *
 * @throws {JackfieldError} `HTTP_BAD_REQUEST` when it breaks RFC 9112 or is ambiguous.
 */
export function parseRequestHead(head: Uint8Array): RequestHead {
  const { startLine, fields } = splitHead(head, "HTTP_BAD_REQUEST");
  const match = /^([^ ]+) ([^ ]+) HTTP\/1\.([01])$/.exec(startLine);
  if (match === null) throw badHead("HTTP_BAD_REQUEST", `malformed line "${shorten(startLine)}"`);
  const [, method, target, minor] = match as unknown as [string, string, string, string];
  if (!TOKEN.test(method)) throw badHead("HTTP_BAD_REQUEST", `bad method "${shorten(method)}"`);
  const path = pathOf(target);
  const minorVersion = minor === "1" ? 1 : 0;
  checkHost(fields.get("host"), minorVersion);
  return {
    method,
    target: path,
    minorVersion,
    fields,
    keepAlive: keepsAlive(fields, minorVersion),
    hasBody: announcesBody(fields, minorVersion),
  };
}

/** The path and query of an origin-form or absolute-form target (RFC 9112, section 3.2). */
function pathOf(target: string): string {
  if (/^[!"$-~]+$/.test(target)) { // Visible ASCII, and no fragment.
    if (target.startsWith("/")) return target;
    const path = /^https?:\/\/[^/?]+(.*)$/i.exec(target)?.[1];
    if (path !== undefined) return path.startsWith("/") ? path : `/${path}`;
  }
  throw badHead("HTTP_BAD_REQUEST", `cannot serve target "${shorten(target)}"`);
}

/** Needed in HTTP/1.1, and always a host and a port (RFC 9112, section 3.2). */
function checkHost(host: string | undefined, minorVersion: 0 | 1): void {
  if (host === undefined) {
    if (minorVersion === 0) return;
    throw badHead("HTTP_BAD_REQUEST", "field Host is missing");
  }
  if (/^(\[[\w:.%~-]+\]|[\w.~%!$&'()*+,;=-]*)(:\d*)?$/.test(host)) return;
  throw badHead("HTTP_BAD_REQUEST", `bad Host "${shorten(host)}"`);
}

function announcesBody(fields: Fields, minorVersion: 0 | 1): boolean {
  const length = fields.get("content-length");
  if (length !== undefined && !/^\d+$/.test(length)) {
    throw badHead("HTTP_BAD_REQUEST", `bad Content-Length "${shorten(length)}"`);
  }
  if (fields.has("transfer-encoding")) {
    if (minorVersion === 0) {
      throw badHead("HTTP_BAD_REQUEST", "Transfer-Encoding in HTTP/1.0"); // Section 6.1.
    }
    if (length === undefined) return true;
    throw badHead("HTTP_BAD_REQUEST", "Content-Length together with Transfer-Encoding");
  }
  return length !== undefined && Number(length) > 0;
}

/** Whether a message leaves its connection open (RFC 9112, section 9.3). */
export function keepsAlive(fields: Fields, minorVersion: 0 | 1): boolean {
  const options = (fields.get("connection") ?? "").toLowerCase().split(",").map((part) =>
    part.trim()
  );
  if (options.includes("close")) return false;
  return minorVersion === 1 || options.includes("keep-alive");
}
