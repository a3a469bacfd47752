import { parseDigests } from "../http/mod.ts";
import { hexOf } from "./answer_check.ts";

/**
 * The SHA-256 that a caller expects, in lower-case hexadecimal: 64 hexadecimal digits, or a member of
 * Repr-Digest (RFC 9530) such as `sha-256=:…:`.
 *
 * @throws {TypeError} When it is neither.
 */
export function readExpectedDigest(text: string): string {
  const hex = text.trim().toLowerCase().replace(/^sha-?256:/, "");
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  const digest = parseDigests(text.trim())?.get("sha-256");
  if (digest !== undefined) return hexOf(digest);
  throw new TypeError(
    `Cannot use digest "${text}": expected the 64 hexadecimal digits of a SHA-256`,
  );
}
