const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  206: "Partial Content",
  301: "Moved Permanently",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  416: "Range Not Satisfiable",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/**
 * The status line of HTTP/1.1 (RFC 9112, section 4), with the phrase of RFC 9110, section 15, or RFC
 * 6585 for what a server of files answers.
 *
 * @throws {RangeError} When it is no status of three digits.
 *
 * @example
 * ```ts
 * import { statusLine } from "@jackfield/jackfield/core";
 *
 * if (statusLine(206) !== "HTTP/1.1 206 Partial Content") throw new Error("unexpected");
 * ```
 */
export function statusLine(status: number): string {
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw new RangeError(`Cannot use status "${status}": expected an integer from 100 to 999`);
  }
  return `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`;
}
