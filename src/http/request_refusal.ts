import { isJackfieldError } from "../transport/mod.ts";
import { parseRequestHead, type RequestHead, type RequestHeadOptions } from "./request_head.ts";

/** Why a request gets no file, and how to answer it. */
export interface RequestRefusal {
  /** The status of the answer. */
  readonly status: 400 | 405 | 413 | 414 | 431 | 501 | 505;
  /** The reason as a sentence without its period, for the answer's body. */
  readonly reason: string;
  /** Whether the connection ends with the answer, because nobody knows where the next request begins. */
  readonly close: boolean;
  /** Fields that the status asks for. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Methods of RFC 9110, section 9.3, and RFC 5789: known, and not allowed for a file. */
const KNOWN = new Set(["POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]);

/**
 * Why a server of files does not serve a request: it announces a body (413), or its method is another
 * than GET and HEAD (405 for the standard ones, 501 for others: RFC 9110, sections 15.5.6 and
 * 15.6.2); `undefined` when it does.
 *
 * @example
 * ```ts
 * import { parseRequestHead, refuseRequest } from "@jackfield/jackfield/core";
 *
 * const head = new TextEncoder().encode("DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n");
 * const refusal = refuseRequest(parseRequestHead(head));
 * if (refusal?.status !== 405 || refusal.close) throw new Error("unexpected");
 * ```
 */
export function refuseRequest(
  request: Pick<RequestHead, "method" | "hasBody" | "keepAlive">,
): RequestRefusal | undefined {
  const { method, hasBody, keepAlive } = request;
  // A body is not read here, and so what follows the head is not a request.
  if (hasBody) {
    return { status: 413, reason: "Cannot take request: it has a body", close: true, fields: [] };
  }
  if (method === "GET" || method === "HEAD") return undefined;
  const known = KNOWN.has(method);
  return {
    status: known ? 405 : 501,
    reason: "Cannot serve request: expected the method GET or HEAD",
    // After CONNECT a client may send anything at all.
    close: !keepAlive || method === "CONNECT",
    fields: known ? [["Allow", "GET, HEAD"]] : [],
  };
}

/**
 * How to answer a request that could not be read; `undefined` when an error means something else.
 *
 * @example
 * ```ts
 * import { parseRequestHead, refusalOf } from "@jackfield/jackfield/core";
 *
 * try {
 *   parseRequestHead(new TextEncoder().encode("GET / HTTP/2.0\r\nHost: a\r\n\r\n"));
 * } catch (error) {
 *   if (refusalOf(error)?.status !== 505) throw error;
 * }
 * ```
 */
export function refusalOf(error: unknown): RequestRefusal | undefined {
  if (!isJackfieldError(error, "HTTP_BAD_REQUEST")) return undefined;
  const status = (error.status ?? 400) as RequestRefusal["status"];
  return { status, reason: error.message, close: true, fields: [] };
}

/**
 * Read the head of a request for a file: the request, or how to refuse it. Never throws for what a
 * client can send.
 *
 * @example
 * ```ts
 * import { readRequest } from "@jackfield/jackfield/core";
 *
 * const result = readRequest(new TextEncoder().encode("GET /a HTTP/1.1\r\nHost : a\r\n\r\n"));
 * if (!("status" in result) || result.status !== 400) throw new Error("unexpected");
 * ```
 */
export function readRequest(
  head: Uint8Array,
  options?: RequestHeadOptions,
): RequestHead | RequestRefusal {
  try {
    const request = parseRequestHead(head, options);
    return refuseRequest(request) ?? request;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return refusal;
  }
}
