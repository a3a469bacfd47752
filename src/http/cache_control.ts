import { shorten } from "./bad_head.ts";

/** A directive (RFC 9111, section 5.2): a token, perhaps with a token or a quoted string. */
const DIRECTIVE =
  /[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t !#-[\]-~]|\\[\t -~])*"))?[ \t]*(?:,|$)/y;

/**
 * A value for Cache-Control, unchanged (RFC 9111, section 5.2).
 *
 * It is passed through as a user wrote it; so it is checked when the option is given, not when the
 * first client comes.
 *
 * @throws {TypeError} When it is not a list of directives.
 *
 * @example
 * ```ts
 * import { checkCacheControl } from "@jackfield/jackfield/core";
 *
 * if (checkCacheControl("public, max-age=3600") !== "public, max-age=3600") {
 *   throw new Error("unexpected");
 * }
 * ```
 */
export function checkCacheControl(value: string): string {
  DIRECTIVE.lastIndex = 0;
  while (DIRECTIVE.test(value)) {
    if (DIRECTIVE.lastIndex === value.length && !value.endsWith(",")) return value;
  }
  throw new TypeError(
    `Cannot use Cache-Control "${shorten(value)}": expected directives such as "max-age=60"`,
  );
}
