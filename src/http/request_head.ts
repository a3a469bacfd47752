import { badHead, shorten } from "./bad_head.ts";
import { announcesBody, keepsAlive } from "./framing.ts";
import type { Fields } from "./head.ts";
import { checkHost, readTarget } from "./request_target.ts";
import { splitHead } from "./split_head.ts";

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
  /**
   * The host, with its port if there is one, that the request is for: what the target names, or else
   * the field Host (RFC 9112, section 3.3). Nothing in HTTP/1.0 without that field.
   */
  readonly host?: string;
}

/** Limits of {@linkcode parseRequestHead}. The limit of the whole head is its reader's. */
export interface RequestHeadOptions {
  /**
   * The longest target; a longer one is refused with status 414.
   *
   * @default {8192}
   */
  readonly maxTargetBytes?: number;
  /**
   * The most field lines; more are refused with status 431.
   *
   * @default {100}
   */
  readonly maxFields?: number;
}

/** RFC 9112, section 3, asks for request lines of 8000 octets at least. */
const DEFAULT_MAX_TARGET_BYTES = 8192;

/** Method, target without a fragment and without what no URI has, and version; one space between. */
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!$-;=?-~]+) HTTP\/(\d)\.(\d)$/;

/**
 * Read the head of a request, its empty line included (RFC 9112, sections 2 to 6).
 *
 * Every method is read; what a server of files does with the others, {@linkcode refuseRequest} says.
 *
 * @throws {JackfieldError} `HTTP_BAD_REQUEST` when it breaks RFC 9112 or is ambiguous; `status` says
 * how to answer: 400, 414, 431 or 505. The connection must be closed then.
 *
 * @example
 * ```ts
 * import { parseRequestHead } from "@jackfield/jackfield/core";
 *
 * const text = "GET /big.bin HTTP/1.1\r\nHost: a.example\r\n\r\n";
 * const request = parseRequestHead(new TextEncoder().encode(text));
 * if (request.target !== "/big.bin" || !request.keepAlive) throw new Error("unexpected");
 * ```
 */
export function parseRequestHead(head: Uint8Array, options: RequestHeadOptions = {}): RequestHead {
  const { maxTargetBytes = DEFAULT_MAX_TARGET_BYTES, maxFields } = options;
  const { startLine, fields } = splitHead(head, "HTTP_BAD_REQUEST", maxFields);
  const match = REQUEST_LINE.exec(startLine);
  if (match === null) throw badHead("HTTP_BAD_REQUEST", `malformed line "${shorten(startLine)}"`);
  const [method, written, major, minor] = match.slice(1) as [string, string, string, string];
  if (written.length > maxTargetBytes) {
    throw badHead("HTTP_BAD_REQUEST", `target is longer than ${maxTargetBytes} bytes`, 414);
  }
  if (major !== "1" || minor > "1") {
    throw badHead("HTTP_BAD_REQUEST", `HTTP/${major}.${minor} is not spoken here`, 505);
  }
  const minorVersion = minor === "1" ? 1 : 0;
  const { target, host } = readTarget(method, written);
  checkHost(fields.get("host"), minorVersion);
  return {
    method,
    target,
    minorVersion,
    fields,
    keepAlive: keepsAlive(fields, minorVersion),
    hasBody: announcesBody(fields, minorVersion),
    host: host ?? fields.get("host"),
  };
}
