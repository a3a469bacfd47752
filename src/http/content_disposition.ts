import { checkFieldValue } from "./field_value.ts";

/** How a client shall treat a file: show it if it can, or save it. */
export type DispositionType = "inline" | "attachment";

/**
 * Write Content-Disposition (RFC 6266), with the file's name if one is given.
 *
 * A name with other characters than plain ASCII ones is written twice: for old readers without them,
 * and whole as `filename*` in UTF-8 (RFC 8187). So is one with a quote, a backslash or a percent
 * sign, which readers take in different ways (RFC 6266, appendix D).
 *
 * @throws {TypeError} When the type is another one, or the name has a slash, a control character or
 * half a character, or is empty.
 *
 * @example
 * ```ts
 * import { formatContentDisposition } from "@jackfield/jackfield/core";
 *
 * const text = formatContentDisposition("attachment", "naïve.txt");
 * const expected = `attachment; filename="naive.txt"; filename*=UTF-8''na%C3%AFve.txt`;
 * if (text !== expected) throw new Error("unexpected");
 * ```
 */
export function formatContentDisposition(type: DispositionType, fileName?: string): string {
  if (type !== "inline" && type !== "attachment") {
    throw new TypeError(`Cannot use disposition "${type}": expected "inline" or "attachment"`);
  }
  if (fileName === undefined) return type;
  // deno-lint-ignore no-control-regex -- they are what is refused
  if (fileName === "" || /[\x00-\x1f\x7f-\x9f/]/.test(fileName) || !fileName.isWellFormed()) {
    const expected = "expected a name without slashes and control characters";
    throw new TypeError(`Cannot use file name "${fileName.replace(/[^ -~]/g, "?")}": ${expected}`);
  }
  // "é" becomes "e" and a mark; the marks go, and what is no ASCII even then becomes "_".
  const plain = fileName.normalize("NFD").replace(/\p{Mn}/gu, "").replace(/[^ -~]|["\\%]/gu, "_");
  const quoted = checkFieldValue(`${type}; filename="${plain}"`);
  return plain === fileName ? quoted : `${quoted}; filename*=UTF-8''${encodeExtended(fileName)}`;
}

/** Percent-encoded UTF-8, all but the characters that RFC 8187, section 3.2.1, lets stand. */
function encodeExtended(text: string): string {
  // encodeURIComponent lets five characters stand that an attr-char is not.
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
