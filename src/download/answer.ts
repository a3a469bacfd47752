import { encodeHead, type Fields, parseRange, type RequestHead } from "../http/mod.ts";
import type { FileFacts } from "../transport/mod.ts";
import { contentTypeOf } from "./content_type.ts";

/** What is to be sent: a head, and then text or a part of a file. */
export interface Answer {
  /** The status code. */
  readonly status: number;
  /** The head's bytes. */
  readonly head: Uint8Array<ArrayBuffer>;
  /** Bytes that follow the head; empty for HEAD. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** The part of the file that follows; `start` equals `end` when none does. */
  readonly start: number;
  /** Behind the last byte of the file's part. */
  readonly end: number;
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  206: "Partial Content",
  301: "Moved Permanently",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  416: "Range Not Satisfiable",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The answer that carries a file, or a part of it. */
export function fileAnswer(
  request: RequestHead,
  path: string,
  facts: FileFacts,
  keepAlive: boolean,
): Answer {
  const etag = etagOf(facts);
  const modified = new Date(facts.modifiedMs).toUTCString();
  // A Range counts for GET only (RFC 9110, section 14.2).
  const wanted = request.method === "GET" && conditionHolds(request.fields, etag, modified)
    ? parseRange(request.fields.get("range"), facts.size)
    : undefined;
  if (wanted === "unsatisfiable") {
    const fields: [string, string][] = [["Content-Range", `bytes */${facts.size}`]];
    return textAnswer(request, 416, `No such range in ${facts.size} bytes.\n`, keepAlive, fields);
  }
  const { start, end } = wanted ?? { start: 0, end: facts.size };
  const status = wanted === undefined ? 200 : 206;
  const head = encodeHead(`HTTP/1.1 ${status} ${REASONS[status]}`, [
    ...common(keepAlive),
    ["Content-Type", contentTypeOf(path)],
    ["Content-Length", end - start],
    ...(wanted === undefined
      ? []
      : [["Content-Range", `bytes ${start}-${end - 1}/${facts.size}`]] as const),
    ["Accept-Ranges", "bytes"],
    ["ETag", etag],
    ["Last-Modified", modified],
  ]);
  const body = request.method === "HEAD" ? { start, end: start } : { start, end };
  return { status, head, text: new Uint8Array(0), ...body };
}

/** An answer of a few words. */
export function textAnswer(
  request: Pick<RequestHead, "method"> | undefined,
  status: number,
  text: string,
  keepAlive: boolean,
  fields: readonly (readonly [string, string])[] = [],
): Answer {
  const body = new TextEncoder().encode(text);
  const head = encodeHead(`HTTP/1.1 ${status} ${REASONS[status]}`, [
    ...common(keepAlive),
    ["Content-Type", "text/plain; charset=utf-8"],
    ["Content-Length", body.byteLength],
    ...fields,
  ]);
  const silent = request?.method === "HEAD";
  return { status, head, text: silent ? new Uint8Array(0) : body, start: 0, end: 0 };
}

function common(keepAlive: boolean): [string, string][] {
  return [
    ["Date", new Date().toUTCString()],
    ["Connection", keepAlive ? "keep-alive" : "close"],
    ["X-Content-Type-Options", "nosniff"],
  ];
}

/** A file that changed this short a time ago may change again within the clock's grain. */
const YOUNG_MS = 2000;

/** The validator of a file's content; weak while it is young (RFC 9110, section 8.8.1). */
export function etagOf({ size, modifiedMs }: FileFacts): string {
  const tag = `"${size.toString(36)}-${Math.floor(modifiedMs * 1000).toString(36)}"`;
  return Date.now() - modifiedMs < YOUNG_MS ? `W/${tag}` : tag;
}

/** Whether If-Range, if there is one, lets a Range count (RFC 9110, section 13.1.5). */
function conditionHolds(fields: Fields, etag: string, modified: string): boolean {
  const condition = fields.get("if-range");
  if (condition === undefined) return true;
  if (condition.endsWith('"')) return condition === etag && !etag.startsWith("W/");
  return condition === modified && !etag.startsWith("W/");
}
