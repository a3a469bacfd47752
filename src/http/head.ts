import { JackfieldError } from "../transport/mod.ts";

/** The most bytes of a head that are read by default. */
export const DEFAULT_MAX_HEAD_BYTES: number = 16 * 1024;

/** Carriage return. */
export const CR = 13;
/** Line feed. */
export const LF = 10;

/**
 * Where the head ends: the offset behind its empty line (RFC 9112, section 2.1), or `undefined`
 * when the empty line has not come yet. `from` is where the search may begin.
 */
export function findHeadEnd(bytes: Uint8Array, from = 0): number | undefined {
  for (let at = Math.max(from, 3); at < bytes.byteLength; at++) {
    if (
      bytes[at] === LF && bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR
    ) return at + 1;
  }
  return undefined;
}

/** Header fields with names in lower case; a field that came twice has its values joined by commas. */
export type Fields = ReadonlyMap<string, string>;

/** A token (RFC 9110, section 5.6.2). */
export const TOKEN: RegExp = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** A field value without control characters (RFC 9110, section 5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Fields that must not come twice, because two readers could believe different ones. */
const SINGLE = new Set(["host", "content-length", "range", "if-range"]);

/**
 * The lines of a head: the start line and the fields.
 *
 * Refused (RFC 9112): bare CR or LF, folded lines, white space before a colon, control characters,
 * repeated fields that must be single.
 *
 * @throws {JackfieldError} With the given code.
 */
export function splitHead(
  head: Uint8Array,
  code: "HTTP_BAD_REQUEST" | "HTTP_BAD_RESPONSE",
): { readonly startLine: string; readonly fields: Fields } {
  const [startLine = "", ...lines] = latin1(head).slice(0, -4).split("\r\n");
  const fields = new Map<string, string>();
  if (!VALUE.test(startLine)) throw badHead(code, "control character in the first line");
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    if (!TOKEN.test(name)) throw badHead(code, `malformed field line "${shorten(line)}"`);
    if (!VALUE.test(value)) throw badHead(code, `control character in field "${name}"`);
    const key = name.toLowerCase();
    const before = fields.get(key);
    if (before !== undefined && SINGLE.has(key)) throw badHead(code, `field "${name}" comes twice`);
    fields.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return { startLine, fields };
}

/** The error for a head that breaks the protocol. */
export function badHead(
  code: "HTTP_BAD_REQUEST" | "HTTP_BAD_RESPONSE",
  why: string,
): JackfieldError {
  const what = code === "HTTP_BAD_REQUEST" ? "request" : "response";
  return new JackfieldError(code, `Cannot read ${what}: ${why}`, { operation: "read" });
}

/** Text for an error message: short, and without control characters. */
export function shorten(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is taken out
  return text.slice(0, 60).replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}

/**
 * A head as bytes.
 *
 * @throws {TypeError} When a name is no token, or a text has a character that would end its line or
 * that is more than one byte.
 */
export function encodeHead(
  startLine: string,
  fields: Iterable<readonly [name: string, value: string | number]>,
): Uint8Array<ArrayBuffer> {
  let text = `${checked(startLine)}\r\n`;
  for (const [name, value] of fields) {
    if (!TOKEN.test(name)) throw new TypeError(`Cannot write field "${shorten(name)}": bad name`);
    text += `${name}: ${checked(String(value))}\r\n`;
  }
  text += "\r\n";
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function checked(text: string): string {
  if (VALUE.test(text)) return text;
  const expected = "expected bytes without control characters";
  throw new TypeError(`Cannot write head with "${shorten(text)}": ${expected}`);
}

/** One character for each byte; TextDecoder's "latin1" is another encoding (windows-1252). */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.byteLength; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return text;
}
