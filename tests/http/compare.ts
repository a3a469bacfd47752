// Compares what came back with a row of the table. Where it came from does not matter here.
import { createHash } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import { type Case, contentOf, type ExpectedAnswer, FILES } from "./cases.ts";
import { readAnswers, readParts, type WireAnswer } from "./wire.ts";

/** What a server says of a file's state, for the placeholders of the table. */
export interface FileState {
  /** As it is sent. */
  readonly entityTag: string;
  /** What Last-Modified says. */
  readonly modifiedMs: number;
}

/** Gives the state of a file by its path. */
export type StateOf = (path: string) => FileState;

const ENDINGS = { br: ".br", gzip: ".gz" } as const;

/** The path of a request's file, without its query; the first one of several. */
export function pathOf(request: string): string {
  const path = /^\s*[^ ]+ (?:http:\/\/[^/]*)?(\/[^ ?]*)/i.exec(request)?.[1];
  const plain = path?.replaceAll("%70", "p").replaceAll("%2e", ".");
  return plain !== undefined && plain in FILES ? plain : "/plain.bin";
}

/** A text of the table with what the server says in the place of `{etag}`, `{date-1}` and so on. */
export function filled(text: string, path: string, stateOf: StateOf): string {
  const state = (coding: string | undefined): FileState =>
    stateOf(coding === undefined ? path : `${path}${ENDINGS[coding as "br" | "gzip"]}`);
  return text
    .replace(/\{etag(?::(\w+))?\}/g, (_, coding?: string) => state(coding).entityTag)
    .replace(/W\/W\//g, "W/")
    .replace(
      /\{date([+-]\d+)?\}/g,
      (_, shift = "0") => dateOf(state(undefined).modifiedMs + Number(shift) * 1000),
    )
    .replace(/\{rfc850\}/g, () => rfc850Of(state(undefined).modifiedMs))
    .replace(/\{asctime\}/g, () => asctimeOf(state(undefined).modifiedMs))
    .replace(/\{(sha-256|sha-512)(?::(\w+))?\}/g, (_, algorithm: string, coding?: string) => {
      const name = coding === undefined ? path : `${path}${ENDINGS[coding as "br" | "gzip"]}`;
      return createHash(algorithm.replace("-", "")).update(contentOf(name)).digest("base64");
    });
}

const dateOf = (ms: number): string => new Date(ms).toUTCString();

function rfc850Of(ms: number): string {
  const [, day, month, year, time] = dateOf(ms).split(" ") as string[];
  const week = new Intl.DateTimeFormat("en", { weekday: "long", timeZone: "UTC" }).format(ms);
  return `${week}, ${day}-${month}-${year!.slice(2)} ${time} GMT`;
}

function asctimeOf(ms: number): string {
  const [week, day, month, year, time] = dateOf(ms).split(" ") as string[];
  return `${week!.slice(0, 3)} ${month} ${day!.replace(/^0/, " ")} ${time} ${year}`;
}

/** Make sure that these bytes are exactly the answers of a row. */
export function assertAnswers(
  { request, answers: expected }: Case,
  received: Uint8Array,
  stateOf: StateOf,
): void {
  const requests = request.split(/(?<=\r\n\r\n)(?=[A-Z])/);
  const methods = requests.map((text) => text.trim().split(" ", 1)[0]!);
  const answers = readAnswers(received, methods);
  assertEquals(answers.map(({ status }) => status), expected.map(({ status }) => status));
  for (const [index, answer] of answers.entries()) {
    assertAnswer(answer, expected[index]!, pathOf(requests[index] ?? ""), stateOf);
  }
}

function assertAnswer(
  answer: WireAnswer,
  { fields = {}, body, coding, closes }: ExpectedAnswer,
  path: string,
  stateOf: StateOf,
): void {
  for (const [name, value] of Object.entries(fields)) {
    const expected = value === null ? undefined : filled(value, path, stateOf);
    assertEquals(answer.fields.get(name), expected, name);
  }
  if (closes !== undefined) {
    assertEquals(answer.fields.get("connection") === "close", closes, "Connection: close");
  }
  if (body === undefined) return;
  const content = contentOf(coding === undefined ? path : `${path}${ENDINGS[coding]}`);
  if (body === "none") return assertEquals(answer.body.byteLength, 0, "no body");
  if (body === "whole") return assertBytes(answer.body, content);
  if (body.length === 1) return assertBytes(answer.body, content.subarray(...body[0]!));
  const parts = readParts(answer);
  const ranges = body.map(([start, end]) => `bytes ${start}-${end - 1}/${content.byteLength}`);
  assertEquals(parts.map((part) => part.fields.get("content-range")), ranges);
  for (const [index, part] of parts.entries()) {
    assertEquals(part.fields.get("content-type"), FILES[path]!.contentType);
    assertBytes(part.bytes, content.subarray(...body[index]!));
  }
}

/** As assertEquals, without a list of 300,000 numbers. */
function assertBytes(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.byteLength, expected.byteLength, "length of the body");
  const at = actual.findIndex((octet, index) => octet !== expected[index]);
  assert(at < 0, `the body differs at ${at}`);
}
