import { encodeHead, type FieldLine, formatHttpDate, statusLine } from "../http/mod.ts";
import { Output } from "./output.ts";

/** What is to be sent, and what becomes of the connection. */
export interface Answer {
  readonly status: number;
  readonly output: Output;
}

/** What decides over the look of every answer. */
export interface AnswerContext {
  /** The request's method; `undefined` when it could not be read. */
  readonly method: string | undefined;
  /** Whether the connection goes on. */
  readonly keepAlive: boolean;
  /** The time, in milliseconds since 1970. */
  readonly nowMs: number;
}

const LF = 10;
const encoder = new TextEncoder();

/** The head of an answer, with the fields that all of them have. */
export function answerHead(
  context: AnswerContext,
  status: number,
  fields: readonly FieldLine[],
): Uint8Array<ArrayBuffer> {
  return encodeHead(statusLine(status), [
    ["Date", dateAt(context.nowMs)],
    ["Connection", context.keepAlive ? "keep-alive" : "close"],
    ...fields,
  ]);
}

/** Where in a head of {@linkcode answerHead} the date begins. */
export function dateOffsetOf(head: Uint8Array): number {
  return head.indexOf(LF) + 1 + "Date: ".length;
}

/** An answer of a few words. */
export function textAnswer(
  context: AnswerContext,
  status: number,
  text: string,
  fields: readonly FieldLine[] = [],
  contentType = "text/plain; charset=utf-8",
): Answer {
  const body = encoder.encode(text);
  const head = answerHead(context, status, [
    ["Content-Type", contentType],
    ["Content-Length", body.byteLength],
    ["X-Content-Type-Options", "nosniff"],
    ...fields,
  ]);
  const parts = context.method === "HEAD" ? [] : [{ head: body, offset: 0, length: 0 }];
  return { status, output: new Output(head, parts) };
}

/** An answer to who may ask again in a moment. */
export function busyAnswer(context: AnswerContext, text: string): Answer {
  return textAnswer(context, 503, text, [["Retry-After", "1"]]);
}

let dateSecond = NaN;
let dateText = "";

/** The field Date; the same text for all answers of a second. */
function dateAt(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = formatHttpDate(nowMs);
  }
  return dateText;
}
