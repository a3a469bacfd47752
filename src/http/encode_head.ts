import { checkFieldName, checkFieldValue } from "./field_value.ts";

/** A field as it is to be written. */
export type FieldLine = readonly [name: string, value: string | number];

/**
 * A head as bytes.
 *
 * @throws {TypeError} When a name is no token, or a text has a character that would end its line or
 * that is more than one byte.
 *
 * @example
 * ```ts
 * import { encodeHead } from "@jackfield/jackfield/core";
 *
 * const bytes = encodeHead("HTTP/1.1 200 OK", [["Content-Length", 5]]);
 * const text = new TextDecoder().decode(bytes);
 * if (text !== "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") throw new Error("unexpected");
 * ```
 */
export function encodeHead(
  startLine: string,
  fields: Iterable<FieldLine>,
): Uint8Array<ArrayBuffer> {
  return octetsOf(`${checkFieldValue(startLine)}\r\n${fieldLines(fields)}\r\n`);
}

/** The lines of these fields, each with its end. */
export function fieldLines(fields: Iterable<FieldLine>): string {
  let text = "";
  for (const [name, value] of fields) {
    text += `${checkFieldName(name)}: ${checkFieldValue(String(value))}\r\n`;
  }
  return text;
}

const encoder = new TextEncoder();

/** One byte for each character of a text that was checked. */
export function octetsOf(text: string): Uint8Array<ArrayBuffer> {
  const encoded = encoder.encode(text);
  // In UTF-8 a character above ASCII would be two bytes. There is hardly ever one.
  if (encoded.byteLength === text.length) return encoded;
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
