import { shorten } from "./bad_head.ts";
import { TOKEN, VALUE } from "./octets.ts";

/**
 * A text that may stand in a head, unchanged (RFC 9110, section 5.5).
 *
 * A value with a line end in it would be read as two fields, or as the end of the head. So nothing
 * with a control character (tabs may stand) is ever written, nor a character of more than one byte:
 * its low byte could be a line end.
 *
 * @throws {TypeError} When the text has such a character.
 *
 * @example
 * ```ts
 * import { checkFieldValue } from "@jackfield/jackfield/core";
 *
 * if (checkFieldValue("no-store") !== "no-store") throw new Error("unexpected");
 * try {
 *   checkFieldValue("a\r\nSet-Cookie: b");
 *   throw new Error("unexpected");
 * } catch (error) {
 *   if (!(error instanceof TypeError)) throw error;
 * }
 * ```
 */
export function checkFieldValue(text: string): string {
  if (VALUE.test(text)) return text;
  const expected = "expected bytes without control characters";
  throw new TypeError(`Cannot write head with "${shorten(text)}": ${expected}`);
}

/**
 * A text that may stand as a field's name, unchanged (RFC 9110, section 5.1).
 *
 * @throws {TypeError} When it is no token.
 *
 * @example
 * ```ts
 * import { checkFieldName } from "@jackfield/jackfield/core";
 *
 * if (checkFieldName("ETag") !== "ETag") throw new Error("unexpected");
 * ```
 */
export function checkFieldName(name: string): string {
  if (TOKEN.test(name)) return name;
  throw new TypeError(`Cannot write field "${shorten(name)}": bad name`);
}
